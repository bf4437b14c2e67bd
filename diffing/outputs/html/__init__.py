"""Renders a report as one self-contained HTML page, which opens without a network connection.

All text from models and users is escaped. Only sorting and filters need scripts. The page's Content-Security-Policy
forbids every request, and every script except the page's own, which is allowed by its hash.
"""

import base64
import hashlib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from diffing import rendering
from diffing.atomic_write import write_atomically
from diffing.outputs import behaviour_words, claims, figures, phrasing, rate_bars
from diffing.outputs.count_words import count_notes
from diffing.outputs.counted_examples import counted_examples, counts_in_words
from diffing.outputs.headline import headline
from diffing.outputs.html import feature_section, line_rows, page
from diffing.outputs.html.shown_pairs import length_in_words
from diffing.outputs.line_words import overall
from diffing.outputs.prompt_kinds import FEW_VERDICTS, place_name
from diffing.outputs.word_diff import excerpt_pieces, excerpts_diff
from diffing.types import Report

if TYPE_CHECKING:
    from jinja2 import Environment

_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}
_CONTROLS |= dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD)


_FORMATTERS = ("count", "interval", "measured_by", "percent", "points", "probability", "shares", "with_short_commits")
"""Functions of `phrasing` with which the templates format numbers."""
_ROWS = ("net_of", "reason")
"""Functions of `line_rows` with which the templates fill rows."""
_WORDS = ("NO_NARROWER_PLACE", "NO_ONE_PLACE", "known_by_in_words", "place_label")
"""Functions and constants of `behaviour_words` with which the templates put lines into words."""
_BOUNDS = ("FEW_LINES", "MEMBERS_SHOWN", "PROMPT_SHOWN", "TURNS", "TURN_LENGTH", "VALUE_LENGTH")
"""Constants of `page` that bound texts and tables in the templates."""
_FEATURE_BOUNDS = ("LABEL_LENGTH", "PROMPT_LENGTH")
"""Constants of `feature_section` that bound texts in the templates."""
_METHODS = {"llm": "LLM", "sae": "SAE"}
"""What a row calls the methods other than the one that counts words."""


def write_html(report: Report, path: Path | str) -> Path:
    """Writes a report's page to a file; the same report always gives the same bytes.

    Args:
        report: The report to show.
        path: The file, in an existing folder. It is replaced as a whole or not at all.

    Returns:
        The path.

    Raises:
        SettingError: The file cannot be written.
    """
    return write_atomically(render(report).encode(), Path(path))


def render(report: Report) -> str:
    """Returns the page as HTML with all styles, pictures and scripts inside.

    Args:
        report: The report to show.
    """
    from markupsafe import Markup

    templates = environment()
    of_sae = feature_section.features_in(report)
    script = pair_script() + _resource("page.js")
    return templates.get_template("page.html.jinja").render(
        report=report,
        page=page.page_of(report),
        features=of_sae,
        scripted=False,
        headline=headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
        style=Markup(_resource("page.css") + figures.stylesheet() + (_resource("features.css") if of_sae else "")),
        script=Markup(script),
        script_hash=_source_hash(script),
    )


def environment(resource: Callable[[str], str | None] = lambda name: None) -> "Environment":
    """Returns a Jinja environment with the templates of a report's HTML.

    It escapes every text that is not markup, and makes control characters visible.

    Args:
        resource: Looks up further templates by name; returns None for names that it does not have.
    """
    from diffing.outputs.html.template_cache import TEMPLATE_CACHE

    templates = rendering.environment(
        lambda name: resource(name) or _resource(name), escapes=True, finalize=_finalize, bytecode_cache=TEMPLATE_CACHE
    )
    templates.globals |= {name: getattr(phrasing, name) for name in _FORMATTERS}
    templates.globals |= {name: getattr(line_rows, name) for name in _ROWS}
    templates.globals |= {name: getattr(behaviour_words, name) for name in _WORDS}
    templates.globals |= {
        "METHODS": _METHODS, "axis_of": line_rows.axis, "bars_of": rate_bars.bars, "count_notes": count_notes,
        "counted_examples": counted_examples, "counts_in_words": counts_in_words, "excerpt_pieces": excerpt_pieces,
        "excerpts_diff": excerpts_diff,
        "expectation": claims.expectation, "FEW_VERDICTS": FEW_VERDICTS,
        "length_in_words": length_in_words, "overall": overall, "place_name": place_name,
        "row_pieces": rate_bars.row_pieces, "scatter": figures.scatter, "sure_in_words": claims.sure_in_words,
        "where_in_words": behaviour_words.where,
    }  # fmt: skip
    templates.globals |= {name: getattr(page, name) for name in _BOUNDS}
    templates.globals |= {name: getattr(feature_section, name) for name in _FEATURE_BOUNDS}
    return templates


def stylesheet() -> str:
    """Returns the CSS of the page, its pictures and its feature section."""
    return _resource("page.css") + figures.stylesheet() + _resource("features.css")


def pair_script() -> str:
    """Returns the JavaScript of the views of a pair, which needs nothing else."""
    return _resource("pair.js")


def figureless_stylesheet() -> str:
    """Returns the CSS of a page in a frame, which has no pictures."""
    return _resource("page.css") + _resource("embed.css")


def visible(text: str) -> str:
    """Replaces control characters with visible symbols, because HTML drops or forbids them."""
    return text.translate(_CONTROLS)


def _finalize(value: object) -> object:
    """Makes control characters visible in every value that a template prints, unless the value is markup."""
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    """Returns the script's source expression for the Content-Security-Policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
