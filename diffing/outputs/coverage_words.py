"""Puts a report's coverage into words: how much of what distinguishes the two models its findings explain."""

from diffing.estimates import Coverage, Estimate
from diffing.outputs.phrasing import percent, shares
from diffing.report.model_names import ModelNames
from diffing.types import Report

TOLD_APART = 0.05
"""Above this p value, the models cannot be told apart by what was looked at."""
_GUESSING = 0.5
_RARE = "What shows in very few answers can still be missing."
_FLATTERED = "The list is scored on the same held-out pairs that confirmed it, which can make this slightly too high"
_INCOMPLETE = "the judge stopped early, and the verdicts that it never gave count as none, which can make it too low"


def coverage_of_report(report: Report, names: ModelNames) -> str:
    """Returns the coverage of a report in full sentences, with what makes it too high or too low.

    Args:
        report: The report.
        names: The models' names.

    Returns:
        The sentences; empty if no coverage was computed.
    """
    coverage = report.coverage
    if coverage is None:
        return ""
    confirmed = [finding.heldout for finding in report.findings if finding.confirmed]
    words = coverage_in_words(coverage, names)
    if coverage.everything.value is None or coverage.p > TOLD_APART or not confirmed:
        return words
    incomplete = any(heldout.n + heldout.unreadable < coverage.findings.n for heldout in confirmed)
    return f"{words} {_FLATTERED}{f'; {_INCOMPLETE}' if incomplete else ''}."


def coverage_in_words(coverage: Coverage, names: ModelNames) -> str:
    """Returns the coverage in full sentences.

    Example: "From the answers alone 74 of 100 pairs can be told apart; from this list 69: it explains 79% (59 to 100%).
    The lines that are not folded away tell 68, the first five of them 66. The list leaves 145 of 246 pairs open; there
    the answers still tell in 66%."

    If the list explains all that was measured, it says so, and what can be missing nevertheless.

    Args:
        coverage: The report's coverage.
        names: The models' names.

    Returns:
        The sentences. If the models cannot be told apart, or there are too few pairs, no ratio is given.
    """
    everything = coverage.everything
    if everything.value is None:
        return f"How well {names.a} and {names.b} can be told apart is not known: there are no held-out pairs."
    if coverage.p > TOLD_APART:
        return _not_told_apart(everything, names)
    told = f"From the answers alone {_hundred(everything)} of 100 pairs can be told apart; from this list"
    lines = _of_lines(coverage)
    share = explained_share(coverage)
    if share is None:
        return (
            f"{told} {_hundred(coverage.findings)}. {lines} There are too few pairs to say how much the list explains."
        )
    interval = explained_interval(coverage)
    if share == 1:
        surely = _capped(coverage.explained).low == 1
        how_much = "" if surely else f" (it explains {interval} of that)"
        explains = f"it tells them apart as well as the answers do{how_much}. {_RARE}"
    else:
        explains = f"it explains {percent(share)} ({interval})."
    return f"{told} {_hundred(coverage.findings)}: {explains} {lines}{_open(coverage)}"


def coverage_in_short(coverage: Coverage, names: ModelNames) -> str:
    """Returns the coverage without a ratio, for readers who know none of the terms.

    Example: "A program that is shown both answers to a prompt says which model wrote which. It is right for 88% of the
    prompts, and guessing for 50%. Shown only which differences on this list they have, it is right for 83%."

    If the list explains all that was measured, it says so, and what can be missing nevertheless.

    Args:
        coverage: The report's coverage.
        names: The models' names.
    """
    everything, from_list = coverage.everything, percent(coverage.findings.value)
    if everything.value is None or coverage.p > TOLD_APART:
        return coverage_in_words(coverage, names)
    if explained_share(coverage) == 1:
        return (
            "This list tells the two models apart as well as their answers do: a program with only the list is right "
            f"for {from_list} of the prompts, one that reads all for {percent(everything.value)}. {_RARE}"
        )
    return (
        "A program that is shown both answers to a prompt says which model wrote which. It is right for "
        f"{percent(everything.value)} of the prompts, and guessing for 50%. Shown only which differences on this list "
        f"they have, it is right for {from_list}."
    )


def explained_share(coverage: Coverage) -> float | None:
    """Returns the share that the list explains, from 0 to 1, although chance can lift the estimate above 1.

    It is None if it is undefined, or if the models cannot be told apart.
    """
    return None if coverage.p > TOLD_APART else _capped(coverage.explained).value


def explained_interval(coverage: Coverage) -> str:
    """Returns the interval of the share that the list explains, such as "59 to 100%"; "100%" if both ends are that."""
    capped = _capped(coverage.explained)
    return percent(capped.low) if capped.low == capped.high else shares(capped)


def _not_told_apart(everything: Estimate, names: ModelNames) -> str:
    right = f"{(everything.value or 0.0) * everything.n:g} of {everything.n:,}"
    return (
        f"A program that reads both answers to a prompt cannot tell {names.a} from {names.b}: it says correctly which "
        f"model gave which for {right} prompts, and tossing a coin does for half of them."
    )


def _capped(estimate: Estimate) -> Estimate:
    value, low, high = (
        None if each is None else min(max(each, 0.0), 1.0) for each in (estimate.value, estimate.low, estimate.high)
    )
    return Estimate(value, low, high, estimate.n)


def _of_lines(coverage: Coverage) -> str:
    if coverage.lines.value == _GUESSING and coverage.findings.value != _GUESSING:
        return "All of this is in lines that are folded away."
    return (
        f"The lines that are not folded away tell {_hundred(coverage.lines)}, the first five of them "
        f"{_hundred(coverage.first_five)}."
    )


def _hundred(estimate: Estimate) -> str:
    return "–" if estimate.value is None else f"{100 * estimate.value:.0f}"


def _open(coverage: Coverage) -> str:
    pairs, told = coverage.open_pairs, coverage.told_in_open
    if pairs.value is None:
        return ""
    left = f" The list leaves {round(pairs.value * pairs.n):,} of {pairs.n:,} pairs open"
    return f"{left}." if told.value is None else f"{left}; there the answers still tell in {percent(told.value)}."
