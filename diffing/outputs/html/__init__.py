"""One self-contained HTML page from a report: opens without network, shows hostile text as text. Knows no method.

The page works without scripts but for sorting and filters. Its Content-Security-Policy allows no request, and
no script but those it carries, by their hashes.
"""

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from diffing import rendering
from diffing.atomic_write import write_atomically
from diffing.outputs import figures, phrasing
from diffing.outputs.html import feature_section, page
from diffing.types import Report

if TYPE_CHECKING:
    from jinja2 import Environment

_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
_CONTROLS |= dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD)


_WORDS = ("count", "interval", "measured_by", "percent", "points", "probability", "shares")
"""What the template says numbers with."""
_BOUNDS = ("DOMAIN_ROWS", "TINY", "TURNS", "TURN_LENGTH", "VALUE_LENGTH")
"""What the template bounds texts and tables with."""
_FEATURE_BOUNDS = ("LABEL_LENGTH", "PROMPT_LENGTH")
"""The same, for features."""
_FIGURES = ("MAX_ROWS", "NARROW", "WIDE", "forest", "scatter", "whisker")
"""The pictures that the templates show."""


def write_html(report: Report, path: Path | str) -> Path:
    """Writes the page; the same report gives the same bytes.

    Args:
        report: What is shown.
        path: The file; its folder must exist. Replaced whole or not at all.

    Returns:
        The path.

    Raises:
        SettingError: The file cannot be written.
    """
    return write_atomically(render(report).encode(), Path(path))


def render(report: Report) -> str:
    """The page with all that it needs.

    Args:
        report: What is shown.
    """
    from markupsafe import Markup

    templates = environment()
    of_sae = feature_section.features_in(report)
    script = _resource("page.js")
    return templates.get_template("page.html.jinja").render(
        report=report,
        page=page.page_of(report),
        features=of_sae,
        headline=phrasing.headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
        style=Markup(_resource("page.css") + figures.stylesheet() + (_resource("features.css") if of_sae else "")),
        script=Markup(script),
        script_hash=_source_hash(script),
    )


def environment(resource: Callable[[str], str | None] = lambda name: None) -> "Environment":
    """The templates of a report's HTML: every text is escaped and without control characters unless it is markup.

    Args:
        resource: Templates of the caller's own by name, None for those that it does not have.
    """
    from diffing.outputs.html.compiled import COMPILED

    templates = rendering.environment(
        lambda name: resource(name) or _resource(name), escapes=True, finalize=_finalize, bytecode_cache=COMPILED
    )
    templates.globals |= {name: getattr(phrasing, name) for name in _WORDS}
    templates.globals |= {name: getattr(page, name) for name in _BOUNDS}
    templates.globals |= {name: getattr(feature_section, name) for name in _FEATURE_BOUNDS}
    templates.globals |= {name: getattr(figures, name) for name in _FIGURES}
    return templates


def stylesheet() -> str:
    """The page's rules, with those of its pictures and features."""
    return _resource("page.css") + figures.stylesheet() + _resource("features.css")


def visible(text: str) -> str:
    """The text with control characters as visible signs, since HTML drops or refuses them."""
    return text.translate(_CONTROLS)


def _finalize(value: object) -> object:
    """Every printed text: nothing in it is invisible."""
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    """The script's source expression for the Content-Security-Policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
