"""Helps a visitor before a run: searches models on the Hub, tells where a model can run, and estimates the run.

With `visitor = Visitor(token)`, call `Suggester().models("qwen", visitor)`, `find_run_options("org/name", visitor)`, or
`Previewer().preview(config, limits, visitor)`. This package does not depend on the page.
"""

from diffing.view.preflight.model_search import BaseModelProposal, Suggester, Suggestions
from diffing.view.preflight.run_options import RunOption, find_run_options
from diffing.view.preflight.run_preview import Preview, Previewer

__all__ = ["BaseModelProposal", "Preview", "Previewer", "RunOption", "Suggester", "Suggestions", "find_run_options"]
