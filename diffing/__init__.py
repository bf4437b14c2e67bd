"""How do two language models behave differently? Tested differences, for any two models.

The public names are loaded on first use, so that `import diffing` stays quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from diffing.version import VERSION

if TYPE_CHECKING:
    from diffing.annotate.training import annotate_on_push
    from diffing.methods.lexical import LexicalMethod
    from diffing.methods.llm import LlmMethod
    from diffing.methods.sae import SaeMethod
    from diffing.models import load_model
    from diffing.pipeline import diff_models
    from diffing.prompts import load_prompts
    from diffing.report import load_report, save_report
    from diffing.types import Report

__version__ = VERSION
__all__ = [
    "LexicalMethod",
    "LlmMethod",
    "Report",
    "SaeMethod",
    "annotate_on_push",
    "diff_models",
    "load_model",
    "load_prompts",
    "load_report",
    "save_report",
]

_HOMES = {
    "LexicalMethod": "diffing.methods.lexical",
    "LlmMethod": "diffing.methods.llm",
    "SaeMethod": "diffing.methods.sae",
    "Report": "diffing.types",
    "annotate_on_push": "diffing.annotate.training",
    "diff_models": "diffing.pipeline",
    "load_model": "diffing.models",
    "load_prompts": "diffing.prompts",
    "load_report": "diffing.report",
    "save_report": "diffing.report",
}


def __getattr__(name: str) -> object:
    """Loads a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'diffing' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
