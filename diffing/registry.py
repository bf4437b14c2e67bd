"""The tables of plug-ins, one line each: methods, model backends and output formats of a report.

A line says in which module the plug-in is; the module is imported when the plug-in is first needed.
"""

from importlib import import_module
from typing import Any

METHODS: dict[str, str] = {
    "lexical": "diffing.methods.lexical.plan:LEXICAL",
    "sae": "diffing.methods.sae.plan:SAE",
    "llm": "diffing.methods.llm.plan:LLM",
    "crosscoder": "diffing.methods.crosscoder.plan:CROSSCODER",
    "adapters": "diffing.methods.adapters.plan:ADAPTERS",
    "agent": "diffing.methods.agent.plan:AGENT",
}
"""The `MethodPlan` of every method by its name, in the order in which methods run."""
BACKENDS: dict[str, str] = {
    "providers": "diffing.models:load_providers",
    "openai": "diffing.models:load_openai",
    "recorded": "diffing.models:load_recorded",
    "vllm": "diffing.models:load_vllm",
    "local": "diffing.models:load_local",
}
"""The function `load(ref, options)` of every model backend, by the prefix of its model strings."""
OUTPUTS: dict[str, str] = {
    "zip": "diffing.outputs.formats:ZIP",
    "html": "diffing.outputs.formats:HTML",
    "png": "diffing.outputs.formats:PNG",
    "md": "diffing.outputs.formats:MD",
    "csv": "diffing.outputs.formats:CSV",
    "parquet": "diffing.outputs.formats:PARQUET",
}
"""The `DownloadFormat` of every file type in which a report can be saved, by file ending, in the order of menus."""


def load(place: str) -> Any:  # noqa: ANN401  a plug-in of any type
    """Imports the plug-in that a line of a table names.

    Args:
        place: `package.module:name`.
    """
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
