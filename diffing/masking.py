"""The one place where secrets are kept out of what is stored or shown. Knows no server, no model and no report.

Secrets that this process uses (keys, tokens) are told to it, or stand in the environment; they are found as they are
and in the forms in which a server echoes them. Messages are also rid of what merely has the form of a credential.
"""

import base64
import functools
import html
import json
import logging
import os
import re
from urllib.parse import quote

MASK = "***"
"""What stands in a secret's place."""
_VARIABLES = ("DIFFING_API_KEY", "OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Where the environment holds secrets that are sent to servers."""
_SHORTEST = 8
"""Characters; what is shorter is no secret, but put where a server wants any key (`none`, `EMPTY`), and would be found
in many words."""
_PLACEHOLDER_LENGTH = 20
"""A key without a digit that is shorter is a word put where a server wants any key: `not-needed`, `lm-studio`."""
_MOST_KNOWN = 256
"""Secrets remembered: a page that lives for months acts for many visitors."""
_known: dict[str, None] = {}

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
    if len(secret) >= _SHORTEST:
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
    lower = text.lower()
    for secret in _secrets():
        if data and not _is_no_word(secret):
            continue
        forms = _forms(secret)
        if any(form in lower for form in forms):  # much quicker than the pattern, and there is hardly ever one
            text = re.sub("|".join(map(re.escape, forms)), MASK, text, flags=re.IGNORECASE)
            lower = text.lower()
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
    return sorted({*_known, *(each for each in here if len(each) >= _SHORTEST)}, key=len, reverse=True)


def _is_no_word(secret: str) -> bool:
    """Whether to find it in a model's answer means that it was echoed."""
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
