"""What the journeys walk through: the embedded pair on a local Hub, runs in every state, one page that is served."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import huggingface_hub.constants
import pytest

from diffing.config import DiffConfig, Limits
from diffing.demo.config import FOLDER
from diffing.report import load_report, save_report
from diffing.types import ModelInfo, Report
from diffing.view.examples import example_folder
from diffing.view.runs.run_state import EarlyHypothesis, ProgressSnapshot, StageProgress, State
from diffing.view.runs.run_store import RunStore, digest
from tests.hub import LocalHub

BASE, TUNED = "alice/tiny-base", "alice/tiny-tuned"
CARD = b"---\nlicense: mit  # ours\nbase_model: alice/tiny-base\npipeline_tag: text-generation\n---\n# Tuned\n\nTiny.\n"
ENTRIES = 24
"""Of the finished diff."""
FOUND = (
    EarlyHypothesis("lexical", "<MODEL> writes more words", "b", "style", 210, 160, 31),
    EarlyHypothesis("lexical", "<MODEL> begins with “Hello”", "a", "style", 210, 90, 2),
    EarlyHypothesis("llm", "<MODEL> ends with a question", "b", "style"),
)
STAGES = (StageProgress("responses a", 300, 300, 0.0), StageProgress("responses b", 120, 300, 95.0))


def push_pair(hub: LocalHub, folder: Path) -> None:
    """The embedded pair as models of alice; the card of the second names the first."""
    for name, repo_id in (("base", BASE), ("tuned", TUNED)):
        hub.push_folder(repo_id, FOLDER / "models" / name)
    folder.mkdir(parents=True)
    (folder / "README.md").write_bytes(CARD)
    hub.push_folder(TUNED, folder)


@cache
def finished() -> Report:
    """The finished diff of the embedded pair, under their names on the Hub; of its list the first entries."""
    report = load_report(example_folder("planted"))
    merged = report.merged[:ENTRIES]
    kept = {member for entry in merged for member in entry.members}
    return replace(
        report,
        model_a=ModelInfo(f"{BASE}@{'a' * 40}", "model_a"),
        model_b=ModelInfo(f"{TUNED}@{'b' * 40}", "model_b"),
        settings={**report.settings, "model_a": BASE, "model_b": TUNED},
        findings=tuple(each for each in report.findings if each.hypothesis.id in kept),
        judgements=tuple(each for each in report.judgements if each.hypothesis_id in kept),
        merged=merged,
    )


def keep(
    folder: Path,
    run_id: str,
    state: State,
    *,
    report: Report | None = None,
    told: ProgressSnapshot | None = None,
    models: tuple[str, str] = (BASE, TUNED),
) -> None:
    """A run of the past, as a desk on this folder finds it."""
    folder.mkdir(exist_ok=True, parents=True)
    records = RunStore(folder / "runs.sqlite")
    records.add(run_id, digest("somebody"), DiffConfig(model_a=models[0], model_b=models[1]), Limits())
    records.move(run_id, state, "The server of the model does not answer" if state == "failed" else "", told)
    records.close()
    if report is not None:
        save_report(report, folder / "runs" / run_id / "report")


@contextmanager
def environment(hub: LocalHub, folder: Path) -> Iterator[pytest.MonkeyPatch]:
    """Clients in this process and in those that it starts ask the local Hub, and keep what they load in the folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        patch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        patch.setenv("HF_HUB_CACHE", str(folder / "hub"))
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder / "hub"))
        patch.delenv("HF_TOKEN", raising=False)
        yield patch
