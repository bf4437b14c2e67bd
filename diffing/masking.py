"""The one place where secrets are kept out of what is stored or shown. Knows no server, no model and no report.

Secrets that this process uses (keys, tokens) are told to it, or stand in the environment; they are found as they are
and in the forms in which a server echoes them: coded, with something between their letters, or cut. Messages are also
rid of what merely has the form of a credential.
"""

import base64
import functools
import html
import json
import logging
import os
import re
import sys
from collections.abc import Sequence
from urllib.parse import quote

MASK = "***"
"""What stands in a secret's place."""
_VARIABLES = ("DIFFING_API_KEY", "OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Where the environment holds secrets that are sent to servers."""
_SHORTEST = 8
"""Characters; a shorter word is no secret, but put where a server wants any key (`none`, `EMPTY`), and would be found
in many words."""
_SHORTEST_MIXED = 6
"""The same of what is more than letters or digits (`abc123`); it is masked in messages alone."""
_PLACEHOLDER_LENGTH = 20
"""A key without a digit that is shorter is a word put where a server wants any key: `not-needed`, `lm-studio`."""
_MOST_KNOWN = 256
"""Secrets remembered: a page that lives for months acts for many visitors."""
_known: dict[str, None] = {}

_LONG = 16
"""Characters of a secret that is found when it is broken up or cut: what is shorter may be put together by chance."""
_CUT = 8
"""Characters of a secret with which a server's own cut of it (`sk-abcde...`) begins at least."""
_CUT_IN_DATA = 14
"""The same in a model's answer: more than the beginnings that are public, such as `sk-ant-api03-`."""
_GAP = r"[\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffd]"
_GAPS = re.compile(_GAP)
"""What may stand between letters unseen: blanks, line breaks, NUL (UTF-16 read as bytes), signs without a width."""
_ESCAPES = re.compile(
    r"\\{1,8}(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|x([0-9a-f]{2})|[nrt0]|/|(?=\r?\n))"
    r"|%(?:25){0,4}([0-9a-f]{2})"
    r"|&(?:amp;){0,4}(?:#x([0-9a-f]{1,8})|(#[0-9]{1,8}|[a-z]{2,8}));"
    r"|<wbr ?/?>",
    re.IGNORECASE,
)
"""One character, written otherwise."""
_BETWEEN_DIGITS = re.compile(rf"{_GAP}|[:,;._-]")
_BEFORE_DIGITS = re.compile(r"0x|\\x", re.IGNORECASE)
_REST_OF_RUN = r"[\w.~+/=%*•●…-]*"

_VALUE = r"[^\s'\",;&<>]"
_SHAPES = (
    re.compile(
        r"(?i)(\b(?:proxy-)?authorization\b['\"]?\s{0,4}[:=]\s{0,4}['\"]?)(?:(?:bearer|basic|token)\s{1,4})?"
        + _VALUE
        + "+"
    ),
    re.compile(r"(?i)(\b(?:bearer|basic)\s{1,4})(?=[^\s'\"]{0,200}\d)[\w.~+/=%-]{8,}"),
    re.compile(
        r"(?i)((?<![a-z])(?:x-api-key|api[-_]?key|(?:access|refresh|auth|hf)[-_]token|client[-_]secret|password|passwd"
        rf"|set-cookie|cookie|session[-_]?id)\b['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]?)(?={_VALUE}{{0,200}}\d|{_VALUE}{{16}}){_VALUE}+"
    ),
    re.compile(r"(?i)([?&](?:key|token|sig|signature|auth|secret)=)[^\s'\"&#<>]+"),
    re.compile(r"(://)[^\s/@'\"<>]{1,500}(?=@)"),
    re.compile(r"((?<![\w-]))(?:sk|pk|rk|gsk|xai|nvapi|pplx|r8)[-_][A-Za-z0-9_-]{16,}"),
    re.compile(r"((?<!\w))(?:hf|hf_oauth|api_org|ghp|gho|github_pat)_[A-Za-z0-9]{16,}"),
    re.compile(r"((?<![\w-]))(?:AIza[\w-]{30,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{10,}\.[\w-]{8,}(?:\.[\w-]+)?)"),
)
"""Credentials by their form; what the first group holds stays. Each reads a text in time linear in its length."""


def keep_secret(secret: str) -> None:
    """Remembers a secret that this process uses, so that it is masked from here on."""
    if _may_be_secret(secret):
        _known.pop(secret, None)
        _known[secret] = None
        while len(_known) > _MOST_KNOWN:
            del _known[next(iter(_known))]


def masked(text: str, *, data: bool = False) -> str:
    """The text without secrets.

    Args:
        text: From anywhere; mask before it is cut, since half a secret is not found.
        data: The text is what a model wrote, which is measured: only secrets that are known are masked, and of these
            none that is an ordinary word.
    """
    secrets = [secret for secret in _secrets() if not data or _is_no_word(secret)]
    text = _without_forms(text, secrets)
    text = _without_scattered(text, [secret for secret in secrets if _is_no_phrase(secret, data=data)])
    text = _without_cuts(text, secrets, data=data)
    if not data:
        for shape in _SHAPES:
            text = shape.sub(rf"\g<1>{MASK}", text)
    return text


class MaskingFormatter(logging.Formatter):
    """Messages of a log, tracebacks included, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record, masked."""
        return masked(super().format(record))


def _secrets() -> list[str]:
    """All known secrets, the longest first: one may be a part of another."""
    here = [os.environ.get(name, "").strip() for name in _VARIABLES]
    return sorted({*_known, *filter(_may_be_secret, here)}, key=len, reverse=True)


def _without_forms(text: str, secrets: Sequence[str]) -> str:
    lower = text.lower()
    for secret in secrets:
        forms = _forms(secret)
        if any(form in lower for form in forms):  # much quicker than the pattern, and there is hardly ever one
            text = re.sub("|".join(map(re.escape, forms)), MASK, text, flags=re.IGNORECASE)
            lower = text.lower()
    return text


def _without_scattered(text: str, secrets: Sequence[str]) -> str:
    """Masks secrets with something between their letters, or whose letters are written as escapes or numbers."""
    if not secrets:
        return text
    letters = [form for secret in secrets for form in _forms(secret)]
    text = _without_runs(text, letters, _ESCAPES, _GAPS)
    numbers = [form for secret in secrets for form in _numbers(secret)]
    return _without_runs(text, numbers, _BEFORE_DIGITS, _BETWEEN_DIGITS)


def _without_runs(text: str, wanted: Sequence[str], escapes: re.Pattern[str], gaps: re.Pattern[str]) -> str:
    """Masks what reads as one of the wanted texts, in lower case, once escapes are read and gaps are left out."""
    read = gaps.sub("", escapes.sub(_unescaped, text)).lower()
    found = [each for each in wanted if each in read]
    if not found:
        return text
    letters, spans = _letters(text, escapes, gaps)
    inside: list[tuple[int, int]] = []
    for each in found:
        at = letters.find(each)
        while at >= 0:
            inside.append((spans[at][0], spans[at + len(each) - 1][1]))
            at = letters.find(each, at + len(each))
    kept: list[str] = []
    end = 0
    for start, stop in sorted(inside):
        if start >= end:
            kept += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _letters(text: str, escapes: re.Pattern[str], gaps: re.Pattern[str]) -> tuple[str, list[tuple[int, int]]]:
    """The letters of a text in lower case without what stands between them, and where each stands in the text."""
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    at = 0
    for found in [*escapes.finditer(text), None]:
        units = [(text[i], i, i + 1) for i in range(at, found.start() if found else len(text))]
        if found:
            at = found.end()
            units += [(char, found.start(), at) for char in _unescaped(found)]
        for char, start, end in units:
            if not gaps.match(char):
                lower = char.lower()
                letters.append(lower)
                spans += [(start, end)] * len(lower)
    return "".join(letters), spans


def _unescaped(found: re.Match[str]) -> str:
    """The character that an escape stands for; nothing for what only parts letters."""
    *codes, entity = found.groups() or (None,)
    if entity:
        return html.unescape(f"&{entity};")
    code = next((code for code in codes if code), None)
    if code is None:
        return "/" if found[0].endswith("\\/") else ""
    return chr(number) if (number := int(code, 16)) <= sys.maxunicode else ""


def _without_cuts(text: str, secrets: Sequence[str], *, data: bool) -> str:
    """Masks a secret that a server cut or masked in part itself, with the rest of that run of characters."""
    lower = text.lower()
    for secret in secrets:
        begins = _beginning(secret, data=data)
        if begins and begins.lower() in lower:
            text = re.sub(rf"(?<![^\W_]){re.escape(begins)}{_REST_OF_RUN}", MASK, text, flags=re.IGNORECASE)
            lower = text.lower()
    return text


def _beginning(secret: str, *, data: bool) -> str | None:
    """The shortest beginning of a long secret that is no word; None where it has none that is less than the whole."""
    if len(secret) < _LONG or not _is_no_word(secret):
        return None
    for length in range(_CUT_IN_DATA if data else _CUT, len(secret)):
        begins = secret[:length]
        mixed = any(char.isdigit() for char in begins) and any(char.isalpha() for char in begins)
        if mixed or (not data and not _like_a_word(begins)):
            return begins
    return None


def _like_a_word(text: str) -> bool:
    return text.isalpha() and text in (text.lower(), text.upper(), text.title())


def _is_no_phrase(secret: str, *, data: bool) -> bool:
    """Whether to find its letters apart from each other means that it was echoed."""
    if not data:
        return _is_no_word(secret)
    mixed = any(char.isdigit() for char in secret) and any(char.isalpha() for char in secret)
    return mixed and len(secret) >= _LONG


def _may_be_secret(text: str) -> bool:
    return len(text) >= (_SHORTEST if text.isalpha() or text.isdigit() else _SHORTEST_MIXED)


def _is_no_word(secret: str) -> bool:
    """Whether to find it in a model's answer means that it was echoed."""
    if len(secret) < _SHORTEST:
        return False
    return any(char.isdigit() for char in secret) or len(secret) >= _PLACEHOLDER_LENGTH


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _forms(secret: str) -> tuple[str, ...]:
    """The secret as servers echo it, in lower case, the longest first.

    As it is, quoted for URLs, JSON and HTML, within base64, and in hexadecimal digits.
    """
    raw = secret.encode(errors="replace")
    url = quote(secret, safe="")
    quoted = (url, quote(secret), quote(url, safe=""), json.dumps(secret)[1:-1], html.escape(secret))
    forms = {form.lower() for form in (secret, *quoted, secret.replace("/", r"\/"), raw.hex(), *_base64(raw))}
    return tuple(sorted(forms, key=len, reverse=True))


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _numbers(secret: str) -> tuple[str, ...]:
    """The numbers of its bytes without what stands between them: hexadecimal and decimal."""
    raw = secret.encode(errors="replace")
    return raw.hex(), "".join(map(str, raw))


def _base64(raw: bytes) -> list[str]:
    """The part of a base64 text that a secret within it decides, for each of the three places where it may begin."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        core = coded[first:last]
        if len(core) >= _SHORTEST:
            found += [core, core.translate(str.maketrans("+/", "-_"))]
    return found
