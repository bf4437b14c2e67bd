"""Answers in loans of a GPU, with the embedded pair: the loans are the real work, only nobody has to lend anything."""

import os
import shutil
import sqlite3
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest
from spaces.zero.gradio import error as error_of_spaces

from diffing.config import DiffConfig
from diffing.demo.config import FOLDER, demo_config
from diffing.errors import SettingError
from diffing.model_ref import parse_spec
from diffing.models.base import Sampling
from diffing.models.cache import Store
from diffing.models.local import LocalOptions
from diffing.report import save_report
from diffing.run import run
from diffing.types import Conversation, Message
from diffing.view.runs import OWN_MACHINE
from diffing.view.zero import LoanProgress, answer_on_loans, gpu_process
from diffing.view.zero.gpu_refusals import NotLentError
from diffing.view.zero.loan_planner import SPARE
from tests.waiting import until

PROMPTS = 8
QUOTA = "You have exceeded your free ZeroGPU quota (90s requested vs. 3s left). Try again in 3:12:00. "


@pytest.fixture
def config(tmp_path: Path) -> DiffConfig:
    """A few short answers; the models are copies, so that a test may spoil them."""
    for name in ("base", "tuned"):
        shutil.copytree(FOLDER / "models" / name, tmp_path / name)
    return replace(
        demo_config(),
        model_a=str(tmp_path / "base"),
        model_b=str(tmp_path / "tuned"),
        method=("lexical",),
        reader=None,
        sae=None,
        train=PROMPTS - 3,
        heldout=3,
        max_new_tokens=8,
        system_prompt_b="Answer briefly.",
        sample_b=1,
    )


class Loans:
    """Lends for a few answers at a time, as where the time is up then, and notes what was asked."""

    def __init__(self, most: int = 3, refuse_from: int | None = None) -> None:
        self.most = most
        self.refuse_from = refuse_from
        self.asked: list[tuple[str, tuple[Conversation, ...]]] = []
        self.left = 0

    def __call__(self, order: gpu_process.GpuTask) -> Generator[gpu_process.LoanNote | None]:
        if self.refuse_from is not None and len(self.asked) >= self.refuse_from:
            raise error_of_spaces("ZeroGPU quota exceeded", QUOTA)
        part = order.conversations[: self.most]
        self.asked.append((Path(str(order.spec)).name, part))
        try:
            yield from gpu_process.write(replace(order, conversations=part))
        except GeneratorExit:
            self.left += 1
            raise

    def conversations(self) -> list[tuple[str, Conversation]]:
        """All that was asked, with who was."""
        return [(name, conversation) for name, part in self.asked for conversation in part]


def rows(folder: Path) -> dict[str, str]:
    with sqlite3.connect(folder / "completions.sqlite") as database:
        return dict(database.execute("SELECT key, value FROM texts"))


def report_of(config: DiffConfig, store: Path, out: Path) -> dict[str, bytes]:
    save_report(run(config, store=Store(store / "completions.sqlite")), out)
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.is_file()}


def spoil(folder: Path) -> None:
    """Overwrites weights in place; size and time stay, so that the model still counts as the same one."""
    file = folder / "model.safetensors"
    before = file.stat()
    with file.open("r+b") as stream:
        stream.seek(before.st_size // 2)
        stream.write(os.urandom(before.st_size - before.st_size // 2))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_chunks_leave_what_a_normal_run_leaves_and_the_run_after_them_asks_no_model(
    config: DiffConfig, tmp_path: Path
) -> None:
    normal = report_of(config, tmp_path / "normal", tmp_path / "report-normal")
    loans = Loans()
    notes = list(answer_on_loans(config, cache=tmp_path / "zero", rules=OWN_MACHINE, write=loans))
    assert rows(tmp_path / "zero") == rows(tmp_path / "normal")
    assert [name for name, _ in loans.asked] == ["base"] * 3 + ["tuned"] * 3
    assert len(loans.conversations()) == 2 * PROMPTS
    assert loans.conversations()[-1][1][0] == Message("system", "Answer briefly.")
    assert {LoanProgress("responses a", PROMPTS, PROMPTS), LoanProgress("responses b", PROMPTS, PROMPTS)} <= set(notes)
    assert {"prepare", "weights a", "gpu a", "weights b", "gpu b"} <= {note.stage for note in notes}

    for name in ("base", "tuned"):
        spoil(tmp_path / name)  # whoever asked them now would be told something else
    assert report_of(config, tmp_path / "zero", tmp_path / "report-zero") == normal


def test_a_quota_that_ends_after_two_chunks_is_one_line_and_going_on_asks_only_the_rest(
    config: DiffConfig, tmp_path: Path
) -> None:
    first = Loans(refuse_from=2)
    line = r"^Your ZeroGPU quota is used up\. Answers so far are saved: come back in 3 hours and 12 minutes"
    with pytest.raises(NotLentError, match=line):
        list(answer_on_loans(config, cache=tmp_path, rules=OWN_MACHINE, write=first))
    assert len(rows(tmp_path)) == 6
    second = Loans(most=100)
    list(answer_on_loans(config, cache=tmp_path, rules=OWN_MACHINE, write=second))
    assert len(first.conversations()) + len(second.conversations()) == 2 * PROMPTS
    assert not [each for each in second.conversations() if each in first.conversations()]
    third = Loans()
    list(answer_on_loans(config, cache=tmp_path, rules=OWN_MACHINE, write=third))
    assert third.asked == [], "everything is there"


def test_closing_ends_the_loan_and_keeps_what_was_answered(config: DiffConfig, tmp_path: Path) -> None:
    loans = Loans(most=100)
    config = replace(config, max_new_tokens=64)
    notes = answer_on_loans(config, cache=tmp_path, rules=OWN_MACHINE, write=loans)
    next(note for note in notes if note.stage == "responses a" and note.done)
    notes.close()
    until(lambda: loans.left)  # whose loan it is, is left too
    kept = len(rows(tmp_path))
    assert 0 < kept < PROMPTS
    again = Loans(most=100)
    list(answer_on_loans(config, cache=tmp_path, rules=OWN_MACHINE, write=again))
    assert len(again.conversations()) == 2 * PROMPTS - kept


def test_a_remote_side_is_left_to_the_run(config: DiffConfig, tmp_path: Path) -> None:
    loans = Loans(most=100)
    mixed = replace(config, model_b="providers:org/name")
    list(answer_on_loans(mixed, cache=tmp_path, rules=OWN_MACHINE, write=loans))
    assert {name for name, _ in loans.asked} == {"base"}
    assert len(rows(tmp_path)) == PROMPTS
    neither = replace(config, model_a="providers:org/name", model_b="providers:org/other")
    assert {note.stage for note in answer_on_loans(neither, cache=tmp_path, rules=OWN_MACHINE)} == {"prepare"}


def test_the_loan_ends_before_its_time_does(config: DiffConfig) -> None:
    long = tuple((Message("user", f"Tell me about {n}."),) for n in range(100))
    options = LocalOptions(dtype="float32", device="cpu")
    list(
        gpu_process.write(
            gpu_process.GpuTask(parse_spec(config.model_a), options, None, long[:1], Sampling(max_new_tokens=2), 60)
        )
    )
    order = gpu_process.GpuTask(
        parse_spec(config.model_a), options, None, long, Sampling(max_new_tokens=96), int(SPARE / 2)
    )
    notes = [note for note in gpu_process.write(order) if note is not None]
    assert isinstance(notes[0], gpu_process.WeightsLoaded)
    assert len([note for note in notes if isinstance(note, gpu_process.AnswerWritten)]) < 100


def test_what_fails_beside_the_gpu_is_told_in_words(tmp_path: Path) -> None:
    order = gpu_process.GpuTask(
        parse_spec(str(tmp_path)), LocalOptions(), None, ((Message("user", "Hi"),),), Sampling(), 60
    )
    (note,) = [note for note in gpu_process.write(order) if note is not None]
    assert isinstance(note, gpu_process.LoanFailed)
    assert "has no config.json" in note.line


def test_what_is_not_possible_is_said_before_anything_is_asked(config: DiffConfig, tmp_path: Path) -> None:
    loans = Loans()
    judged = replace(config, method=("llm",), llm=config.model_a)
    with pytest.raises(SettingError, match="cannot be the LLM here"):
        list(answer_on_loans(judged, cache=tmp_path, rules=OWN_MACHINE, write=loans))
    assert loans.asked == []
