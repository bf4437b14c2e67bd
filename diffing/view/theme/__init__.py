"""The look of the page: Gradio theme, style sheets, header, footer, and the script that follows internal links."""

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.view.result.result_html import style

if TYPE_CHECKING:
    import gradio

ARRIVED = "(query) => document.dispatchEvent(new CustomEvent('diffing-arrived', { detail: query ?? '' }))"
"""JavaScript that announces in the browser that a part is now shown. The page then updates its address and scrolls to
the top."""
_FONT = (
    *("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue"),
    *("Arial", "sans-serif"),
)
_COLOURED = {
    "paper": ("body_background_fill", "background_fill_secondary", "table_odd_background_fill"),
    "card": (
        *("background_fill_primary", "block_background_fill", "input_background_fill"),
        "table_even_background_fill",
    ),
    "ink": ("body_text_color", "block_title_text_color"),
    "muted": (
        *("body_text_color_subdued", "block_label_text_color", "block_info_text_color"),
        "input_placeholder_color",
    ),
    "line": ("block_border_color", "border_color_primary", "table_border_color", "input_border_color"),
}
"""The values of Gradio's theme that have each colour, without the ending for the dark mode."""
_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def head() -> str:
    """The style sheets for the page's head: those of the report view, of the frame, and of each part.

    A part's style sheet lies in its folder and has its name.
    """
    view = files("diffing.view")
    sheets = [view.joinpath(part, f"{part}.css") for part in ("theme", "start", "progress", "share", "gallery")]
    rules = [style(), *(sheet.read_text(encoding="utf-8") for sheet in sheets)]
    joined = "\n".join(rules)
    return f"<style>{joined}</style>"


def theme() -> "gradio.themes.Base":
    """The Gradio theme, with the colors and fonts of the report view. It loads no font from another server."""
    import gradio as gr

    light = {"paper": "#fbfaf7", "card": "#ffffff", "ink": "#1b1e23", "muted": "#5a626d", "line": "#d5d1c8"}
    dark = {"paper": "#131518", "card": "#1a1d21", "ink": "#e7e5e1", "muted": "#a2a9b3", "line": "#3a4047"}
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.blue, neutral_hue=gr.themes.colors.stone, font=_FONT, font_mono=_MONO,
        radius_size=gr.themes.sizes.radius_md,
    )  # fmt: skip
    values: dict[str, Any] = {
        f"{name}{end}": colours[colour]
        for end, colours in (("", light), ("_dark", dark))
        for colour, names in _COLOURED.items()
        for name in names
    }
    values |= {
        "block_shadow": "none", "block_shadow_dark": "none",
        "link_text_color": "#1b62a8", "link_text_color_dark": "#86b9ee",
        "input_border_width": "1px", "input_border_width_dark": "1px",
        "table_row_focus": "#eef3f9", "table_row_focus_dark": "#242c36",
        "button_primary_background_fill": "#1b62a8", "button_primary_background_fill_hover": "#154f88",
        "button_primary_background_fill_dark": "#2a6db3", "button_primary_background_fill_hover_dark": "#2363a6",
        "button_primary_text_color": "#ffffff", "button_primary_text_color_dark": "#ffffff",
    }  # fmt: skip
    return base.set(**values)


def header(*, sign_in: bool) -> Any:  # noqa: ANN401  a component of Gradio
    """The bar at the top of the page, and what stands below it until a part of the page has arrived.

    Args:
        sign_in: Whether the page offers signing in.

    Returns:
        The hidden component whose value is the query of the current address. Clicking a link with `data-go` anywhere in
        the page sets it.
    """
    import gradio as gr

    with gr.Row(elem_classes="site-bar"):
        gr.HTML(header_html(), apply_default_css=False, elem_classes="diffing site-header")
        if sign_in:
            gr.LoginButton("Sign in with Hugging Face", size="sm", min_width=120, elem_classes="site-login")
    gr.HTML(_rendered("waiting.html.jinja"), apply_default_css=False, elem_classes="diffing site-waiting")
    script = files(__package__).joinpath("links.js").read_text(encoding="utf-8")
    # its value is never rendered as markup, because the template does not use it
    address = gr.HTML("", html_template="<span hidden></span>", js_on_load=script, elem_classes="site-address")
    return address


def header_html() -> str:
    """The name of the app and the links in the bar at the top, as HTML."""
    return _rendered("header.html.jinja")


def footer() -> None:
    """The line at the end of the page."""
    import gradio as gr

    gr.HTML(_rendered("footer.html.jinja"), apply_default_css=False, elem_classes="diffing site-footer")


def problem(text: str) -> str:
    """An error message as HTML.

    Args:
        text: The message, which may quote anybody's words.
    """
    return _rendered("problem.html.jinja", text=text)


def example(key: str) -> str:
    """The caption of an example that ships with the app, as HTML; empty if there is no such example.

    Args:
        key: The key of the example; any text.
    """
    from diffing.view.examples import EXAMPLES

    found = next((each for each in EXAMPLES if each.key == key), None)
    return _rendered("example.html.jinja", example=found) if found else ""


def _rendered(name: str, **values: object) -> str:
    return environment(templates_of(__package__)).get_template(name).render(**values)
