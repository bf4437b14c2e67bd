"""Local models on a CUDA device: bfloat16, spread by device_map, answers in order."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from diffing.models.local.memory import this_machine
from tests.models.local import tiny

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.save(tmp_path / "tiny-llama")


@pytest.fixture
def model(folder: Path) -> Iterator[LocalModel]:
    model = LocalModel.load(str(folder))
    yield model
    model.close()


def test_bfloat16_on_the_device(model: LocalModel) -> None:
    model.generate(tiny.MIXED[:1], Sampling(max_new_tokens=1))
    assert model._loaded is not None
    weights = model._loaded.model
    assert (weights.dtype, weights.device.type) == (torch.bfloat16, "cuda")
    assert weights.hf_device_map


def test_answers_come_in_order(model: LocalModel, folder: Path) -> None:
    """In float32 on the device, they are those of the CPU but for rare ties; the lengths of the prompts tell the
    order."""
    sampling = Sampling(max_new_tokens=16, temperature=0.7)
    answers = model.generate(tiny.MIXED, sampling)
    expected = LocalModel.load(str(folder), options=LocalOptions(device="cpu")).generate(tiny.MIXED, sampling)
    assert [answer.prompt_tokens for answer in answers] == [answer.prompt_tokens for answer in expected]
    full = LocalModel.load(str(folder), options=LocalOptions(dtype="float32", device="cuda:0"))
    same = [
        mine.text == theirs.text for mine, theirs in zip(full.generate(tiny.MIXED, sampling), expected, strict=True)
    ]
    assert sum(same) >= len(same) - 1


def test_noise_on_the_device_is_that_of_the_cpu() -> None:
    from diffing.models.local.token_sampling import draw, noise_key

    sampling = Sampling(temperature=1.0, top_p=0.9)
    keys = [noise_key(tiny.says(str(n)), sampling) for n in range(64)]
    logits = torch.randn(64, 50_000, generator=torch.Generator().manual_seed(0))
    assert draw(logits.cuda(), sampling, keys, [0] * 64) == draw(logits, sampling, keys, [0] * 64)


def test_free_memory_is_seen_and_given_back(model: LocalModel) -> None:
    assert this_machine().gpu > 0
    model.generate(tiny.MIXED, Sampling(max_new_tokens=4))
    model.close()
    until = time.monotonic() + 5
    while torch.cuda.memory_allocated() > 0 and time.monotonic() < until:
        time.sleep(0.1)
    assert torch.cuda.memory_allocated() < 2**20
