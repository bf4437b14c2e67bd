"""How the page looks: theme, style, header, footer, and the script that follows links within the page."""

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.view.result.result_html import style

if TYPE_CHECKING:
    import gradio

ARRIVED = "(query) => document.dispatchEvent(new CustomEvent('diffing-arrived', { detail: query ?? '' }))"
"""Told in the browser when a part is shown: the address changes, the page begins at its top."""
_FONT = (
    *("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue"),
    *("Arial", "sans-serif"),
)
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def head() -> str:
    """What the page's head holds of ours: the rules of style of the results, the frame, and each part's own.

    A part's lie beside it under its name.
    """
    view = files("diffing.view")
    sheets = [view.joinpath(part, f"{part}.css") for part in ("look", "start", "progress", "share", "gallery")]
    rules = [style(), *(sheet.read_text(encoding="utf-8") for sheet in sheets if sheet.is_file())]
    joined = "\n".join(rules)
    return f"<style>{joined}</style>"


def theme() -> "gradio.themes.Base":
    """The colours and fonts of Gradio's own components: those of the results. Loads no font from anywhere."""
    import gradio as gr

    light = {"paper": "#fbfaf7", "card": "#ffffff", "ink": "#1b1e23", "muted": "#5a626d", "line": "#d5d1c8"}
    dark = {"paper": "#131518", "card": "#1a1d21", "ink": "#e7e5e1", "muted": "#a2a9b3", "line": "#3a4047"}
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.blue, neutral_hue=gr.themes.colors.stone, font=_FONT, font_mono=_MONO,
        radius_size=gr.themes.sizes.radius_md,
    )  # fmt: skip
    values: dict[str, Any] = {}
    for end, colours in (("", light), ("_dark", dark)):
        values |= {
            f"body_background_fill{end}": colours["paper"],
            f"body_text_color{end}": colours["ink"],
            f"body_text_color_subdued{end}": colours["muted"],
            f"background_fill_primary{end}": colours["card"],
            f"background_fill_secondary{end}": colours["paper"],
            f"block_background_fill{end}": colours["card"],
            f"block_border_color{end}": colours["line"],
            f"block_label_text_color{end}": colours["muted"],
            f"block_info_text_color{end}": colours["muted"],
            f"block_title_text_color{end}": colours["ink"],
            f"block_shadow{end}": "none",
            f"border_color_primary{end}": colours["line"],
            f"input_background_fill{end}": colours["card"],
            f"table_even_background_fill{end}": colours["card"],
            f"table_odd_background_fill{end}": colours["paper"],
            f"table_border_color{end}": colours["line"],
            f"input_border_color{end}": colours["line"],
            f"input_placeholder_color{end}": colours["muted"],
            f"link_text_color{end}": "#1b62a8" if not end else "#86b9ee",
        }
    values |= {
        "input_border_width": "1px", "input_border_width_dark": "1px",
        "table_row_focus": "#eef3f9", "table_row_focus_dark": "#242c36",
        "button_primary_background_fill": "#1b62a8", "button_primary_background_fill_hover": "#154f88",
        "button_primary_background_fill_dark": "#2a6db3", "button_primary_background_fill_hover_dark": "#2363a6",
        "button_primary_text_color": "#ffffff", "button_primary_text_color_dark": "#ffffff",
    }  # fmt: skip
    return base.set(**values)


def header(*, sign_in: bool) -> Any:  # noqa: ANN401  a component of Gradio
    """The bar at the top.

    Args:
        sign_in: Whether visitors can sign in.

    Returns:
        The address box: hidden; its value is the query of the place that is shown. Links with `data-go` anywhere in the
        page set it.
    """
    import gradio as gr

    with gr.Row(elem_classes="site-bar"):
        gr.HTML(_rendered("header.html.jinja"), apply_default_css=False, elem_classes="diffing site-header")
        if sign_in:
            gr.LoginButton("Sign in with Hugging Face", size="sm", min_width=120, elem_classes="site-login")
    script = files(__package__).joinpath("links.js").read_text(encoding="utf-8")
    # its value is never markup: the template does not name it
    address = gr.HTML("", html_template="<span hidden></span>", js_on_load=script, elem_classes="site-address")
    return address


def footer() -> None:
    """The line at the end."""
    import gradio as gr

    gr.HTML(_rendered("footer.html.jinja"), apply_default_css=False, elem_classes="diffing site-footer")


def problem(text: str) -> str:
    """One line about what is in the way, as HTML.

    Args:
        text: May hold anybody's words.
    """
    return _rendered("problem.html.jinja", text=text)


def example(key: str) -> str:
    """What an example that ships with the app is, as HTML; nothing where there is none of that key.

    Args:
        key: Anybody's text.
    """
    from diffing.view.examples import EXAMPLES

    found = next((each for each in EXAMPLES if each.key == key), None)
    return _rendered("example.html.jinja", example=found) if found else ""


def _rendered(name: str, **values: object) -> str:
    return environment(templates_of(__package__)).get_template(name).render(**values)
