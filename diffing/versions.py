"""Looks up the installed versions of Python, the package and its libraries for the report, without importing them."""

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
    """The installed versions by name; libraries that are not installed are left out."""
    found = {"python": platform.python_version(), "diffing": VERSION}  # a Space has it as a folder, not installed
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
