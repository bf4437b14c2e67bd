"""Inserts or replaces the section in the bytes of a model card; everything outside the section stays unchanged."""

import re
from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.hub import MOST_CARD, MetadataError, front_matter, pairs_in
from diffing.outputs.card.markers import NAME, OPT_OUT, CardMarker, ParsedBody, body_of, digest, hash_in, unified

_OFF_AS_TEXT = re.compile(rf"\b{NAME}:\s*['\"]?(?:off|false|no)\b", re.IGNORECASE)
_OPT_IN = ("on", "true", "yes", "y")
"""Values of `model-diff` in a card's YAML that allow a section; any other value forbids it."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


class OptedOutError(SettingError):
    """The card opts out of the section."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A card, split into its front matter and lines."""

    front: bytes
    """The byte order mark and the YAML block with its fences; empty if there is neither."""
    lines: tuple[bytes, ...]
    """The rest, line by line, each with its line ending."""
    body: ParsedBody
    """The markers and open elements of the rest."""
    off: bool
    """Whether the card opts out, in a comment outside code or with `model-diff: off` in its YAML.

    Every value other than those of `_OPT_IN` counts, and so does YAML that contains the name and cannot be parsed.
    """

    @property
    def markers(self) -> tuple[CardMarker, ...]:
        """The markers that begin or end a section."""
        return tuple(mark for mark in self.body.markers if mark.kind != "off")

    def number(self, line: int) -> int:
        """Returns the line number in the file, from 1, for a line of the body."""
        return len(_LINE_END.findall(self.front)) + line + 1


def edit(readme: bytes, section: str) -> bytes:
    """Puts the section in place of the existing one, or else at the end of the card.

    Args:
        readme: The present card; empty if there is none.
        section: The text from `section`. It gets the line endings of the card.

    Returns:
        The new card; the same bytes if it has this section already.

    Raises:
        OptedOutError: The card opts out.
        SettingError: The markers are ambiguous (unbalanced, doubled, in the wrong order or in the middle of a line), a
            person edited the section, the card ends inside an open element, is not UTF-8, or is too long.
    """
    card = _read(readme)
    if card.off:
        raise OptedOutError(f"The card opts out of this section ({OPT_OUT}): nothing was written")
    place = _place(card)
    if place is None:
        return _appended(card, section)
    begin, end = place
    old = [unified(line.decode()) for line in card.lines[begin : end + 1]]
    if hash_in(old[0]) != digest("".join(old[1:-1])):
        raise SettingError(
            f"The section in the card (from line {card.number(begin)}) was edited by hand: nothing was written. Remove "
            f"it to get a new one, or keep it and add {OPT_OUT}"
        )
    if "".join(old).rstrip() == section:
        return readme
    outside = card.front + b"".join((*card.lines[:begin], *card.lines[end + 1 :]))
    last = card.lines[end]
    kept = last[len(last.rstrip(b"\r\n")) :]
    new = _with_endings(section, _ending(outside)) + kept
    return card.front + b"".join((*card.lines[:begin], new, *card.lines[end + 1 :]))


def _read(readme: bytes) -> _Card:
    if readme.startswith(_OTHER_ENCODINGS):
        raise SettingError("The card is not in UTF-8 (it begins like UTF-16): nothing was written. Save it as UTF-8")
    if len(readme) > MOST_CARD:
        raise SettingError(
            f"The card has {len(readme) / 1e6:,.1f} MB: expected at most {MOST_CARD / 1e6:g} MB. Nothing was written"
        )
    try:
        text = readme.decode()
    except UnicodeDecodeError as error:
        raise SettingError(
            f"The card is not in UTF-8 (byte {error.start}): nothing was written. Save it as UTF-8"
        ) from None
    found = front_matter(text)
    front = found.whole.encode() if found else _BYTE_ORDER_MARK if readme.startswith(_BYTE_ORDER_MARK) else b""
    ends = [found.end() for found in _LINE_END.finditer(readme, len(front))]
    starts = [len(front), *ends]
    lines = [readme[start:end] for start, end in zip(starts, [*ends, len(readme)], strict=True)]
    body = body_of(readme[len(front) :].decode())
    off = any(mark.kind == "off" for mark in body.markers) or (found is not None and _off_in(found.yaml))
    return _Card(front, tuple(line for line in lines if line), body, off)


def _off_in(metadata: str) -> bool:
    """Whether the YAML opts out; it is parsed, because YAML keys and values have many spellings."""
    if _OFF_AS_TEXT.search(metadata):
        return True
    named = NAME in metadata.casefold()
    if not (named or "\\" in metadata):  # only an escape could hide the name
        return False
    try:
        values = [value for key, value in pairs_in(metadata) if key.strip().casefold() == NAME]
    except MetadataError:
        return named
    return any(value is None or value.strip().casefold() not in _OPT_IN for value in values)


def _place(card: _Card) -> tuple[int, int] | None:
    """Returns the first and last line of the section; None if there is no section."""
    markers = card.markers
    if not markers:
        return None
    kinds = [marker.kind for marker in markers]
    where = ", ".join(str(card.number(marker.line)) for marker in markers[:6])
    problem = None
    if kinds.count("begin") != kinds.count("end"):
        problem = "a begin or an end is missing"
    elif len(markers) > 2:
        problem = "there is more than one section"
    elif kinds == ["end", "begin"]:
        problem = "the end comes before the begin"
    elif not all(marker.alone for marker in markers):
        problem = "a marker shares its line with something else"
    if problem:
        raise SettingError(
            f"The {NAME} markers of the card (line {where}) are ambiguous: {problem}. Nothing was written. Remove what "
            "is left of the section, markers included, to get a new one"
        )
    return markers[0].line, markers[1].line


def _appended(card: _Card, section: str) -> bytes:
    readme = card.front + b"".join(card.lines)
    ending = _ending(readme)
    gap = b""
    last = card.lines[-1] if card.lines else card.front.removeprefix(_BYTE_ORDER_MARK)
    if last.strip():
        gap = ending if last.endswith((b"\r", b"\n")) else ending * 2
    elif last and not last.endswith((b"\r", b"\n")):
        gap = ending
    new = readme + gap + _with_endings(section, ending) + ending
    _check_seen(card, new)
    return new


def _check_seen(card: _Card, new: bytes) -> None:
    """Makes sure that the new section can be read back: within an open code block or comment it would be lost."""
    written = _read(new)
    markers = written.markers
    where = "a code block, HTML or YAML"
    if written.front.rstrip() == card.front.rstrip() and len(markers) == 2 and markers[0].first:
        if card.body.left_open is None:
            return
        where = f"<{card.body.left_open}>"
    raise SettingError(
        f"The card ends inside {where} that is not closed: a section after it would be part of it. Nothing was "
        "written. Close it first"
    )


def _ending(text: bytes) -> bytes:
    """Returns the most frequent line ending; a line feed if there is none."""
    endings = _LINE_END.findall(text)
    return max((b"\n", b"\r\n", b"\r"), key=endings.count)


def _with_endings(section: str, ending: bytes) -> bytes:
    return section.encode().replace(b"\n", ending)
