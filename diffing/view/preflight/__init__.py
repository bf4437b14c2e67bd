"""Helps a visitor before a run: searches models on the Hub, tells where a model can run, and estimates the run.

With `visitor = Visitor(token)`, call `ModelSuggester().models("qwen", visitor)`,
`find_run_options("org/name", visitor)`, or `RunPreviewer().preview(config, limits, visitor)`. This package does not
depend on the page.
"""

from diffing.view.preflight.model_search import BaseModelProposal, ModelSuggester, ModelSuggestions
from diffing.view.preflight.run_options import RunOption, find_run_options
from diffing.view.preflight.run_preview import RunPreview, RunPreviewer

__all__ = [
    "BaseModelProposal",
    "ModelSuggester",
    "ModelSuggestions",
    "RunOption",
    "RunPreview",
    "RunPreviewer",
    "find_run_options",
]
