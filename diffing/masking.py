"""Masks secrets (keys, tokens, passwords) in every text that is stored, logged or shown.

Secrets that this process uses are registered with `keep_secret` or come from environment variables. They are found as
they are and in the forms in which servers echo them: encoded, with characters between their letters, or cut off. In
messages, as opposed to model answers, anything else that looks like a credential is masked too.
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
"""The text that replaces a secret."""
_VARIABLES = ("DIFFING_API_KEY", "OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Environment variables whose values are sent to servers as keys."""
_SHORTEST = 8
"""Minimum length of a secret, in characters. A shorter one is a placeholder for servers that accept any key (`none`,
`EMPTY`), and it would match inside many words."""
_SHORTEST_MIXED = 6
"""Minimum length of a secret that mixes letters and digits (`abc123`); below `_SHORTEST` it is masked in messages
only."""
_PLACEHOLDER_LENGTH = 20
"""A shorter key without a digit is a placeholder for servers that accept any key: `not-needed`, `lm-studio`."""
_MOST_KNOWN = 256
"""Maximum number of registered secrets: a page that runs for months acts on behalf of many visitors."""
_known: dict[str, None] = {}

_LONG = 16
"""Minimum length of a secret that is also searched for in pieces or cut off; shorter ones could match by chance."""
_CUT = 8
"""Minimum length of the beginning of a secret that counts as a cut-off secret in a message (`sk-abcde...`)."""
_CUT_IN_DATA = 14
"""The same minimum for a model's answer. It is longer than public beginnings such as `sk-ant-api03-`."""
_GAP = r"[\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufffd]"
_GAPS = re.compile(_GAP)
"""Characters that are invisible between letters: blanks, line breaks, NUL (UTF-16 read as bytes), zero-width signs."""
_ESCAPES = re.compile(
    r"\\{1,8}(?:u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|x([0-9a-f]{2})|[nrt0]|/|(?=\r?\n))"
    r"|%(?:25){0,4}([0-9a-f]{2})"
    r"|&(?:amp;){0,4}(?:#x([0-9a-f]{1,8})|(#[0-9]{1,8}|[a-z]{2,8}));"
    r"|<wbr ?/?>",
    re.IGNORECASE,
)
"""One character in escaped form: JSON, Python, URL or HTML."""
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
"""Patterns of credentials; the first group is kept. Each pattern runs in time linear in the length of the text."""


def keep_secret(secret: str) -> None:
    """Registers a secret that this process uses, so that it is masked from now on."""
    if _may_be_secret(secret):
        _known.pop(secret, None)
        _known[secret] = None
        while len(_known) > _MOST_KNOWN:
            del _known[next(iter(_known))]


def masked(text: str, *, data: bool = False) -> str:
    """Replaces secrets in a text with `MASK`.

    Args:
        text: Any text. Mask it before shortening it, since half a secret is not recognised.
        data: Whether the text is a model's answer, which is measured: then only registered secrets are masked, and
            only if they cannot be ordinary words.
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
    """A log formatter that masks secrets in messages and tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Formats a record and masks secrets in the result."""
        return masked(super().format(record))


def _secrets() -> list[str]:
    """All known secrets, the longest first, since one may be part of another."""
    here = [os.environ.get(name, "").strip() for name in _VARIABLES]
    return sorted({*_known, *filter(_may_be_secret, here)}, key=len, reverse=True)


def _without_forms(text: str, secrets: Sequence[str]) -> str:
    lower = text.lower()
    for secret in secrets:
        forms = _forms(secret)
        if any(form in lower for form in forms):  # much faster than the pattern, and there is rarely a match
            text = re.sub("|".join(map(re.escape, forms)), MASK, text, flags=re.IGNORECASE)
            lower = text.lower()
    return text


def _without_scattered(text: str, secrets: Sequence[str]) -> str:
    """Masks secrets whose letters are separated by other characters, escaped, or written as numbers."""
    if not secrets:
        return text
    letters = [form for secret in secrets for form in _forms(secret)]
    text = _without_runs(text, letters, _ESCAPES, _GAPS)
    numbers = [form for secret in secrets for form in _numbers(secret)]
    return _without_runs(text, numbers, _BEFORE_DIGITS, _BETWEEN_DIGITS)


def _without_runs(text: str, targets: Sequence[str], escapes: re.Pattern[str], gaps: re.Pattern[str]) -> str:
    """Masks every passage that equals a target (in lower case) once escapes are decoded and gaps are removed."""
    decoded = gaps.sub("", escapes.sub(_unescaped, text)).lower()
    present = [target for target in targets if target in decoded]
    if not present:
        return text
    letters, spans = _letters(text, escapes, gaps)
    inside: list[tuple[int, int]] = []
    for each in present:
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
    """The letters of a text in lower case, without gaps, and the span of each in the original text."""
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
    """The character that an escape stands for; empty for an escape that only separates letters."""
    *codes, entity = found.groups() or (None,)
    if entity:
        return html.unescape(f"&{entity};")
    code = next((code for code in codes if code), None)
    if code is None:
        return "/" if found[0].endswith("\\/") else ""
    return chr(number) if (number := int(code, 16)) <= sys.maxunicode else ""


def _without_cuts(text: str, secrets: Sequence[str], *, data: bool) -> str:
    """Masks a secret that a server cut off or partly masked, with the rest of that run of characters."""
    lower = text.lower()
    for secret in secrets:
        begins = _beginning(secret, data=data)
        if begins and begins.lower() in lower:
            text = re.sub(rf"(?<![^\W_]){re.escape(begins)}{_REST_OF_RUN}", MASK, text, flags=re.IGNORECASE)
            lower = text.lower()
    return text


def _beginning(secret: str, *, data: bool) -> str | None:
    """The shortest beginning of a long secret that cannot be a word; None if only the whole secret qualifies."""
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
    """Whether its letters, found separated by other characters, can only come from an echo of the secret."""
    if not data:
        return _is_no_word(secret)
    mixed = any(char.isdigit() for char in secret) and any(char.isalpha() for char in secret)
    return mixed and len(secret) >= _LONG


def _may_be_secret(text: str) -> bool:
    return len(text) >= (_SHORTEST if text.isalpha() or text.isdigit() else _SHORTEST_MIXED)


def _is_no_word(secret: str) -> bool:
    """Whether a match in a model's answer can only come from an echo of the secret."""
    if len(secret) < _SHORTEST:
        return False
    return any(char.isdigit() for char in secret) or len(secret) >= _PLACEHOLDER_LENGTH


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _forms(secret: str) -> tuple[str, ...]:
    """The forms in which servers echo a secret, in lower case, the longest first.

    These are the secret itself, its quoted forms for URLs, JSON and HTML, base64, and hexadecimal digits.
    """
    raw = secret.encode(errors="replace")
    url = quote(secret, safe="")
    quoted = (url, quote(secret), quote(url, safe=""), json.dumps(secret)[1:-1], html.escape(secret))
    forms = {form.lower() for form in (secret, *quoted, secret.replace("/", r"\/"), raw.hex(), *_base64(raw))}
    return tuple(sorted(forms, key=len, reverse=True))


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _numbers(secret: str) -> tuple[str, ...]:
    """The secret's bytes as hexadecimal and as decimal numbers, without separators."""
    raw = secret.encode(errors="replace")
    return raw.hex(), "".join(map(str, raw))


def _base64(raw: bytes) -> list[str]:
    """The part of a base64 text that depends on the secret alone, for each of the three possible alignments."""
    found = []
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        core = coded[first:last]
        if len(core) >= _SHORTEST:
            found += [core, core.translate(str.maketrans("+/", "-_"))]
    return found
