"""Names the stages of the crosscoder method for progress, usage and cost estimates."""

from diffing.methods.features.stages import llm_stages
from diffing.types import Stage

TRAIN = Stage("train crosscoder", "Crosscoder", "row")
TRAIN_DIFFERENCE = Stage("train differences", "Differences", "row")
TRAIN_NULL = Stage("train null", "Null", "row")
NULL_RESPONSES = Stage("null responses", "Null responses", "response")
READ = Stage("read inside", "Reading inside", "response")
CAUSAL = Stage("causal check", "Causal check", "feature")
LLM_STAGES = llm_stages("crosscoder")
