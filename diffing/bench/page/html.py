"""The results as one HTML page that opens without network, in light and dark, on phones; scripts only draw and fold."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files

from diffing.bench.page.cells import cell, is_number, number, observations
from diffing.bench.page.figures import figure_of
from diffing.bench.page.glance import BRACKETS, at_a_glance
from diffing.bench.page.tables import HEADINGS, columns_of, is_long, title_of
from diffing.bench.results import Result
from diffing.rendering import environment


def render_html(results: Sequence[tuple[str, Result]], plotly_js: str) -> str:
    """The page; the same results give the same bytes.

    Args:
        results: Names and results, in the page's order.
        plotly_js: Source of plotly.js, which the page carries.
    """
    from markupsafe import Markup

    templates = environment(_own, escapes=True)
    templates.globals |= {
        "cell": cell, "is_number": is_number, "number": number, "observations": observations,
        "columns_of": columns_of, "HEADINGS": HEADINGS, "is_long": is_long,
    }  # fmt: skip
    figures = {
        f"{name}-{at}": {
            width: json.loads(figure_of(result, figure, narrow=width == "narrow").to_json())
            for width in ("wide", "narrow")
        }
        for name, result in results
        for at, figure in enumerate(result.figures)
    }
    scripts = [*([plotly_js] if figures else []), _own("results.js")]
    style = files("diffing.outputs.html").joinpath("page.css").read_text(encoding="utf-8") + _own("results.css")
    return templates.get_template("results.html.jinja").render(
        results=results,
        title=title_of(results),
        kinds=list(dict.fromkeys(result.kind for _, result in results)),
        facts=at_a_glance(results),
        brackets=BRACKETS,
        figures=figures,
        style=Markup(style),
        scripts=[Markup(script) for script in scripts],
        script_hashes=[_hash(script) for script in scripts],
    )


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """The script's source expression for the Content-Security-Policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
