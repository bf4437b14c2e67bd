"""Estimates whether a model fits into this machine's memory and disk, before its weights are downloaded.

The estimate uses sizes alone; it does not consider the length of conversations or the needs of other programs.
"""

import gc
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from huggingface_hub import constants

from diffing.errors import MissingExtraError, ModelError, SettingError
from diffing.hub import hub_api
from diffing.model_ref import by_providers, parse_local_spec
from diffing.models.local.sources import open_source
from diffing.models.local.spec import LocalOptions, Quantization
from diffing.models.local.weight_sizes import ModelSize

_IMPORT_LOCK = threading.Lock()
MARGIN = 1.2
"""The memory needed per byte of weights: the attention cache of a few conversations and activations need room, too."""

_BYTES: Mapping[str, float] = {"float32": 4, "bfloat16": 2, "float16": 2}
# bitsandbytes keeps embeddings, norms and the head in 16 bits: about a tenth of a model
_QUANTIZED_BYTES: Mapping[Quantization, float] = {"4bit": 0.5 * 0.9 + 2 * 0.1, "8bit": 1 * 0.9 + 2 * 0.1}


@dataclass(frozen=True, slots=True)
class FreeMemory:
    """The free memory and disk space of this machine, in bytes."""

    gpu: int
    """Free memory of the accelerators; 0 if there are none."""
    ram: int
    """Free main memory."""
    disk: int
    """Free space on the disk of the Hub's cache."""


def size_of(spec: str, *, options: LocalOptions | None = None, token: str | bool | None = None) -> ModelSize:
    """The size of a model with its adapter, without downloading weights.

    Args:
        spec: The model string, as for `LocalModel.load`.
        options: Only `allow_pickle` matters here.
        token: The Hub token for private and gated repositories; None uses the saved one.

    Raises:
        SettingError: There is no such model.
        HubError: The Hub refuses or cannot be reached.
        ModelError: There are no weights that may be loaded.
    """
    options = options or LocalOptions()
    api = hub_api(token)
    base, *adapters = parse_local_spec(spec).parts
    size = open_source(base, api, allow_pickle=options.allow_pickle).size
    return size + open_source(adapters[0], api, adapter=True).size if adapters else size


@contextmanager
def importing() -> Iterator[None]:
    """Lets one thread at a time import torch and transformers for the first time, without garbage collection meanwhile.

    The import fails if two threads trigger it at the same time. Both libraries also parse their own source while they
    are imported: in Python before 3.11.8, a collection at that moment can let another thread parse as well, which ends
    with a SystemError (https://github.com/python/cpython/issues/106905).
    """
    with _IMPORT_LOCK:
        collects = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collects:
                gc.enable()


def this_machine() -> FreeMemory:
    """The memory and disk space that are free now; a container's limit counts if it is lower than the machine's.

    Raises:
        MissingExtraError: torch is not installed.
    """
    try:
        with importing():
            import psutil  # type: ignore[import-untyped]
            import torch
    except ImportError:
        raise MissingExtraError("Running a model on this machine", "local") from None

    gpu = (
        sum(torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count()))
        if torch.cuda.is_available()
        else 0
    )
    ram = min([psutil.virtual_memory().available, *_container_room()])
    downloads = Path(constants.HF_HUB_CACHE)
    existing = next(folder for folder in (downloads, *downloads.parents) if folder.exists())
    return FreeMemory(gpu=gpu, ram=ram, disk=shutil.disk_usage(existing).free)


def _container_room() -> list[int]:
    """The free memory within the limits of the control group (version 2); empty if there is no limit."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit, used = ((folder / name).read_text().strip() for name in ("memory.max", "memory.current"))
    except OSError:
        return []
    return [max(int(limit) - int(used), 0)] if limit.isdecimal() else []


def needed_bytes(size: ModelSize, config: Mapping[str, Any], options: LocalOptions, *, gpu: bool) -> int:
    """The memory for the weights as they will be loaded, without a margin.

    Weights that are stored quantised keep their size. Pickled weights have no headers, so the data type of the
    configuration is assumed, or float32 if it names none.
    """
    if "quantization_config" in config:
        return size.stored_bytes
    stored_type = str(config.get("dtype") or config.get("torch_dtype") or "float32")
    parameters = size.parameters or size.stored_bytes / _BYTES.get(stored_type, 4)
    if options.quantization is not None:
        return int(parameters * _QUANTIZED_BYTES[options.quantization])
    return int(parameters * _BYTES[dtype_name(options, gpu=gpu)])


def dtype_name(options: LocalOptions, *, gpu: bool) -> str:
    """The data type in which weights are loaded: the chosen one, or the meaning of `auto` on this machine."""
    if options.dtype != "auto":
        return options.dtype
    return "bfloat16" if gpu or fast_bfloat16() else "float32"


def on_accelerator(options: LocalOptions) -> bool:
    """Whether weights are loaded onto a GPU or another accelerator.

    Raises:
        MissingExtraError: torch is not installed.
    """
    if options.device == "cpu":
        return False
    try:
        with importing():
            import torch
    except ImportError:
        raise MissingExtraError("Running a model on this machine", "local") from None
    return torch.accelerator.is_available()


def device_of_rank(local_rank: int) -> str:
    """The device of one of several processes on a machine, each of which has a whole copy of the model.

    Args:
        local_rank: The number of the process on this machine, from 0.

    Raises:
        SettingError: There are more processes than GPUs.
        MissingExtraError: torch is not installed.
    """
    if not on_accelerator(LocalOptions()):
        return "cpu"
    import torch

    count = torch.accelerator.device_count()
    if local_rank >= count:
        raise SettingError(
            f"Process {local_rank + 1} of this machine has no GPU: there are {count}. Start at most {count} processes"
        )
    return f"{torch.accelerator.current_accelerator()}:{local_rank}"


@cache
def fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; otherwise float32 is faster."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except (OSError, ValueError):  # this file exists on Linux only
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), [])
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def check_fit(
    name: str, size: ModelSize, config: Mapping[str, Any], options: LocalOptions, machine: FreeMemory
) -> str | None:
    """Refuses a model that does not fit.

    Returns:
        A remark if only a part of the model fits onto the accelerator, else None.

    Raises:
        ModelError: The model is too large for the disk or the memory; the message says what would fit.
    """
    if size.missing_bytes > machine.disk:
        raise ModelError(
            f"{name} needs {gigabytes(size.missing_bytes)} on disk, {gigabytes(machine.disk)} are free: "
            f"free space, point HF_HOME to a larger disk, or use a provider ({by_providers(name)})."
        )
    gpu = machine.gpu > 0 and options.device != "cpu"
    needed = needed_bytes(size, config, options, gpu=gpu) * MARGIN
    room = machine.gpu + machine.ram if gpu else machine.ram
    if needed > room:
        raise ModelError(
            f"{name} needs about {gigabytes(needed)} of memory, {gigabytes(room)} are free: "
            f"{_alternatives(name, size, config, options, machine, gpu=gpu)}."
        )
    if gpu and needed > machine.gpu:
        return (
            f"{name} needs about {gigabytes(needed)}, the GPU has {gigabytes(machine.gpu)} free: "
            "a part runs from main memory, slowly"
        )
    return None


def _alternatives(
    name: str, size: ModelSize, config: Mapping[str, Any], options: LocalOptions, machine: FreeMemory, *, gpu: bool
) -> str:
    ways = []
    if options.quantization is None and "quantization_config" not in config:
        smaller = LocalOptions(quantization="4bit") if gpu else LocalOptions(dtype="bfloat16")
        if needed_bytes(size, config, smaller, gpu=gpu) * MARGIN <= (machine.gpu if gpu else machine.ram):
            ways.append("load it in 4 bits (quantization 4bit)" if gpu else "load it with dtype bfloat16")
    return " or ".join([*ways, f"use a provider ({by_providers(name)})", "a machine with a larger GPU"])


def gigabytes(count: float) -> str:
    """Formats a number of bytes, such as `1.5 GB`; small sizes in MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def millions(count: int) -> str:
    """Formats a number of parameters, in millions or billions."""
    return f"{count / 1e9:.1f} billion" if count >= 1e9 else f"{count / 1e6:.1f} million"
