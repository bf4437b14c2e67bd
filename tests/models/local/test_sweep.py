"""Every architecture that transformers offers for causal language modelling: it loads or is refused in one line, and
answers alone what it answers in a batch."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import transformers
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

from diffing.errors import DiffingError
from diffing.models.base import Sampling
from diffing.models.local import LocalModel, LocalOptions
from tests.models.local import tiny
from tests.models.local.architectures import architectures, tiny_config

PROMPTS = [tiny.says("word " * n + str(n)) for n in (9, 0, 3)]
"""Of three lengths."""
MOST = 20_000_000
"""Parameters: what is larger takes more than seconds."""


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, str]]:
    """What each came to, shown at the end (`pytest -s`)."""
    lines: dict[str, str] = {}
    yield lines
    for kind, line in sorted(lines.items(), key=lambda item: (item[1].split(":")[0], item[0])):
        sys.stdout.write(f"\n{kind:28} {line}")
    if len(lines) == len(architectures()):  # not only some of them, by `pytest -k`
        assert sum(line.startswith("not made") for line in lines.values()) < len(lines) / 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", architectures())
def test_alone_as_in_a_batch(
    kind: str, tmp_path: Path, table: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    try:
        save(kind, tmp_path)
    except Exception as error:  # noqa: BLE001 - what an architecture says to sizes that contradict each other
        table[kind] = f"not made: {type(error).__name__} {' '.join(str(error).split())[:150]}"
        pytest.skip(table[kind])
    table[kind] = came_to(tmp_path)
    shutil.rmtree(tmp_path)
    if "one conversation at a time" in caplog.text:
        table[kind] += ", one by one"
    assert table[kind].startswith(("equal", "refused: "))
    assert "\n" not in table[kind]


def came_to(folder: Path) -> str:
    """`equal`, `refused: ...` or `DIFFERENT ...`."""
    try:
        alone, together = (answers(folder, rows) for rows in (1, None))
    except DiffingError as error:
        return f"refused: {error}"
    return "equal" if alone == together else f"DIFFERENT {alone} {together}"


def save(kind: str, folder: Path) -> None:
    """A tiny model with random weights."""
    config = tiny_config(next(each for each in MODEL_FOR_CAUSAL_LM_MAPPING if each.model_type == kind))
    with torch.device("meta"):
        size = sum(each.numel() for each in transformers.AutoModelForCausalLM.from_config(config).parameters())
    if size > MOST:
        raise ValueError(f"{size / 1e6:.0f} million parameters")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)


def answers(folder: Path, rows: int | None) -> list[tuple[str, int | None]]:
    """Texts and numbers of tokens."""
    model = LocalModel.load(str(folder), options=LocalOptions(device="cpu", max_batch_rows=rows))
    return [(answer.text, answer.completion_tokens) for answer in model.generate(PROMPTS, Sampling(max_new_tokens=5))]
