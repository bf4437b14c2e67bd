"""The backend for models that run on this machine, with transformers and accelerate."""

from diffing.models.local.memory import size_of
from diffing.models.local.model import LocalModel
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import ModelSize

__all__ = ["LocalModel", "LocalOptions", "ModelSize", "size_of"]
