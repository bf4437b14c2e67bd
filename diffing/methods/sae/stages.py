"""Names the stages of the SAE method for progress, usage and cost estimates."""

from diffing.methods.features.stages import llm_stages
from diffing.types import Stage

READ = Stage("read", "Reading", "response")
LLM_STAGES = llm_stages()
