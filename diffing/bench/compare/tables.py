"""Builds the four tables of `diffing bench compare`: methods, their overlap, shared hypotheses, and categories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from diffing import metrics
from diffing.bench.compare.bootstrap import mean
from diffing.bench.compare.report_groups import ReportGroup
from diffing.bench.results import BenchmarkResult, ResultColumn, estimate_cells
from diffing.estimates import Estimate
from diffing.grouping import SignedVerdicts
from diffing.metrics.kappa import kappa_of_ratings
from diffing.outputs.phrasing import statement
from diffing.types import Finding, Row, Scalar

METHODS_ABOUT = (
    "One row per method, over all hypotheses that it proposed in these runs. Accepted is the paper's rule on train "
    "prompts; confirmed is the test on held-out prompts at a false discovery rate of 5%. Hypotheses that are futile "
    "after the train prompts are not tested and count as not confirmed. Accuracy, frequency and net difference are "
    "those of the held-out prompts, averaged over the hypotheses for which they are defined; interestingness and "
    "abstraction are the raters' means, from 1 to 5.\n\n"
    "A method that is judged with early stopping has held-out figures only for the hypotheses that were not futile, "
    "and train figures only from the prompts judged until then. Its acceptance, accuracy, frequency and net difference "
    "are therefore comparable with those of the paper, or of another method, only if the run judged everything "
    "(--judging full). The false discovery rate holds for everything that a run confirms, over its methods together: "
    "if one method confirms much that is true, a larger share of the few hypotheses that another one confirms can be "
    "false.\n\n"
    "Intervals of shares are Wilson's; those of means are bootstrapped over hypotheses, which treats these as "
    "independent. Agreement between raters is kappa with quadratic weights, averaged over their pairs; a dash means "
    "that it is undefined, as with a single rater."
)
OVERLAP_ABOUT = (
    "Of the hypotheses of one method, the share that another method's hypotheses state as well, on the same responses. "
    "Two hypotheses say the same if both their meaning and their verdicts agree. The meaning is the same if both are "
    "about one measured property, or if an LLM was asked and said so in both orders. A phrase or a feature without a "
    "description, which has no meaning beyond where it occurs, needs nearly the same verdicts. Agreement of verdicts "
    "is the share of train prompts, of those on which either names a side, on which both gave the same verdict, "
    "averaged over the hypotheses that say the same."
)
SAME_ABOUT = "Hypotheses of different methods that say the same, the strongest first, and how that is known."
CATEGORY_ABOUT = (
    "The share of each method's hypotheses in each category, and how many of these are confirmed on held-out prompts. "
    "The method itself assigns the category."
)


@dataclass(frozen=True, slots=True)
class _GroupFinding:
    """One finding with the group of reports that it belongs to."""

    group: ReportGroup
    finding: Finding
    label: str


def _by_method(groups: Sequence[ReportGroup]) -> dict[str, list[_GroupFinding]]:
    found: dict[str, list[_GroupFinding]] = {}
    for group in groups:
        for finding, label in zip(group.findings, group.labels, strict=True):
            found.setdefault(label, []).append(_GroupFinding(group, finding, label))
    return found


def method_result(groups: Sequence[ReportGroup], *, command: str, settings: Mapping[str, Scalar]) -> BenchmarkResult:
    """Makes the papers' table: what each method proposed and how its hypotheses fared.

    Args:
        groups: What was found.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
    """
    columns = [ResultColumn("method", "Method"), ResultColumn("hypotheses", "Hypotheses")]
    columns += [
        ResultColumn(name, name.capitalize(), "%") for name in ("accepted", "confirmed", "accuracy", "frequency")
    ]
    columns += [ResultColumn("net", "Net difference, points", "points")]
    rows = tuple(_method_row(label, [one.finding for one in found]) for label, found in _by_method(groups).items())
    raters = {
        "interestingness": "Interestingness", "abstraction": "Abstraction",
        "interestingness_agreement": "Raters agree on interestingness",
        "abstraction_agreement": "Raters agree on abstraction",
    }  # fmt: skip
    columns += [
        ResultColumn(name, heading) for name, heading in raters.items() if any(row[name] is not None for row in rows)
    ]
    return BenchmarkResult(
        kind="compare", title="How the methods fared", command=command, about=METHODS_ABOUT, rows=rows,
        settings=settings, columns=tuple(columns),
    )  # fmt: skip


def _method_row(label: str, findings: Sequence[Finding]) -> Row:
    n = len(findings)

    def averaged(name: str, value: Callable[[Finding], float | None]) -> dict[str, Scalar]:
        return estimate_cells(name, mean([value(finding) for finding in findings]))

    def rating(scale: Literal["interestingness", "abstraction"]) -> dict[str, Scalar]:
        means = [getattr(each.rating, scale).value if each.rating else None for each in findings]
        return estimate_cells(scale, mean(means))

    def agreement(scale: Literal["interestingness", "abstraction"]) -> dict[str, Scalar]:
        first = scale == "interestingness"
        replies = [[(rater, one if first else two) for rater, one, two in each.replies] for each in ratings]
        return estimate_cells(f"{scale}_agreement", kappa_of_ratings(replies))

    ratings = [finding.rating for finding in findings if finding.rating is not None]
    return {
        "method": label,
        "hypotheses": n,
        **estimate_cells("accepted", metrics.wilson(sum(finding.accepted for finding in findings), n)),
        **estimate_cells("confirmed", metrics.wilson(sum(finding.confirmed for finding in findings), n)),
        **averaged("accuracy", lambda finding: finding.heldout.accuracy.value),
        **averaged("frequency", lambda finding: finding.heldout.frequency.value),
        **averaged("net", lambda finding: finding.heldout.net_difference.value),
        **rating("interestingness"),
        **rating("abstraction"),
        **agreement("interestingness"),
        **agreement("abstraction"),
    }


def overlap_result(groups: Sequence[ReportGroup], *, command: str, settings: Mapping[str, Scalar]) -> BenchmarkResult:
    """Makes a table with a row for every two methods: how many hypotheses of the one the other found as well.

    Args:
        groups: What was found.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
    """
    counts: dict[tuple[str, str], list[_Shared]] = {}
    for group in groups:
        for one in group.methods:
            for other in group.methods:
                if one != other:
                    counts.setdefault((one, other), []).extend(_shared(group, one, other))
    rows = tuple(_overlap_row(one, other, shared) for (one, other), shared in counts.items())
    columns = (
        ResultColumn("method", "Of this method's hypotheses"),
        ResultColumn("other", "stated by this one too"),
        ResultColumn("shared", "Of all", "%"),
        ResultColumn("shared_confirmed", "Of the confirmed", "%"),
        ResultColumn("verdicts", "Agreement of verdicts", "%"),
    )
    return BenchmarkResult(
        kind="compare", title="What several methods found", command=command, about=OVERLAP_ABOUT, rows=rows,
        settings=settings, columns=columns,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shared:
    """One hypothesis, and whether another method states it too."""

    confirmed: bool
    said: bool
    agreement: float | None


def _shared(group: ReportGroup, one: str, other: str) -> list[_Shared]:
    hypotheses = [finding.hypothesis for finding in group.findings]
    behaviour = SignedVerdicts(hypotheses, group.judgements, group.pairs)
    place = {hypothesis.id: at for at, hypothesis in enumerate(hypotheses)}
    entries = {member: entry.members for entry in group.merged for member in entry.members}
    shared = []
    for at, (finding, label) in enumerate(zip(group.findings, group.labels, strict=True)):
        if label == one:
            members = [place[member] for member in entries.get(finding.hypothesis.id, ())]
            likes = [behaviour.like(at, member).agreement.value for member in members if group.labels[member] == other]
            best = max((each for each in likes if each is not None), default=None)
            shared.append(_Shared(finding.confirmed, bool(likes), best))
    return shared


def _overlap_row(one: str, other: str, shared: Sequence[_Shared]) -> Row:
    confirmed = [each for each in shared if each.confirmed]
    return {
        "method": one,
        "other": other,
        **estimate_cells("shared", metrics.wilson(sum(each.said for each in shared), len(shared))),
        **estimate_cells("shared_confirmed", metrics.wilson(sum(each.said for each in confirmed), len(confirmed))),
        **estimate_cells("verdicts", mean([each.agreement for each in shared])),
    }


def same_result(groups: Sequence[ReportGroup], *, command: str, settings: Mapping[str, Scalar]) -> BenchmarkResult:
    """Makes a table of the hypotheses of different methods that say the same.

    Args:
        groups: What was found.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
    """
    rows: list[Row] = []
    for group in groups:
        labels = {
            finding.hypothesis.id: (label, finding) for finding, label in zip(group.findings, group.labels, strict=True)
        }
        for entry in group.merged:
            lead = labels[entry.lead]
            for member, known_by, agreement in zip(entry.members, entry.known_by, entry.agreement, strict=True):
                label, finding = labels[member]
                if label != lead[0]:
                    rows.append(_same_row(group, lead, (label, finding), known_by, agreement))
    columns = (
        ResultColumn("models", "Models"),
        ResultColumn("method", "Method"),
        ResultColumn("text", "says"),
        ResultColumn("other", "Method"),
        ResultColumn("other_text", "says the same"),
        ResultColumn("known_by", "Known by"),
        ResultColumn("verdicts", "Same verdicts", "%"),
    )
    return BenchmarkResult(
        kind="compare", title="The same in the words of two methods", command=command, about=SAME_ABOUT,
        rows=tuple(rows), settings=settings, columns=columns,
    )  # fmt: skip


def _same_row(
    group: ReportGroup, lead: tuple[str, Finding], member: tuple[str, Finding], known_by: str, agreement: Estimate
) -> Row:
    return {
        "models": f"{group.names.a} and {group.names.b}",
        "method": lead[0],
        "text": statement(lead[1], group.names),
        "other": member[0],
        "other_text": statement(member[1], group.names),
        "known_by": known_by,
        **estimate_cells("verdicts", agreement),
    }


def category_result(groups: Sequence[ReportGroup], *, command: str, settings: Mapping[str, Scalar]) -> BenchmarkResult:
    """Makes a table of categories and methods: how many hypotheses there are, and how many are confirmed.

    Args:
        groups: What was found.
        command: The command that reproduces the result.
        settings: The settings that affected the result.
    """
    by_method = {label: [one.finding for one in found] for label, found in _by_method(groups).items()}
    categories = sorted({finding.hypothesis.category for found in by_method.values() for finding in found})
    rows = tuple(
        _category_row(category, label, findings) for category in categories for label, findings in by_method.items()
    )
    columns = (
        ResultColumn("category", "Category"),
        ResultColumn("method", "Method"),
        ResultColumn("hypotheses", "Hypotheses"),
        ResultColumn("share", "Share of the method's", "%"),
        ResultColumn("confirmed", "Confirmed of these", "%"),
    )
    return BenchmarkResult(
        kind="compare", title="Coverage by category", command=command, about=CATEGORY_ABOUT, rows=rows,
        settings=settings, columns=columns,
    )  # fmt: skip


def _category_row(category: str, label: str, findings: Sequence[Finding]) -> Row:
    inside = [finding for finding in findings if finding.hypothesis.category == category]
    return {
        "category": category,
        "method": label,
        "hypotheses": len(inside),
        **estimate_cells("share", metrics.wilson(len(inside), len(findings))),
        **estimate_cells("confirmed", metrics.wilson(sum(each.confirmed for each in inside), len(inside))),
    }
