"""Puts an entry of a report's list into words: its results over all prompts, and the findings listed below it.

All functions return plain text, as those of `phrasing` do.
"""

from diffing.outputs.behaviour_words import (
    NO_NARROWER_PLACE,
    known_by_in_words,
    levels_in_words,
    metrics_shown,
    scope_of,
    where,
)
from diffing.outputs.level_words import bare_level, level_of
from diffing.outputs.phrasing import count, interval, percent, points, statement, tested_only_inside
from diffing.report.grouped_list import ListMember
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, Finding, other_side


def place(finding: Finding, names: ModelNames) -> str | None:
    """Returns where a difference lives, as `where` says it, or that no narrower place was found.

    Args:
        finding: The finding.
        names: The models' names.

    Returns:
        The text; None if the finding is not confirmed and has no scope, or if its run sought no places: such runs tell
        no levels either.
    """
    found = where(finding, names)
    return NO_NARROWER_PLACE if found is None and finding.confirmed and finding.levels else found


def where_it_holds(finding: Finding, names: ModelNames) -> str:
    """Returns for which prompts a difference is claimed, with both models' levels elsewhere if a place was found.

    It never says that a difference is everywhere, because finding no place that stands out does not show that.

    Examples: "all 214 prompts together; no kind of prompt stood out"; "prompts of this kind, 17 of 214;
    elsewhere tuned 0 of 197, base 0 of 197".

    Args:
        finding: The finding, tested on held-out prompts.
        names: The models' names.
    """
    n, shown = finding.heldout.n, metrics_shown(finding)
    if scope_of(finding) is None:
        sought = "; no kind of prompt stood out" if finding.levels else ""
        return f"all {count(n, 'prompt')} together{sought}"
    elsewhere = [
        f"{names.of(side)} {bare_level(level, of=level.kind != 'median')}"
        for side in (finding.hypothesis.direction, other_side(finding.hypothesis.direction))
        if (level := level_of(finding, "outside", side)) and level.value.n
    ]
    told = f"; elsewhere {elsewhere[0]}, {elsewhere[1]}" if len(elsewhere) == len(SIDES) else ""
    return f"prompts of this kind, {shown.n:,} of {n:,}{told}"


def overall(finding: Finding, names: ModelNames) -> str | None:
    """Returns both models' levels over all held-out prompts.

    For a finding with a scope the net difference over all of them follows, because the one in the scope is shown first.

    Examples: "tuned 8% (5 to 13%), base 0% (0 to 2%)"; "over all 214 held-out prompts: tuned 8% (5 to 13%), base 0% (0
    to 2%), net difference +8 points (+5 to +12)".

    Args:
        finding: The finding.
        names: The models' names.

    Returns:
        The text; None if neither levels nor a scope are known, or if nothing was tested outside the scope.
    """
    if tested_only_inside(finding):
        return None
    levels = levels_in_words(finding, names)
    heldout = finding.heldout
    if metrics_shown(finding) is heldout:
        return levels
    net = f"net difference {points(heldout.net_difference.value)} points ({interval(heldout.net_difference)})"
    said = net if levels is None else f"{levels}, {net}"
    return f"over all {count(heldout.n, 'held-out prompt')}: {said}"


def member_in_words(member: ListMember, names: ModelNames) -> str:
    """Returns a member of a line with the reason why it is there.

    Example: "tuned uses lists more often (another sign of the same behaviour, agreement 94%)".

    Args:
        member: The member.
        names: The models' names.
    """
    status = "" if member.finding.confirmed else "; not confirmed by itself"
    reason = f"{known_by_in_words(member.known_by)}, agreement {percent(member.agreement.value)}{status}"
    return f"{statement(member.finding, names)} ({reason})"
