"""Writes a confirmed difference as one sentence, with both models' own counts and what to expect of new prompts.

All functions return plain text, as those of `phrasing` do.
"""

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from diffing.outputs.behaviour_words import chance, concentration_of, metrics_shown, scope_of, sureness
from diffing.outputs.count_words import count_caution
from diffing.outputs.level_words import FEW, bare_level, level_of, number, unit_of
from diffing.outputs.phrasing import (
    HEADLINE_LENGTH,
    headline_rank,
    interval,
    one_line,
    percent,
    pieces_of,
    points,
    shares,
    text_of,
)
from diffing.report.index import ReportIndex, index_of
from diffing.report.model_names import ModelNames
from diffing.types import Finding, Level, Place, Report, Side, other_side

Style: TypeAlias = Side | Literal["count"] | None
Piece: TypeAlias = tuple[str, Style]
"""A text with its style: the name of a model by its side, a count that stands behind what it supports, or nothing."""
MOST_CLAIMS = 3
"""Maximum number of statements in the headline."""
_MORE_OFTEN = re.compile(r" more often(?: than <OTHER MODEL>)?(?=$|\.$| \(|,)")
_SHORTEST, _LONGEST_CONDITION = 40, 80
_ALMOST = 0.9


def headline_leads(report: Report) -> tuple[Finding, ...]:
    """Returns the confirmed findings of the headline: the first line, the first of the other model, and the next.

    Words and phrases, and then internal features, come only if no behaviour is confirmed. What errors of a count could
    make is left out.

    Args:
        report: The report.
    """
    leads = [each for each in confirmed_leads(index_of(report)) if not count_caution(each)]
    if not leads:
        return ()
    first = leads[0]
    across = [each for each in leads if each.hypothesis.direction != first.hypothesis.direction][:1]
    rest = [each for each in leads[1:] if each not in across]
    return (first, *across, *rest)[:MOST_CLAIMS]


def confirmed_leads(index: ReportIndex) -> tuple[Finding, ...]:
    """Returns the leads of the confirmed differences in order; without any, those of words, or else of features.

    Reports of earlier versions, which stored no levels, did not fold words and features: there they come last.

    Args:
        index: The index of a report.
    """
    confirmed = [entry.lead for entry in index.differences or index.wording or index.bare_features]
    folded = any(each.levels for each in index.report.findings)
    return tuple(confirmed if folded else sorted(confirmed, key=headline_rank))


def claim(finding: Finding, names: ModelNames, length: int = HEADLINE_LENGTH) -> tuple[Piece, ...]:
    """Returns a finding in one sentence without a full stop, with where it is concentrated and both models' own counts.

    Examples: "When asked about medicine, tuned refuses every time (17 of 17); base never does"; "tuned uses headings in
    61% of its answers (131 of 214); base does in 4%"; "tuned writes longer responses (in words): 24 words, base 21".
    Without levels, or if they do not show the difference, the verdicts on pairs are given.

    Args:
        finding: A finding that was tested on held-out prompts.
        names: The models' names.
        length: Maximum number of characters; the finding's own text is cut, not the numbers.
    """
    text, result = _worded(finding, levels_shown(finding), names)
    return (*_said(finding, text, names, length - sum(len(each) for each, _ in result)), *result)


def claim_in_words(finding: Finding, names: ModelNames, length: int = HEADLINE_LENGTH) -> str:
    """Returns the sentence of `claim` as one text."""
    return "".join(text for text, _ in claim(finding, names, length))


def text_beside_rates(finding: Finding) -> str:
    """Returns a finding's text, with the placeholders of both models, for where both models' rates stand beside it.

    The comparison that the rates show is left out: "<MODEL> refuses" for "<MODEL> refuses more often than <OTHER
    MODEL>".

    Args:
        finding: The finding.
    """
    text, levels = text_of(finding), levels_shown(finding)
    if levels is not None and levels[0].kind == "share" and _shows(levels):
        text = _MORE_OFTEN.sub("", text)
    return text.removesuffix(" than <OTHER MODEL>")


def what_and_where(finding: Finding, names: ModelNames, length: int) -> str:
    """Returns what differs and where, without how often, such as "When asked about medicine, tuned refuses more often".

    Args:
        finding: The finding.
        names: The models' names.
        length: Maximum number of characters.
    """
    text = text_of(finding).removesuffix(" than <OTHER MODEL>")
    return "".join(each for each, _ in _said(finding, text, names, length))


def levels_shown(finding: Finding) -> tuple[Level, Level] | None:
    """Returns the levels that are shown for a finding: in its scope if it has one, else over all held-out prompts.

    Returns:
        The level of the model that the finding speaks of, and that of the other model; None if they are not known.
    """
    place: Place = "inside" if scope_of(finding) else "all"
    side = finding.hypothesis.direction
    own, other = level_of(finding, place, side), level_of(finding, place, other_side(side))
    return (own, other) if own and other else None


def expectation(finding: Finding, names: ModelNames) -> str:
    """Says what to expect of new prompts, by the 95% intervals of what `claim` gives.

    Example: "On new prompts of this kind, expect 82 to 100% from tuned and at most 18% from base (95%
    intervals)". If errors of a count alone could make the difference, it says so instead.
    """
    if said := count_caution(finding):
        return said.removesuffix(".")
    levels = levels_shown(finding)
    prompts = "On new prompts of this kind" if scope_of(finding) else "On new prompts like these"
    if levels is None or not _shows(levels):
        net = metrics_shown(finding).net_difference
        return f"{prompts}, expect a net difference of {interval(net)} points (95% interval)"
    own, other = levels
    side = finding.hypothesis.direction
    judged = ", as the judge sees it" if own.kind == "fits" else ""
    if own.kind == "median":
        return (
            f"{prompts}, expect a median of {_span(own)} {unit_of(finding)} from {names.of(side)} and {_span(other)} "
            f"from {names.of(other_side(side))} (95% intervals)"
        )
    return (
        f"{prompts}, expect {_expected(own)} from {names.of(side)} and {_expected(other)} from "
        f"{names.of(other_side(side))}{judged} (95% intervals)"
    )


def intervals_in_words(finding: Finding) -> str:
    """Returns the 95% intervals of what `claim` gives, in its order.

    Examples: "95% intervals 82 to 100% and 0 to 18%"; "net difference +59 points, 95% interval +47 to +69".
    """
    levels = levels_shown(finding)
    if levels is None or not _shows(levels):
        net = metrics_shown(finding).net_difference
        return f"net difference {points(net.value)} points, 95% interval {interval(net)}"
    own, other = (_span(level) if level.kind == "median" else shares(level.value) for level in levels)
    return f"95% intervals {own} and {other}"


def sure_in_words(finding: Finding) -> str | None:
    """Returns how sure a confirmed difference is, and where it is concentrated if a place was tested too."""
    return sureness(_weaker_q(finding))


def chance_in_words(finding: Finding) -> str | None:
    """Returns what `sure_in_words` means, as `behaviour_words.chance` says it."""
    return chance(_weaker_q(finding))


def _weaker_q(finding: Finding) -> float | None:
    """The larger of the q values of the difference and, if one was tested, of the place where it is concentrated."""
    concentration = concentration_of(finding)
    return max(
        (q for q in (finding.heldout.q, concentration.q if concentration else None) if q is not None), default=None
    )


def _said(finding: Finding, text: str, names: ModelNames, length: int) -> tuple[Piece, ...]:
    """The finding's text with the models' names, after the condition under which it holds, cut to a length."""
    before = _condition(finding, length - _SHORTEST)
    named: list[Piece] = [
        (names.of(side), side) if side else (each, None) for each, side in pieces_of(text, finding.hypothesis.direction)
    ]
    room = max(length - len(before), _SHORTEST)
    return tuple(_capitalised([*([(before, None)] if before else []), *_cut(named, room)]))


def _condition(finding: Finding, room: int) -> str:
    scope = scope_of(finding)
    if scope is None or scope.words.lower() in finding.hypothesis.text.lower():
        return ""
    return f"{one_line(scope.words, max(_SHORTEST, min(_LONGEST_CONDITION, room - len(', '))))}, "


def _worded(finding: Finding, levels: tuple[Level, Level] | None, names: ModelNames) -> tuple[str, list[Piece]]:
    """The finding's text, and what follows it: how often each model shows it."""
    text, side = text_of(finding), finding.hypothesis.direction
    other_name: Piece = (names.of(other_side(side)), other_side(side))
    if levels is None or not _shows(levels):
        return text, [(_by_pairs(finding), None)]
    own, other = levels
    if own.kind == "median":
        text = text.removesuffix(" than <OTHER MODEL>")
        return text, [(f": {bare_level(own, of=False)} {unit_of(finding)}, ", None), other_name,
                      (f" {bare_level(other, of=False)}", None)]  # fmt: skip
    (often, counts), never = _how_often(own), not other.value.value
    if own.kind == "share" and _MORE_OFTEN.search(text):
        does = " never does" if never else f" does in {_share(other)}"
        return _MORE_OFTEN.sub("", text), [(f" {often}", None), *counts, ("; ", None), other_name, (does, None)]
    does = " never" if never else f" in {_share(other)}"
    return text.removesuffix(" than <OTHER MODEL>"), [(f": {often}", None), *counts, (", ", None), other_name,
                                                      (does, None)]  # fmt: skip


def _shows(levels: tuple[Level, Level]) -> bool:
    """Whether the levels show the difference; a count within as many words of both can differ when they do not."""
    own, other = levels
    return (own.value.value or 0.0) > (other.value.value or 0.0)


def _by_pairs(finding: Finding) -> str:
    shown = metrics_shown(finding)
    if not shown.n:
        return ""
    if shown.n < FEW:
        return f": in {shown.k_for} of {shown.n} pairs, the other way in {shown.k_against}"
    own, other = (percent(k / shown.n) for k in (shown.k_for, shown.k_against))
    return f": in {own} of {shown.n:,} pairs, the other way in {other}"


def _how_often(level: Level) -> tuple[str, list[Piece]]:
    share = level.value.value or 0.0
    if share >= _ALMOST:
        return "every time" if share == 1 else "almost every time", [(f" ({bare_level(level, of=True)})", "count")]
    if level.value.n < FEW:
        return f"in {_share(level)} answers", []
    return f"in {_share(level)} of its answers", [(f" ({bare_level(level, of=True)})", "count")]


def _share(level: Level) -> str:
    return bare_level(level, of=True) if level.value.n < FEW else percent(level.value.value)


def _expected(level: Level) -> str:
    low, high = level.value.low, level.value.high
    if low is None or high is None:
        return "–"
    return f"{percent(low).removesuffix('%')} to {percent(high)}" if low else f"at most {percent(high)}"


def _span(level: Level) -> str:
    low, high = level.value.low, level.value.high
    return "–" if low is None or high is None else f"{number(low)} to {number(high)}"


def _cut(pieces: Sequence[Piece], room: int) -> list[Piece]:
    """The pieces as far as there is room, with an ellipsis where the text was cut; a model's name is not cut in two."""
    if sum(len(text) for text, _ in pieces) <= room:
        return list(pieces)
    kept: list[Piece] = []
    room -= len("…")
    for text, style in pieces:
        if len(text) > room:
            fits = text[: max(room, 1)] if style is None or not kept else ""
            return _with_ellipsis([*kept, (fits, style)] if fits.strip() else kept)
        kept.append((text, style))
        room -= len(text)
    return _with_ellipsis(kept)


def _with_ellipsis(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with an ellipsis behind the last text, which is no part of a model's name."""
    *before, (text, style) = pieces
    return [*before, (text.rstrip(), style), ("…", None)] if style else [*before, (f"{text.rstrip()}…", style)]


def _capitalised(pieces: Sequence[Piece]) -> list[Piece]:
    if not pieces:
        return []
    (text, style), *rest = pieces
    return [(text if style else f"{text[:1].upper()}{text[1:]}", style), *rest]
