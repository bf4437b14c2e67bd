"""Where a result was measured."""

import platform

from diffing.types import Scalar
from diffing.versions import versions

LIBRARIES = ("python", "diffing", "numpy", "scipy", "umap-learn")
"""Those that can change the figures."""


def environment() -> dict[str, Scalar]:
    """The kind of machine and the versions, as settings of a result."""
    found = versions()
    return {"machine": platform.machine(), **{name: found[name] for name in LIBRARIES if name in found}}
