"""What the page's script asks while somebody reads a result, answered in HTML."""

from typing import Literal

from diffing.errors import SettingError
from diffing.outputs.html import visible
from diffing.types import Side, Split
from diffing.view.result import result_html
from diffing.view.result.entry_filter import Filter, page_of_entry
from diffing.view.result.evidence import Group, Wanted
from diffing.view.result.report_cache import Opened, Shelf
from diffing.view.router import Answer, Lenient, Number, Question, Router, Text

CHUNK = 20_000
"""Characters of a long text that one click shows."""
LONGEST_WORDS = 200
"""Characters of a search."""


class _Result(Question):
    key: Text = ""


class _Findings(Question):
    number: Number = None
    """Of the finding whose page is wanted, whatever else is chosen."""
    status: Lenient[Literal["confirmed", "not"]] = None
    method: Number = None
    """The place of the choice, here as in all that follow: names may hold what HTML cannot."""
    category: Number = None
    direction: Lenient[Side] = None
    domain: Number = None
    words: Text = ""
    sort: Text = ""
    page: Number = None


class _Evidence(Question):
    number: Number = None
    group: Lenient[Group] = None
    split: Lenient[Split] = None
    domain: Number = None
    words: Text = ""
    page: Number = None


class _LongText(Question):
    place: Number = None
    """Of the pair."""
    of: Text = ""
    """`a`, `b`, `message` or `reply` with a number."""
    at: Number = None
    end: Number = None


def answer(shelf: Shelf, asked: object) -> Answer:
    """Answers one question: a page of findings, a page of evidence, or the next part of a long text.

    Args:
        shelf: Where reports are found.
        asked: As the browser sent it: `key` and `about` (`findings`, `evidence`, `text`), and what each needs.

    Returns:
        `html` or `text`, or `problem` if there is none.
    """
    return _ROUTER.answer(asked, lambda asked: shelf.open(_ROUTER.read(_Result, asked).key))


def _findings(asked: _Findings, opened: Opened) -> Answer:
    number, views = asked.number, opened.page.findings
    if number is not None and 1 <= number <= len(views):
        page = page_of_entry(opened, views[number - 1].finding.hypothesis.id)
        return {"html": result_html.listed(opened, Filter(page=page))}
    wanted = Filter(
        method=_named(asked.method, opened.index.methods),
        category=_named(asked.category, opened.index.categories),
        direction=asked.direction,
        confirmed=None if asked.status is None else asked.status == "confirmed",
        domain=_named(asked.domain, opened.index.domains),
        words=asked.words[:LONGEST_WORDS],
        sort=asked.sort,
        page=asked.page or 0,
    )
    return {"html": result_html.listed(opened, wanted)}


def _evidence(asked: _Evidence, opened: Opened) -> Answer:
    number = asked.number or 0
    if not 1 <= number <= len(opened.page.findings):
        raise SettingError("There is no such finding in this result: reload the page")
    wanted = Wanted(
        group=asked.group,
        split=asked.split,
        domain=_named(asked.domain, opened.index.domains),
        words=asked.words[:LONGEST_WORDS],
        page=asked.page or 0,
    )
    return {"html": result_html.evidence(opened, number, wanted)}


def _next(asked: _LongText, opened: Opened) -> Answer:
    """The next `CHUNK` characters of a prompt, a response or a judge's reply."""
    whole = _whole(opened, asked.place or 0, asked.of)
    at, end = asked.at or 0, asked.end or 0
    until = min(at + CHUNK, end, len(whole))
    return {"text": visible(whole[at:until]), "left": max(min(end, len(whole)) - until, 0)}


def _whole(opened: Opened, place: int, of: str) -> str:
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


def _named(place: int | None, names: tuple[str, ...]) -> str | None:
    return names[place] if place is not None and place < len(names) else None


_ROUTER: Router[Opened] = Router(
    "a result",
    {"findings": (_Findings, _findings), "evidence": (_Evidence, _evidence), "text": (_LongText, _next)},
)
