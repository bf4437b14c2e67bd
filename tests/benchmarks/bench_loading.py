"""Measures a large report against an older checkout: `python -m tests.benchmarks.bench_loading [OLD_CHECKOUT]`.

The report has 10,000 prompts and 200 hypotheses, judged on every prompt. Old and new each save theirs and write its
HTML in one process, and load it in another. Measured are processor seconds, and the peak memory of the second process.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from diffing.judgements import Judgements
from diffing.outputs.html import write_html
from diffing.report import load_report, save_report
from diffing.types import Finding, Judgement, Report, Verdict

TRAIN, HELDOUT, HYPOTHESES = 6_000, 4_000, 200
VERDICTS = (Verdict.A, Verdict.B, Verdict.NEITHER)
MOST = {"load": "0.125", "save": "0.125", "HTML": "0.5"}
"""The largest processor time against before, by step."""


def large_report() -> Report:
    """A report as a run hands it over. Half of its hypotheses are judged, with a reply for every verdict."""
    from tests.outputs.samples import medium_report

    report = medium_report(train=TRAIN, heldout=HELDOUT)
    findings = tuple(_numbered(report.findings[number % len(report.findings)], number) for number in range(HYPOTHESES))
    return replace(report, findings=findings, judgements=Judgements.of(_judgements(report, findings)))


def _numbered(finding: Finding, number: int) -> Finding:
    return replace(finding, hypothesis=replace(finding.hypothesis, id=f"{finding.hypothesis.method}-{number:012x}"))


def _judgements(report: Report, findings: tuple[Finding, ...]) -> Iterator[Judgement]:
    for number, finding in enumerate(findings):
        for place, pair in enumerate(report.pairs):
            verdict = VERDICTS[(number * 7 + place) % 3]
            key = finding.hypothesis.id, pair.prompt.id, verdict
            if number % 2:
                yield Judgement(*key, judge="measured")
            else:
                yield Judgement(*key, judge="openai:judge-70b", shown_first="ab"[place % 2], reply="12N"[place % 3])


def written(folder: Path) -> dict[str, float]:
    """Processor seconds of saving the report in a folder, and of writing its HTML."""
    report = large_report()
    # a run has imported all libraries when it saves its report
    save_report(replace(report, judgements=()), folder)
    seconds = {"save": _seconds(lambda: save_report(report, folder))}
    return seconds | {"HTML": _seconds(lambda: write_html(report, folder / "report.html"))}


def loaded(folder: Path) -> dict[str, float]:
    """Processor seconds of loading the report, and the peak memory of this process in MB."""
    seconds = _seconds(lambda: load_report(folder))
    return {"load": seconds, "peak": _peak()}


def _seconds(step: Callable[[], object]) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def _peak() -> float:
    """Linux; `getrusage` would tell what the parent took before this process replaced its copy."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def measured(*checkout: Path) -> dict[str, float]:
    """What a checkout takes, ours if none is given."""
    from tests.benchmarks.speed import child

    with tempfile.TemporaryDirectory() as folder:
        steps = [child(Path(__file__), [step, folder], *checkout) for step in ("--write", "--load")]
    return {**steps[0], **steps[1]}


def main(*old_checkout: Path) -> None:
    """Measures new, and old if there is one, and stores the results."""
    from tests.benchmarks.speed import row, store

    new = measured()
    old = measured(*old_checkout) if old_checkout else {}
    rows = [row(f"{step} the report", new[step], "processor s", MOST[step], old.get(step)) for step in MOST]
    rows.append(row("load the report, peak memory of the process", new["peak"], "MB", "500 MB", old.get("peak")))
    about = f"A report of {TRAIN + HELDOUT:,} prompts and {HYPOTHESES} hypotheses, with two million verdicts."
    store("loading", "A large report", about, rows, {"prompts": TRAIN + HELDOUT, "hypotheses": HYPOTHESES})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--write", given]:
            print(json.dumps(written(Path(given))))
        case ["--load", given]:
            print(json.dumps(loaded(Path(given))))
        case given:
            main(*map(Path, given))
