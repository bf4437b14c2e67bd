"""Names the stages of the adapters method for progress, usage and cost estimates."""

from diffing.methods.features.stages import llm_stages
from diffing.types import Stage

TRAIN = Stage("adapters train", "Training adapters", "step")
READ = Stage("adapters read", "Reading with adapters", "response")
CHECK = Stage("adapters check", "Causal checks", "feature")
LLM_STAGES = llm_stages("adapters")
