"""Models on this machine, with transformers and accelerate."""

from diffing.models.local.fitting import size_of
from diffing.models.local.model import LocalModel
from diffing.models.local.sizes import ModelSize
from diffing.models.local.spec import LocalOptions

__all__ = ["LocalModel", "LocalOptions", "ModelSize", "size_of"]
