"""The Gradio components of the result view, and what happens on their events. Only keys and numbers travel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.errors import DiffingError
from diffing.outputs.html import visible
from diffing.view.result import result_html
from diffing.view.result.raw import View, table_names, table_of
from diffing.view.result.report_cache import Opened, Shelf
from diffing.view.result.result_handlers import answer
from diffing.view.router import Answer

if TYPE_CHECKING:
    from gradio.components import Component

_LAZY = {
    "forest": "Forest plot",
    "domains": "By domain",
    "features": "Features",
    "methods": "Methods",
    "how": "How it was made",
}
"""Tabs that are filled when they are opened, with their titles."""
_QUIET: dict[str, Any] = {"show_progress": "minimal", "api_visibility": "private", "concurrency_limit": 16}
"""Events that change what is shown: of one kind several at a time, so that nobody waits for another's."""


@dataclass(frozen=True, slots=True)
class ResultView:
    """The view within a page. `page_event(view.open, inputs=[a key], outputs=view.outputs)` shows a report."""

    open: Callable[[str], list[Any]]
    """From a key to the values of `outputs`; a key that opens nothing shows why. The empty key clears the view."""
    outputs: "tuple[Component, ...]"
    """What `open` fills."""


def result_view(shelf: Shelf) -> ResultView:
    """Builds the view; call it where it belongs, within `gr.Blocks`. Shows nothing until `open` is called.

    The page's head needs `style()`.

    Args:
        shelf: Where reports are found by their keys.
    """
    import gradio as gr

    def ask(asked: Any) -> Answer:  # noqa: ANN401  whatever the browser sends
        return answer(shelf, asked)

    key = gr.State("")
    top = _html()
    with gr.Tabs(visible=False, elem_classes="diffing-tabs") as tabs:
        with gr.Tab("Findings", id="findings"):
            found = _html(js_on_load=result_html.script(), server_functions=[ask])
        lazy = {name: _lazy(name, title) for name, title in _LAZY.items()}
        raw = _raw_tab(key, shelf)
    for name, (tab, box) in lazy.items():
        _fill_on(name, tab, box, key, shelf)
    outputs = (key, top, tabs, found, *(box for _, box in lazy.values()), raw)

    empty = [""] * len(lazy)  # what is filled when its tab is opened

    def open_report(wanted: str) -> list[Any]:
        return _values(shelf, wanted, empty)

    return ResultView(open_report, outputs)


def _values(shelf: Shelf, wanted: str, empty: list[Any]) -> list[Any]:
    """What is shown of a key at first."""
    import gradio as gr

    problem = ""
    if wanted:
        try:
            opened = shelf.open(wanted)
        except DiffingError as error:
            problem = result_html.problem(str(error))
        else:
            names = table_names(opened.report)
            choice = gr.update(choices=[(visible(name), name) for name in names], value=names[0] if names else None)
            tabs = gr.update(visible=True, selected="findings")
            return [
                wanted,
                result_html.overview(opened, wanted),
                tabs,
                result_html.findings(opened, wanted),
                *empty,
                choice,
            ]
    return ["", problem, gr.update(visible=False), "", *empty, gr.update(choices=[], value=None)]


def _lazy(name: str, title: str) -> tuple[Any, Any]:
    """A tab and its text."""
    import gradio as gr

    with gr.Tab(title, id=name) as tab:
        return tab, _html(elem_classes=["diffing", f"diffing-{name}"])


def _html(**options: Any) -> Any:  # noqa: ANN401  options and a component of Gradio
    """A box for HTML that the templates make, in the report page's style instead of Gradio's."""
    import gradio as gr

    ours: dict[str, Any] = {"elem_classes": "diffing", "apply_default_css": False}
    return gr.HTML(**(ours | options))


def _fill_on(name: str, tab: Any, box: Any, key: Any, shelf: Shelf) -> None:  # noqa: ANN401  components of Gradio
    """Fills a tab when it is opened."""
    render = {
        "forest": result_html.forest_plot,
        "domains": result_html.domains,
        "features": result_html.sae_features,
        "methods": result_html.methods,
        "how": result_html.how,
    }[name]

    def fill(wanted: str) -> str:
        opened = _opened(shelf, wanted)
        return render(opened) if opened else ""

    tab.select(fill, [key], [box], **_QUIET)


def _raw_tab(key: Any, shelf: Shelf) -> Any:  # noqa: ANN401  a component of Gradio
    """The tab of raw tables; gives the choice of the table."""
    import gradio as gr

    with gr.Tab("Raw tables", id="raw") as tab:
        with gr.Row():
            name = gr.Dropdown(label="Table", choices=[])
            words = gr.Textbox(label="Search all rows", max_length=200)
            sort = gr.Dropdown(label="Sort all rows by", choices=[("as stored", "")], value="")
            descending = gr.Checkbox(label="Largest first", value=False)
            page = gr.Number(label="Page (100 rows each)", value=1, minimum=1, precision=0)
        told = gr.Markdown()
        table = gr.Dataframe(
            interactive=False, datatype="str", show_label=False, max_chars=160, buttons=["copy", "fullscreen"],
            max_height=640,
        )  # fmt: skip

    def show(wanted: str, name: str | None, words: str, sort: str | None, largest: bool, page: float | None) -> Any:  # noqa: ANN401
        opened = _opened(shelf, wanted)
        if opened is None or not name:
            return "", None
        shown = table_of(opened, View(name, (words or "")[:200], sort or None, largest, int(page or 1) - 1))
        told = f"{shown.total:,} rows; page {shown.page + 1:,} of {shown.pages:,}."
        value = {"headers": list(shown.columns), "data": [list(row) for row in shown.rows]}
        return told, gr.Dataframe(value=value, datatype=["number" if number else "str" for number in shown.numeric])

    def columns(wanted: str, name: str | None) -> Any:  # noqa: ANN401
        opened = _opened(shelf, wanted)
        of = table_of(opened, View(name)).columns if opened and name else ()
        return gr.Dropdown(choices=[("as stored", ""), *((column, column) for column in of)], value=""), 1

    inputs, outputs = [key, name, words, sort, descending, page], [told, table]
    tab.select(columns, [key, name], [sort, page], **_QUIET).then(show, inputs, outputs, **_QUIET)
    name.input(columns, [key, name], [sort, page], **_QUIET).then(show, inputs, outputs, **_QUIET)
    gr.on([words.submit, sort.input, descending.input, page.submit, page.blur], show, inputs, outputs, **_QUIET)
    return name


def _opened(shelf: Shelf, key: str) -> Opened | None:
    """The report that is shown; None where there is none any more."""
    try:
        return shelf.open(key) if key else None
    except DiffingError:
        return None
