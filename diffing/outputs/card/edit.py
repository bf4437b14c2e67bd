"""A section's place in a card. Works on bytes: what is outside the section stays as it is.

Knows neither what the section says nor where the card is kept.
"""

import re
from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.hub import MOST_CARD, MetadataError, front_matter, pairs_in
from diffing.outputs.card.markers import NAME, OPT_OUT, Marker, ParsedBody, body_of, digest, hash_in, unified

_OFF_AS_TEXT = re.compile(rf"\b{NAME}:\s*['\"]?(?:off|false|no)\b", re.IGNORECASE)
_WANTED = ("on", "true", "yes", "y")
"""What a card's own `model-diff` may say beside which a section is written; in doubt none is."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff")


class OptedOutError(SettingError):
    """The card asks not to have a section."""


@dataclass(frozen=True, slots=True)
class _Card:
    """A card, cut into lines."""

    front: bytes
    """The byte order mark and the YAML block with its fences, as far as there are such."""
    lines: tuple[bytes, ...]
    """The rest, line by line, each with its ending."""
    body: ParsedBody
    """What the rest holds."""
    off: bool
    """Whether the card asks not to have a section, in a comment outside code or as `model-diff: off` in its YAML.

    There in any spelling; anything but `on` counts, and so does YAML that names it and cannot be read.
    """

    @property
    def markers(self) -> tuple[Marker, ...]:
        """Those of sections."""
        return tuple(mark for mark in self.body.markers if mark.kind != "off")

    def number(self, line: int) -> int:
        """A line of the body as people count it in the file."""
        return len(_LINE_END.findall(self.front)) + line + 1


def edit(readme: bytes, section: str) -> bytes:
    """The card with the section: in place of the section that is there, else at the end.

    Args:
        readme: The card as it is; empty where there is none.
        section: From `section`. It gets the line endings of the card.

    Returns:
        The card; the same bytes where it has this section already.

    Raises:
        OptedOutError: The card asks not to have one.
        SettingError: It cannot be told what belongs to the section (markers unbalanced, doubled, in the wrong order or
            in the middle of a line), a person edited it, the card ends inside of something, is not UTF-8, or is longer
            than a card is.
    """
    card = _read(readme)
    if card.off:
        raise OptedOutError(f"The card asks for no such section ({OPT_OUT}): nothing was written")
    place = _place(card)
    if place is None:
        return _appended(card, section)
    begin, end = place
    old = [unified(line.decode()) for line in card.lines[begin : end + 1]]
    if hash_in(old[0]) != digest("".join(old[1:-1])):
        raise SettingError(
            f"The section in the card (from line {card.number(begin)}) was edited by hand: nothing was written. Remove "
            f"it to have it written anew, or keep it and add {OPT_OUT}"
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
    """Whether YAML asks for no section: read as YAML, since its keys and values have many spellings."""
    if _OFF_AS_TEXT.search(metadata):
        return True
    named = NAME in metadata.casefold()
    if not (named or "\\" in metadata):  # without an escape no spelling hides the name
        return False
    try:
        asked = [value for key, value in pairs_in(metadata) if key.strip().casefold() == NAME]
    except MetadataError:
        return named
    return any(value is None or value.strip().casefold() not in _WANTED for value in asked)


def _place(card: _Card) -> tuple[int, int] | None:
    """First and last line of the section; None where there is none."""
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
            "is left of the section, markers included, to have it written anew"
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
    """A card that ends in an open code block or comment would swallow the section, and get another one next time."""
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
    """The line ending that most lines have; a line feed where there are none."""
    endings = _LINE_END.findall(text)
    return max((b"\n", b"\r\n", b"\r"), key=endings.count)


def _with_endings(section: str, ending: bytes) -> bytes:
    return section.encode().replace(b"\n", ending)
