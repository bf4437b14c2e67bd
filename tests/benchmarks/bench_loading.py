"""Measures how much memory loading a large report takes: 10,000 prompts and 200 hypotheses, judged on every prompt.

`python -m tests.benchmarks.bench_loading [FOLDER]`. Saves such a report in the folder (a temporary one if none is
given, and unless one is there already), loads it in a process of its own, and prints that process's peak memory.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from diffing.report import save_report
from diffing.types import Finding, Judgement, Report, Verdict
from tests.outputs.samples import medium_report

TRAIN, HELDOUT, HYPOTHESES = 6_000, 4_000, 200
VERDICTS = (Verdict.A, Verdict.B, Verdict.NEITHER)
LOAD = """
import sys
from pathlib import Path
from diffing.report import load_report
def peak():  # Linux; getrusage would tell what the parent took before this process replaced its copy
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
before = peak()
report = load_report(Path(sys.argv[1]))
print(len(report.pairs), len(report.findings), len(report.judgements), before, peak())
"""


def large_report() -> Report:
    """Half of its hypotheses are judged, with a reply for every verdict, and half are measured."""
    report = medium_report(train=TRAIN, heldout=HELDOUT)
    findings = tuple(_numbered(report.findings[number % len(report.findings)], number) for number in range(HYPOTHESES))
    return replace(report, findings=findings, judgements=tuple(_judgements(report, findings)))


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


def main(folder: Path) -> None:
    """Prints what loading takes."""
    if not (folder / "report.json").exists():
        save_report(large_report(), folder)
    command = [sys.executable, "-c", LOAD, str(folder)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    prompts, hypotheses, verdicts, before, after = map(int, printed)
    print(f"{prompts:,} prompts, {hypotheses} hypotheses, {verdicts:,} verdicts")
    print(f"peak memory: {before} MB with the package imported, {after} MB with the report loaded")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
