"""Models that cannot fit are refused before anything is downloaded, with what would fit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diffing.errors import MissingExtraError, ModelError
from diffing.models.local.loading import load_weights
from diffing.models.local.memory import FreeMemory, check_fit, dtype_name, gigabytes, needed_bytes, this_machine
from diffing.models.local.memory import fast_bfloat16 as says_fast_bfloat16
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import ModelSize
from tests.models.local import tiny

GB = 10**9
EIGHT_BILLION = ModelSize({"BF16": 8 * GB}, 16 * GB, 16 * GB, ("model.safetensors",))
LAPTOP = FreeMemory(gpu=0, ram=30 * GB, disk=100 * GB)
SMALL_GPU = FreeMemory(gpu=8 * GB, ram=6 * GB, disk=100 * GB)
BIG_GPU = FreeMemory(gpu=80 * GB, ram=30 * GB, disk=100 * GB)


def check(
    machine: FreeMemory, size: ModelSize = EIGHT_BILLION, config: Mapping[str, Any] | None = None, **options: Any
) -> str | None:
    return check_fit("org/name", size, config or {}, LocalOptions(**options), machine)


@pytest.mark.parametrize(
    ("machine", "size", "options", "line"),
    [
        (
            LAPTOP, EIGHT_BILLION, {},
            r"org/name needs about 38.4 GB of memory, 30.0 GB are free: load it with dtype bfloat16 or "
            r"use a provider \(providers:org/name\) or a machine with a larger GPU\.",
        ),
        (SMALL_GPU, EIGHT_BILLION, {}, r"19.2 GB .* 14.0 GB are free: load it in 4 bits \(quantization 4bit\) or"),
        (BIG_GPU, EIGHT_BILLION, {"device": "cpu"}, r"38.4 GB of memory, 30.0 GB are free: load it with dtype"),
        (
            FreeMemory(gpu=80 * GB, ram=30 * GB, disk=10 * GB), EIGHT_BILLION, {},
            "org/name needs 16.0 GB on disk, 10.0 GB are free: free space, point HF_HOME",
        ),
        (LAPTOP, EIGHT_BILLION + EIGHT_BILLION, {"dtype": "bfloat16"}, "about 38.4 GB"),
    ],
)  # fmt: skip
def test_too_big(machine: FreeMemory, size: ModelSize, options: dict[str, Any], line: str) -> None:
    with pytest.raises(ModelError, match=line):
        check(machine, size, **options)


def test_what_fits() -> None:
    assert check(BIG_GPU) is None
    assert check(LAPTOP, dtype="bfloat16") is None
    assert check(SMALL_GPU, quantization="4bit") is None
    partly = check(FreeMemory(gpu=15 * GB, ram=30 * GB, disk=100 * GB))
    assert partly == "org/name needs about 19.2 GB, the GPU has 15.0 GB free: a part runs from main memory, slowly"


def test_memory_is_that_of_the_type_it_is_loaded_in() -> None:
    pickled = ModelSize({}, 16 * GB, 0)
    for size, config, options, gpu, expected in [
        (EIGHT_BILLION, {}, {}, True, 16 * GB),
        (EIGHT_BILLION, {}, {}, False, 32 * GB),
        (EIGHT_BILLION, {}, {"dtype": "float32"}, True, 32 * GB),
        (EIGHT_BILLION, {}, {"quantization": "8bit"}, True, 8.8 * GB),
        (EIGHT_BILLION, {"quantization_config": {"quant_method": "mxfp4"}}, {}, True, 16 * GB),
        (pickled, {"torch_dtype": "float16"}, {}, True, 16 * GB),
        (pickled, {}, {}, True, 8 * GB),
    ]:
        assert needed_bytes(size, config, LocalOptions(**options), gpu=gpu) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fpu avx2 avx512f avx512_bf16", True),
        ("fpu avx512f amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f avx512_bf16x", False),
        ("fpu avx2 avx512f", False),
    ],
)
def test_a_processor_says_whether_it_is_fast_at_bfloat16(
    monkeypatch: pytest.MonkeyPatch, flags: str, fast: bool
) -> None:
    text = f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: {flags}\n"
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: text if str(path) == "/proc/cpuinfo" else "")
    assert says_fast_bfloat16.__wrapped__() is fast
    monkeypatch.setattr("diffing.models.local.memory.fast_bfloat16", lambda: fast)
    assert dtype_name(LocalOptions(), gpu=False) == ("bfloat16" if fast else "float32")
    assert dtype_name(LocalOptions(dtype="float16"), gpu=False) == "float16"
    assert dtype_name(LocalOptions(), gpu=True) == "bfloat16"
    assert needed_bytes(EIGHT_BILLION, {}, LocalOptions(), gpu=False) == (16 if fast else 32) * GB


def test_this_machine_has_something() -> None:
    machine = this_machine()
    assert machine.ram > 0
    assert machine.disk > 0


def test_sizes_in_words() -> None:
    assert (gigabytes(15.23e9), gigabytes(1_044_992)) == ("15.2 GB", "1.0 MB")


def test_quantisation_names_its_extra(tmp_path: Any) -> None:
    from transformers.utils import is_bitsandbytes_available

    if is_bitsandbytes_available():
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(MissingExtraError, match=r'needs libraries that are not installed.*"diffing\[quantized\]"'):
        load_weights("tiny", tiny.save(tmp_path), LocalOptions(quantization="4bit"))
