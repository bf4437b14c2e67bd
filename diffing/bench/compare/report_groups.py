"""Groups reports about the same responses, and finds which findings in a group say the same, across methods."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.grouping import merge
from diffing.models.base import Model
from diffing.report.grouped_list import SAYS_THE_SAME
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import Finding, Judgement, Merged, OnProgress, Pair, Report, ignore_progress


@dataclass(frozen=True, slots=True)
class ReportGroup:
    """All findings of reports about the same responses of two models."""

    names: ModelNames
    """The short names of the two models."""
    pairs: tuple[Pair, ...]
    """The prompts with their responses."""
    findings: tuple[Finding, ...]
    """The hypotheses of all methods, each once."""
    labels: tuple[str, ...]
    """The method of each finding, with the run's name if the method ran more than once on these responses."""
    judgements: tuple[Judgement, ...]
    """The verdicts on the hypotheses."""
    merged: tuple[Merged, ...]
    """The hypotheses that say the same."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that have findings, in the order of the runs."""
        return tuple(sorted(set(self.labels), key=self.labels.index))


def group_reports(
    reports: Sequence[tuple[str, Report]], *, judge: Model | None = None, on_progress: OnProgress = ignore_progress
) -> list[ReportGroup]:
    """Groups reports by their responses and says which hypotheses of a group say the same.

    If only one report is about some responses, its stored grouped list is used, without further signs of a behaviour.
    The findings of several reports on the same responses are grouped again, by measured properties and verdicts and,
    with a judge, also by meaning.

    Args:
        reports: The reports with the names of their runs.
        judge: An LLM to ask whether two sentences mean the same.
        on_progress: Called after every answer.

    Raises:
        ModelError: The judge cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    together: dict[tuple[Pair, ...], list[tuple[str, Report]]] = {}
    for name, report in reports:
        together.setdefault(report.pairs, []).append((name, report))
    return [_group(runs, judge, on_progress) for runs in together.values()]


def _group(runs: Sequence[tuple[str, Report]], judge: Model | None, on_progress: OnProgress) -> ReportGroup:
    found: dict[str, tuple[Finding, str]] = {}
    judgements: list[Judgement] = []
    for name, report in runs:  # if several runs tested a hypothesis, the first run's numbers are used
        new = {f.hypothesis.id: (f, name) for f in report.findings if f.hypothesis.id not in found}
        judgements += (judgement for judgement in report.judgements if judgement.hypothesis_id in new)
        found |= new
    findings = tuple(finding for finding, _ in found.values())
    first = runs[0][1]
    if len(runs) > 1 or judge is not None or not first.merged:
        merged = merge(findings, judgements, first.pairs, judge=judge, on_progress=on_progress).entries
    else:
        merged = _saying_the_same(first, judgements)
    return ReportGroup(
        index_of(first).names, first.pairs, findings, _labels(list(found.values())), tuple(judgements), merged
    )


def _saying_the_same(report: Report, judgements: Sequence[Judgement]) -> tuple[Merged, ...]:
    """The stored lines, reduced to what says the same: further signs of a behaviour are grouped among themselves."""
    lines: list[Merged] = []
    for line in report.merged:
        same = [i for i, known_by in enumerate(line.known_by) if known_by == "lead" or known_by in SAYS_THE_SAME]
        members, known = tuple(line.members[i] for i in same), tuple(line.known_by[i] for i in same)
        lines.append(Merged(line.lead, members, known, tuple(line.agreement[i] for i in same)))
    kept = {member for line in lines for member in line.members}
    signs = [finding for finding in report.findings if finding.hypothesis.id not in kept]
    return (*lines, *merge(signs, judgements, report.pairs).entries)


def _labels(found: Sequence[tuple[Finding, str]]) -> tuple[str, ...]:
    runs: dict[str, set[str]] = {}
    for finding, name in found:
        runs.setdefault(finding.hypothesis.method, set()).add(name)
    methods = [(finding.hypothesis.method, name) for finding, name in found]
    return tuple(method if len(runs[method]) == 1 else f"{method} ({name})" for method, name in methods)
