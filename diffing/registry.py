"""Everything that can be added to the package, one line each: methods, kinds of models, files of a report.

A line names where the part lives; it is imported when it is first needed. Knows nothing of the parts themselves.
"""

from importlib import import_module
from typing import Any

METHODS: dict[str, str] = {
    "lexical": "diffing.methods.lexical.plan:LEXICAL",
    "sae": "diffing.methods.sae.plan:SAE",
    "llm": "diffing.methods.llm.plan:LLM",
}
"""The `MethodPlan` of every method by its name, in the order in which methods run."""
BACKENDS: dict[str, str] = {
    "providers": "diffing.models:load_providers",
    "openai": "diffing.models:load_openai",
    "recorded": "diffing.models:load_recorded",
    "local": "diffing.models:load_local",
}
"""What loads a model, by what stands before the colon of its model string: `load(ref, options)`."""
OUTPUTS: dict[str, str] = {
    "zip": "diffing.outputs.formats:ZIP",
    "html": "diffing.outputs.formats:HTML",
    "png": "diffing.outputs.formats:PNG",
    "md": "diffing.outputs.formats:MD",
    "csv": "diffing.outputs.formats:CSV",
    "parquet": "diffing.outputs.formats:PARQUET",
}
"""The `Format` of every file that a report can be saved as, by its ending, in the order in which they are offered."""


def load(place: str) -> Any:  # noqa: ANN401  a part of any type
    """The part that a line of a table names.

    Args:
        place: `package.module:name`.
    """
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
