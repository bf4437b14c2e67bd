"""Answers the result view's script with HTML: pages of findings, pages of evidence, and the rest of long texts."""

from typing import TypeVar

from diffing.errors import SettingError
from diffing.outputs.blocks import ShownBlock
from diffing.outputs.html import visible
from diffing.types import Side, Split
from diffing.view.result import result_html
from diffing.view.result.entry_filter import EntryFilter, filter_for
from diffing.view.result.evidence_pages import EvidenceFilter, Group
from diffing.view.result.report_cache import OpenedReport, ReportCache
from diffing.view.router import Lenient, Number, PageQuestion, Reply, Router, Text

CHUNK = 20_000
"""Number of characters of a long text that one click adds."""
LONGEST_WORDS = 200
"""Maximum number of characters of a search."""


Name = TypeVar("Name")


class _ResultQuestion(PageQuestion):
    key: Text = ""


class _FindingsQuestion(PageQuestion):
    number: Number = None
    """The number of a finding. If it is given, the page with that finding is returned and all filters are ignored."""
    finding: Text = ""
    """The id of a finding's hypothesis, which may stand in place of its number."""
    block: Lenient[ShownBlock] = None
    """The part of the list. If it is given, only that part is returned."""
    method: Number = None
    """The index of the choice, as in the following fields, because names may hold characters that HTML cannot."""
    category: Number = None
    direction: Lenient[Side] = None
    where: Number = None
    words: Text = ""
    sort: Text = ""
    page: Number = None


class _EvidenceQuestion(PageQuestion):
    number: Number = None
    group: Lenient[Group] = None
    split: Lenient[Split] = None
    kind: Number = None
    words: Text = ""
    page: Number = None


class _LongTextQuestion(PageQuestion):
    place: Number = None
    """The index of the pair."""
    of: Text = ""
    """Which text: `a`, `b`, or `message` or `reply` with a number."""
    at: Number = None
    end: Number = None


def answer(cache: ReportCache, raw: object) -> Reply:
    """Answers one question: a page of findings, a page of evidence, or the next part of a long text.

    Args:
        cache: Finds reports by their keys.
        raw: The question as the browser sent it: `key`, `about` (`findings`, `evidence`, or `text`), and the fields of
            that kind.

    Returns:
        `html` or `text`; or `problem` if the question cannot be answered.
    """
    return _ROUTER.answer(raw, lambda raw: cache.open(_ROUTER.read(_ResultQuestion, raw).key))


def _findings(question: _FindingsQuestion, opened: OpenedReport) -> Reply:
    number = opened.index.numbers.get(question.finding) or question.number or 0
    if 1 <= number <= len(opened.page.findings):
        return {"html": result_html.listed(opened, filter_for(opened, number)), "number": number}
    if question.finding:
        raise SettingError("There is no such finding in this result any more: it was tested anew")
    filters = EntryFilter(
        method=_named(question.method, opened.index.methods),
        category=_named(question.category, opened.index.categories),
        direction=question.direction,
        block=question.block or "differences",
        where=_named(question.where, opened.page.places),
        words=question.words[:LONGEST_WORDS],
        sort=question.sort,
        page=question.page or 0,
    )
    return {"html": (result_html.part if question.block else result_html.listed)(opened, filters)}


def _evidence(question: _EvidenceQuestion, opened: OpenedReport) -> Reply:
    number = question.number or 0
    if not 1 <= number <= len(opened.page.findings):
        raise SettingError("There is no such finding in this result: reload the page")
    filters = EvidenceFilter(
        group=question.group,
        split=question.split,
        kind=_named(question.kind, opened.page.map.kinds),
        words=question.words[:LONGEST_WORDS],
        page=question.page or 0,
    )
    return {"html": result_html.evidence(opened, number, filters)}


def _next(question: _LongTextQuestion, opened: OpenedReport) -> Reply:
    """The next `CHUNK` characters of a prompt, a response or a judge's reply."""
    whole = _whole(opened, question.place or 0, question.of)
    at, end = question.at or 0, question.end or 0
    until = min(at + CHUNK, end, len(whole))
    return {"text": visible(whole[at:until]), "left": max(min(end, len(whole)) - until, 0)}


def _whole(opened: OpenedReport, place: int, of: str) -> str:
    if place >= len(opened.report.pairs):
        raise SettingError("There is no such pair in this result: reload the page")
    pair = opened.report.pairs[place]
    if of in ("a", "b"):
        return pair.response("a" if of == "a" else "b").text
    kind, _, index = of.partition(" ")
    at = int(index) if index.isascii() and index.isdecimal() and len(index) < 10 else -1
    if kind == "message" and 0 <= at < len(pair.prompt.messages):
        return pair.prompt.messages[at].content
    if kind == "reply" and 1 <= at <= len(opened.page.findings):
        judged = opened.index.verdict(opened.page.findings[at - 1].finding.hypothesis.id, pair.prompt.id)
        return (judged.reply or "") if judged else ""
    raise SettingError("There is no such text in this result: reload the page")


def _named(place: int | None, names: tuple[Name, ...]) -> Name | None:
    return names[place] if place is not None and place < len(names) else None


_ROUTER: Router[OpenedReport] = Router(
    "a result",
    {
        "findings": (_FindingsQuestion, _findings),
        "evidence": (_EvidenceQuestion, _evidence),
        "text": (_LongTextQuestion, _next),
    },
)
