"""The backend for models that vLLM runs on this machine's GPUs, in this process and as one batch."""

from diffing.models.vllm.model import VllmModel

__all__ = ["VllmModel"]
