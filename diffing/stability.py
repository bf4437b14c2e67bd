"""Compares repeats of a run with other seeds: which of its confirmed hypotheses come back?

A hypothesis comes back if a repeat confirmed one of the same direction whose verdicts on the same held-out pairs are
alike; its words do not matter. The responses of the compared models are the same in all repeats. This module compares
runs that are given; `diffing.pipeline` makes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import comb

from diffing import metrics
from diffing.estimates import Estimate
from diffing.types import Finding, Judgement, Pair, Row, Side, Stage, Usage, Verdict

LEAST_AGREEMENT = 0.5
"""Two hypotheses are alike if, of the pairs on which either has a verdict for a side, both have the same verdict on at
least this share: they then decide more alike than not, although a judge is not always of one mind."""
LARGEST_P = 0.05
"""They must also be for their side in the same pairs more often than chance would give, by Fisher's exact test: two
behaviours that each show in most pairs agree often without having to do with one another."""
NEARLY_ALL = 0.9
"""Agreement that counts without that test: what shows in nearly all pairs cannot agree more often than by chance."""
TABLE, DETAILS = "stability", "stability_hypotheses"


@dataclass(frozen=True, slots=True)
class SeededRun:
    """The tested hypotheses of one run or repeat, as far as they depend on the seed."""

    seed: int
    """The seed."""
    findings: tuple[Finding, ...]
    """The findings of the methods whose hypotheses depend on the seed."""
    judgements: Sequence[Judgement]
    """The verdicts on these, and possibly on other hypotheses and on train pairs."""


@dataclass(frozen=True, slots=True)
class RunStability:
    """What the repeats say about a run."""

    tables: Mapping[str, tuple[Row, ...]]
    """`stability`, a row per repeat, and `stability_hypotheses`, a row per confirmed hypothesis and repeat."""
    notes: tuple[str, ...]
    """Full sentences for the reader of the report."""


@dataclass(frozen=True, slots=True)
class _Match:
    """The hypothesis of a repeat whose verdicts are most like those of a confirmed one."""

    finding: Finding | None
    """It; None if the repeat confirmed nothing of the same direction."""
    agreement: float | None
    """Share of the pairs that either decides on which both have the same verdict."""
    came_back: bool
    """Whether the two are alike."""


def stability_of(first: SeededRun, repeats: Sequence[SeededRun], pairs: Sequence[Pair]) -> RunStability:
    """Compares a run with its repeats.

    Args:
        first: The run.
        repeats: Its repeats, at least one.
        pairs: All pairs; only held-out ones are compared.
    """
    heldout = {pair.prompt.id for pair in pairs if pair.prompt.split == "heldout"}
    own = _confirmed(first, heldout)
    rows: list[Row] = []
    details: list[Row] = []
    for repeat in repeats:
        again = _confirmed(repeat, heldout)
        matches = [_best_match(finding, verdicts, again) for finding, verdicts in own]
        came_back = sum(match.came_back for match in matches)
        rows.append(_row(first.seed, repeat.seed, metrics.wilson(came_back, len(own)), came_back, len(again)))
        details += [_detail(finding, repeat.seed, match) for (finding, _), match in zip(own, matches, strict=True)]
    tables = {TABLE: tuple(rows), DETAILS: tuple(details)}
    return RunStability({name: found for name, found in tables.items() if found}, (_note(rows),))


_Verdicts = Mapping[str, Verdict]


def _confirmed(run: SeededRun, heldout: set[str]) -> list[tuple[Finding, _Verdicts]]:
    """The confirmed findings with their readable verdicts on held-out pairs, by prompt id."""
    confirmed = {finding.hypothesis.id: finding for finding in run.findings if finding.confirmed}
    verdicts: dict[str, dict[str, Verdict]] = {hypothesis_id: {} for hypothesis_id in confirmed}
    for each in run.judgements:
        if each.hypothesis_id in confirmed and each.prompt_id in heldout and each.verdict is not Verdict.UNREADABLE:
            verdicts[each.hypothesis_id][each.prompt_id] = each.verdict
    return [(finding, verdicts[hypothesis_id]) for hypothesis_id, finding in confirmed.items()]


def _best_match(finding: Finding, verdicts: _Verdicts, again: Sequence[tuple[Finding, _Verdicts]]) -> _Match:
    side = finding.hypothesis.direction
    best = _Match(None, None, False)
    for other, others in again:
        if other.hypothesis.direction != side:
            continue
        match = _match(other, side, verdicts, others)
        if (match.came_back, match.agreement or 0.0) > (best.came_back, best.agreement or -1.0):
            best = match
    return best


def _match(other: Finding, side: Side, one: _Verdicts, two: _Verdicts) -> _Match:
    both = one.keys() & two.keys()
    sides = [(one[prompt].side, two[prompt].side) for prompt in both]
    decided = [each for each in sides if each != (None, None)]
    if not decided:
        return _Match(other, None, False)
    agreement = sum(a == b for a, b in decided) / len(decided)
    in_one, in_two = (sum(each[i] == side for each in sides) for i in (0, 1))
    p = _p_of_overlap(len(both), in_one, in_two, sides.count((side, side)))
    alike = agreement >= LEAST_AGREEMENT and (p <= LARGEST_P or agreement >= NEARLY_ALL)
    return _Match(other, agreement, alike)


def _p_of_overlap(n: int, in_one: int, in_two: int, shared: int) -> float:
    """One-sided p of Fisher's exact test: that two sets among n pairs share as many by chance."""
    most = min(in_one, in_two)
    ways = sum(comb(in_one, k) * comb(n - in_one, in_two - k) for k in range(shared, most + 1))
    return ways / comb(n, in_two)


def _row(seed: int, repeated_with: int, share: Estimate, came_back: int, confirmed_again: int) -> Row:
    return {
        "seed": seed,
        "repeated_with": repeated_with,
        "confirmed": share.n,
        "came_back": came_back,
        "share": share.value,
        "low": share.low,
        "high": share.high,
        "confirmed_in_repeat": confirmed_again,
    }


def _detail(finding: Finding, seed: int, match: _Match) -> Row:
    return {
        "hypothesis_id": finding.hypothesis.id,
        "repeated_with": seed,
        "came_back": match.came_back,
        "agreement": match.agreement,
        "nearest": match.finding.hypothesis.text if match.finding else None,
    }


def _note(rows: Sequence[Row]) -> str:
    """Says in words how many confirmed hypotheses came back."""
    seeds = _listed(f"{row['repeated_with']}" for row in rows)
    confirmed = rows[0]["confirmed"]
    start = f"The run was repeated with {'seed' if len(rows) == 1 else 'the seeds'} {seeds}, on the same responses"
    if not confirmed:
        return (
            f"{start}. No hypothesis that depends on the seed is confirmed, so none could come back. The repeats "
            f"confirmed {_listed(str(row['confirmed_in_repeat']) for row in rows)}."
        )
    shares = _listed(
        f"{row['came_back']} with seed {row['repeated_with']} ({_percent(row['share'])}, 95% interval "
        f"{_percent(row['low'])} to {_percent(row['high'])})"
        for row in rows
    )
    return (
        f"{start}. Of {confirmed} confirmed hypotheses that depend on the seed, these came back: {shares}. A "
        "hypothesis comes back if the repeat confirmed one for the same model whose verdicts on the same held-out "
        f"prompts are the same in at least {_percent(LEAST_AGREEMENT)} of those that either decides."
    )


def _listed(texts: Iterable[str]) -> str:
    *start, last = texts
    return f"{', '.join(start)} and {last}" if start else last


def _percent(share: object) -> str:
    return f"{100 * share:.0f}%" if isinstance(share, float | int) else "undefined"


def repeated(stage: Stage) -> Stage:
    """The stage under which the calls of all repeats of a stage are counted."""
    return Stage(f"{stage}, repeated", f"{stage.caption}, repeated", stage.unit, stage.side)


def repeated_usage(usage: Iterable[Usage]) -> tuple[Usage, ...]:
    """Adds up the calls and tokens of all repeats, by stage and model."""
    sums: dict[tuple[Stage, str], Usage] = {}
    for each in usage:
        stage = repeated(each.stage)
        so_far = sums.get((stage, each.model), Usage(stage, each.model, 0, 0, 0))
        sums[stage, each.model] = Usage(
            stage,
            each.model,
            so_far.calls + each.calls,
            so_far.prompt_tokens + each.prompt_tokens,
            so_far.completion_tokens + each.completion_tokens,
            so_far.unreadable + each.unreadable,
        )
    return tuple(sums.values())
