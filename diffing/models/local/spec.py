"""`LocalOptions`, the options of a local model: data type, quantisation, chat template and trusted code."""

import hashlib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.errors import SettingError

DTYPES = ("auto", "bfloat16", "float16", "float32")
Quantization: TypeAlias = Literal["4bit", "8bit"]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """Options for loading and running a local model."""

    dtype: str = "auto"
    """The data type of the weights, one of `DTYPES`; `auto` is bfloat16 on an accelerator and on a CPU that multiplies
    it in hardware (AVX-512 or AMX), otherwise float32."""
    quantization: Quantization | None = None
    """Load the weights in 4 or 8 bits (bitsandbytes, needs a GPU)."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""
    allow_pickle: bool = False
    """Load weights that are not safetensors; unpickling can run code."""
    chat_template: str | None = None
    """A Jinja file used instead of the model's own chat template."""
    device: str | None = None
    """The device for the whole model (`cpu`, `cuda:1`); None uses all devices (`device_map="auto"`)."""
    max_batch_rows: int | None = None
    """The maximum number of conversations answered at a time; None is 128 on an accelerator, 64 on a CPU."""
    max_batch_tokens: int | None = None
    """The maximum of rows times the length that they may reach; None uses half of the free memory."""

    @property
    def template_identity(self) -> str | None:
        """What stands in a model's id for a chat template that replaces its own; None if none does."""
        from diffing.models.local.template import read_template

        if self.chat_template is None:
            return None
        return f"template={hashlib.sha256(read_template(self.chat_template).encode()).hexdigest()[:12]}"

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise SettingError(f"{self.dtype!r} is no type of weights: expected one of {', '.join(DTYPES)}.")
