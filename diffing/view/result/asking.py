"""What the page's script asks while somebody reads a result: parsed, answered in HTML. Believes nothing it is sent."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, TypeVar

from diffing.errors import DiffingError, SettingError
from diffing.outputs.html import visible
from diffing.view.result import made
from diffing.view.result.choice import Filter, page_of_entry
from diffing.view.result.evidence import GROUPS, Wanted
from diffing.view.result.shelf import Opened, Shelf

CHUNK = 20_000
"""Characters of a long text that one click shows."""
LONGEST_WORDS = 200
"""Characters of a search."""
Asked: TypeAlias = Mapping[str, object]
Answer: TypeAlias = dict[str, str | int]
_Choice = TypeVar("_Choice", bound=str)


def answer(shelf: Shelf, asked: object) -> Answer:
    """Answers one question: a page of findings, a page of evidence, or the next part of a long text.

    Args:
        shelf: Where reports are found.
        asked: As the browser sent it: `key` and `about` (`findings`, `evidence`, `text`), and what each needs.

    Returns:
        `html` or `text`, or `problem` where there is none.
    """
    try:
        if not isinstance(asked, dict):
            raise SettingError("Expected a question about a result, got something else: reload the page")
        opened = shelf.open(_text(asked, "key"))
        about = {"findings": _findings, "evidence": _evidence, "text": _next}.get(_text(asked, "about"))
        if about is None:
            raise SettingError("Expected a question about findings, evidence or text: reload the page")
        return about(opened, asked)
    except DiffingError as error:
        return {"problem": visible(str(error))}


def _findings(opened: Opened, asked: Asked) -> Answer:
    number = _number(asked, "number")
    views = opened.page.findings
    if number is not None and 1 <= number <= len(views):
        page = page_of_entry(opened, views[number - 1].finding.hypothesis.id)
        return {"html": made.listed(opened, Filter(page=page))}
    status = _one_of(asked, "status", ("confirmed", "not"))
    wanted = Filter(
        method=_named(asked, "method", opened.index.methods),
        category=_named(asked, "category", opened.index.categories),
        direction=_one_of(asked, "direction", _SIDES),
        confirmed=None if status is None else status == "confirmed",
        domain=_named(asked, "domain", opened.index.domains),
        words=_text(asked, "words"),
        sort=_text(asked, "sort"),
        page=_number(asked, "page") or 0,
    )
    return {"html": made.listed(opened, wanted)}


_SIDES: tuple[Literal["a"], Literal["b"]] = ("a", "b")
_SPLITS: tuple[Literal["train"], Literal["heldout"]] = ("train", "heldout")


def _evidence(opened: Opened, asked: Asked) -> Answer:
    number = _number(asked, "number") or 0
    if not 1 <= number <= len(opened.page.findings):
        raise SettingError("There is no such finding in this result: reload the page")
    wanted = Wanted(
        group=_one_of(asked, "group", GROUPS),
        split=_one_of(asked, "split", _SPLITS),
        domain=_named(asked, "domain", opened.index.domains),
        words=_text(asked, "words"),
        page=_number(asked, "page") or 0,
    )
    return {"html": made.evidence(opened, number, wanted)}


def _next(opened: Opened, asked: Asked) -> Answer:
    """The next `CHUNK` characters of a prompt, a response or a judge's reply."""
    whole = _whole(opened, _number(asked, "place") or 0, _text(asked, "of"))
    at, end = _number(asked, "at") or 0, _number(asked, "end") or 0
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


def _text(asked: Asked, name: str) -> str:
    value = asked.get(name)
    return value[:LONGEST_WORDS] if isinstance(value, str) else ""


def _number(asked: Asked, name: str) -> int | None:
    value = asked.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


def _one_of(asked: Asked, name: str, choices: tuple[_Choice, ...]) -> _Choice | None:
    return next((choice for choice in choices if choice == asked.get(name)), None)


def _named(asked: Asked, name: str, names: tuple[str, ...]) -> str | None:
    """The choice whose place was sent; names may hold what HTML cannot."""
    place = _number(asked, name)
    return names[place] if place is not None and place < len(names) else None
