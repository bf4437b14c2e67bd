"""Responses recorded before, as a model. Shapes that other tools write are read by `shapes`, one file each."""

from diffing.models.recorded.model import RecordedModel, RecordedPrompt, common_prompts

__all__ = ["RecordedModel", "RecordedPrompt", "common_prompts"]
