"""What a local model's name means: `org/name[@revision]`, a folder, or `base+adapter`; and the options beside it.

Touches neither the network nor the weights; it only looks whether a folder of that name exists.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from diffing.errors import SettingError
from diffing.paths import existing

DTYPES = ("auto", "bfloat16", "float16", "float32")
Quantization: TypeAlias = Literal["4bit", "8bit"]


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How a local model is loaded and run."""

    dtype: str = "auto"
    """Type of the weights: one of `DTYPES`; `auto` is bfloat16 on an accelerator and on a CPU that multiplies it in
    hardware (AVX-512 or AMX), float32 on others."""
    quantization: Quantization | None = None
    """Weights in 4 or 8 bits (bitsandbytes, needs a GPU)."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model."""
    allow_pickle: bool = False
    """Load weights that are not safetensors; unpickling can run code."""
    chat_template: str | None = None
    """A Jinja file used instead of the model's own chat template."""
    device: str | None = None
    """Where the whole model goes (`cpu`, `cuda:1`); None spreads it over what there is (`device_map="auto"`)."""
    max_batch_rows: int | None = None
    """Conversations answered side by side, at most; None is 128 on an accelerator, 64 on a CPU."""
    max_batch_tokens: int | None = None
    """Rows times the longest they can become, at most; None takes what half of the free memory holds."""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise SettingError(f"{self.dtype!r} is no type of weights: expected one of {', '.join(DTYPES)}.")


@dataclass(frozen=True, slots=True)
class HubPart:
    """A repository on the Hub."""

    repo_id: str
    """`org/name`."""
    revision: str | None
    """Branch, tag, pull request or commit; None is the default branch."""


@dataclass(frozen=True, slots=True)
class FolderPart:
    """A folder of this machine."""

    path: Path
    """Where it is."""


Part: TypeAlias = HubPart | FolderPart


def parse_spec(spec: str) -> tuple[Part, Part | None]:
    """Splits a spec into the base model and, where there is one, its adapter.

    A folder of that very name wins, so that folders with `+` or `@` in their names can be given.

    Raises:
        SettingError: The spec is neither a folder nor a repository's name nor two of them with `+` between.
    """
    whole = _parse_part(spec)
    if isinstance(whole, FolderPart):
        return whole, None
    for at in (i for i, sign in enumerate(spec) if sign == "+"):
        base, adapter = _parse_part(spec[:at]), _parse_part(spec[at + 1 :])
        if base is not None and adapter is not None:
            return base, adapter
    if whole is not None:
        return whole, None
    raise SettingError(
        f"A local model is org/name[@revision], an existing folder, or base+adapter; {spec!r:.100} is none of them: "
        "check the spelling."
    )


def _parse_part(text: str) -> Part | None:
    if (folder := existing(text)) and folder.is_dir():
        return FolderPart(folder.resolve())
    repo_id, _, revision = text.partition("@")
    if text.startswith((".", "/", "~")) or text.endswith("@") or "\\" in text:
        return None
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        return None
    return HubPart(repo_id, revision or None)
