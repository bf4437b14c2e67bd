"""Splits a model's thinking (such as `<think>...</think>`) off its answer, for all notations in common use.

Only blocks at the beginning of a text or a line count, so an answer that mentions the tags in a sentence keeps them.
Tags that are plain words, which people also use to structure an answer (`<reasoning>`), count only at the beginning of
the text. Inside a code fence of an answer no tag counts, because it is quoted there. Every step runs in time linear in
the length of the text, whatever it contains.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from diffing.models.channels import split_channels
from diffing.models.frames import split_frame

_MARKED = (
    ("<think>", "</think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<unused94>thought", "<unused95>"),
    ("<|channel>thought", "<channel|>"),
)
"""Tags of DeepSeek, Qwen and most others; Mistral; Kimi; Seed; LongCat; OpenThinker; Command; MedGemma; Gemma 4."""
_WORDS = tuple((f"<{word}>", f"</{word}>") for word in ("thinking", "thought", "thoughts", "reasoning"))
_PAIRS = (*_MARKED, *_WORDS)
_WRAPPERS = (("<|begin_of_solution|>", "<|end_of_solution|>"), ("<|START_RESPONSE|>", "<|END_RESPONSE|>"))
"""Tags that OpenThinker and Command put around the answer after the thinking."""
MARKS = (*(mark for pair in (*_PAIRS, *_WRAPPERS) for mark in pair), "<unused94>", "<|channel>")
"""All tags of all notations; in a tokenizer some of them are special tokens."""

_KINDS = {mark.lower(): (pair[0], mark == pair[0]) for pair in _PAIRS for mark in pair}
_TAG = re.compile("|".join(map(re.escape, sorted(_KINDS, key=len, reverse=True))), re.IGNORECASE)
_OF_WORDS = frozenset(opening for opening, _ in _WORDS)
_LINES_END = re.compile(r"[ \t]*(?:\r?\n)*")
_FENCE = re.compile(r"^[ \t]{0,12}(`{3,}(?=[^`\n]*$)|~{3,})([^\n]*)$", re.MULTILINE)
_CLOSES_A_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
_LIKE_THINKING = re.compile(
    r"\s{0,100}("
    r"<\|?/?[\w:.|-]{0,30}(?:think|thought|reason|reflect|scratchpad|monologue|ponder|deliberat|analysis)[\w:.|-]{0,30}"
    r"(?: [^<>\n]{0,60})?>"
    r"|\[/?[\w ]{0,20}(?:think|thought|reason|reflect|scratchpad)[\w ]{0,20}\]"
    r"|◁[^▷\n]{0,40}▷|<\|channel\|?>|(?:assistant)?analysis(?=[A-Z]))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Tag:
    """One opening or closing tag in a text."""

    kind: str
    opens: bool
    start: int
    end: int
    leads: bool
    """For an opening tag: whether it begins the text or a line, or directly follows such a tag. For a closing tag:
    whether it closes such a tag."""


class _Fences:
    """Finds out whether positions of a text are inside a code fence; positions must be queried in ascending order."""

    def __init__(self, text: str) -> None:
        self._lines = list(_FENCE.finditer(text))
        self._next = 0
        self._open = ""

    def restart(self, at: int) -> None:
        """Treats all fences before a position as closed."""
        self.inside(at)
        self._open = ""

    def inside(self, position: int) -> bool:
        """Whether a fence is open at a position."""
        while self._next < len(self._lines) and self._lines[self._next].start() < position:
            if not self._open:
                self._open = self._lines[self._next][1]
            elif self._closes_next():
                self._open = ""
            self._next += 1
        return bool(self._open)

    def inside_whole(self, position: int) -> bool:
        """Whether a fence is open at a position and the next fence line closes it."""
        return self.inside(position) and self._closes_next()

    def _closes_next(self) -> bool:
        if self._next == len(self._lines):
            return False
        marks, rest = self._lines[self._next].groups()
        return marks.startswith(self._open) and not rest.strip()


def split_thinking(text: str) -> tuple[str, str | None]:
    """Splits text into the answer and the thinking.

    Args:
        text: The output of a model.

    Returns:
        The text without its thinking blocks, and the content of these blocks (None if there are none). Blocks may be
        nested. An unclosed block at the beginning is all thinking, and the answer is empty. A closing tag without an
        opening one, which was part of the prompt, ends the thinking.
    """
    if (channels := split_channels(text)) is not None:
        return channels
    rest, framed = split_frame(text)
    answer, tagged = _split_tags(rest)
    thoughts = [thought for thought in (framed, tagged) if thought is not None]
    return answer, _joined(thoughts) if thoughts else None


def _split_tags(text: str) -> tuple[str, str | None]:
    tags = _tags(text)
    if not tags:
        return text, None
    at, thoughts = _opened_before(text, tags)
    ends = _ends(tags)
    kept: list[str] = []
    blank = True
    fences = _Fences(text)
    fences.restart(at)
    for i, tag in enumerate(tags):
        if not tag.opens or tag.start < at or not (tag.leads or tag.start == at):
            continue
        if fences.inside(tag.start):
            continue
        before = text[at : tag.start]
        opens_text = blank and not before.strip()
        end = ends[i]
        if (tag.kind in _OF_WORDS or end is None) and not opens_text:
            continue
        if end is None:
            return "", _joined([*thoughts, text[tag.end :]])
        kept.append("" if opens_text else before.rstrip(" \t"))
        blank = opens_text
        thoughts.append(text[tag.end : end.start])
        at = _after(text, end.end)
        fences.restart(at)
    if not thoughts:
        return text, None
    return _unwrapped("".join(kept) + text[at:]), _joined(thoughts)


def opened_thinking(prompt: str) -> str:
    """The opening tag at the end of a prompt, if the chat template opens the thinking itself; else empty."""
    end = prompt.rstrip()
    return next((opening for opening, _ in _PAIRS if end.endswith(opening)), "")


def unknown_thinking(answer: str) -> str | None:
    """A tag in an answer that suggests thinking which was not split off; None if there is none.

    This is a tag in an unknown notation at the beginning, or a closing tag without an opening one anywhere.
    """
    if found := _LIKE_THINKING.match(answer):
        return found[1]
    first = _TAG.search(answer)
    return first[0] if first and not _KINDS[first[0].lower()][1] else None


def _tags(text: str) -> list[_Tag]:
    tags: list[_Tag] = []
    depth: dict[str, int] = {}
    for found in _TAG.finditer(text):
        kind, opens = _KINDS[found[0].lower()]
        before = found.start()
        last = tags[-1].end if tags else 0
        while before > last and text[before - 1] in " \t":
            before -= 1
        if opens:
            follows = before == last and tags[-1].leads if tags else not text[:before].strip()
            leads = follows or before == 0 or text[before - 1] == "\n"
        else:
            leads = depth.get(kind, 0) > 0
        depth[kind] = depth.get(kind, 0) + leads * (1 if opens else -1)
        tags.append(_Tag(kind, opens, found.start(), found.end(), leads))
    return tags


def _opened_before(text: str, tags: Sequence[_Tag]) -> tuple[int, list[str]]:
    """Splits off thinking that the prompt opened: the position after a closing tag that ends a line, and the text."""
    fences = _Fences(text)
    for tag in tags:
        if tag.opens:
            break
        if _CLOSES_A_LINE.match(text, tag.end) and not fences.inside_whole(tag.start):
            return _after(text, tag.end), [text[: tag.start]]
    return 0, []


def _ends(tags: Sequence[_Tag]) -> list[_Tag | None]:
    """For each opening tag, the tag that closes its block: its matching tag, else the next closing tag of its kind."""
    open_ones: dict[str, list[int]] = {}
    partners: dict[int, _Tag] = {}
    for i, tag in enumerate(tags):
        waiting = open_ones.setdefault(tag.kind, [])
        if tag.opens and tag.leads:
            waiting.append(i)
        elif tag.leads:
            partners[waiting.pop()] = tag
    following: dict[str, _Tag] = {}
    ends: list[_Tag | None] = [None] * len(tags)
    for i in range(len(tags) - 1, -1, -1):
        if tags[i].opens:
            ends[i] = partners.get(i) or following.get(tags[i].kind)
        else:
            following[tags[i].kind] = tags[i]
    return ends


def _after(text: str, end: int) -> int:
    """The position where the text continues after a closing tag, past trailing blanks and empty lines."""
    found = _LINES_END.match(text, end)
    return found.end() if found else end


def _joined(thoughts: Sequence[str]) -> str:
    return "\n\n".join(thought.strip() for thought in thoughts)


def _unwrapped(answer: str) -> str:
    for opening, closing in _WRAPPERS:
        if answer.lstrip().startswith(opening):
            return answer.lstrip().removeprefix(opening).lstrip("\r\n").rstrip().removesuffix(closing).rstrip()
    return answer
