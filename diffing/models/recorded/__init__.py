"""The backend for recorded responses: files and datasets in which a model's answers are stored already.

The formats that other tools write are parsed in `shapes`, one file per format.
"""

from diffing.models.recorded.model import RecordedModel, RecordedPrompt, common_prompts

__all__ = ["RecordedModel", "RecordedPrompt", "common_prompts"]
