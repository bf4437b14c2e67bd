"""Versions of what can decide a result, for the report. Imports none of it."""

import platform
from importlib.metadata import PackageNotFoundError, version

from diffing.version import VERSION

_LIBRARIES = (
    "numpy",
    "scipy",
    "huggingface-hub",
    "datasets",
    "torch",
    "transformers",
    "accelerate",
    "peft",
    "scikit-learn",
    "umap-learn",
    "model2vec",
    "sae-lens",
)


def versions() -> dict[str, str]:
    """Installed versions; what is not installed is left out."""
    found = {"python": platform.python_version(), "diffing": VERSION}  # a Space has it as a folder, not installed
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
