"""Builds the Gradio tabs of a finished comparison, and fills each when it is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.errors import DiffingError
from diffing.outputs.html import visible
from diffing.view.result import result_html
from diffing.view.result.raw_tables import TableQuery, table_names, table_of
from diffing.view.result.report_cache import OpenedReport, ReportCache
from diffing.view.result.result_handlers import answer
from diffing.view.router import Reply

if TYPE_CHECKING:
    from gradio.components import Component

_LAZY = {
    "features": "Features",
    "methods": "Methods",
    "how": "How it was made",
}
"""Tabs that are filled when a visitor opens them, with their titles."""
_QUIET: dict[str, Any] = {"show_progress": "minimal", "api_visibility": "private", "concurrency_limit": 16}
"""Options of events that change what is shown. Several events of a kind run at a time, so that no visitor waits for
another."""


@dataclass(frozen=True, slots=True)
class ResultView:
    """The built view. `page_event(view.open, inputs=[a key], outputs=view.outputs)` shows a report."""

    open: Callable[[str], list[Any]]
    """Computes the values of `outputs` for a key. An invalid key shows the reason, and the empty key clears the view.
    """
    outputs: "tuple[Component, ...]"
    """The components that `open` fills."""


def answer_box() -> "Component":
    """Builds the box for the answer of a result, which stands above everything else; `result_view` fills it."""
    box: Component = _html()
    return box


def result_view(cache: ReportCache, top: "Component") -> ResultView:
    """Builds the view within `gr.Blocks`, below the answer.

    It stays empty until `open` is called, and needs `style()` in the page's head.

    Args:
        cache: Finds reports by their keys.
        top: The answer's box.
    """
    import gradio as gr

    def ask(question: Any) -> Reply:  # noqa: ANN401  whatever the browser sends
        return answer(cache, question)

    key = gr.State("")
    with gr.Tabs(visible=False, elem_classes="diffing-tabs") as tabs:
        with gr.Tab("Findings", id="findings"):
            found = _html(js_on_load=result_html.script(), server_functions=[ask])
        lazy = {name: _lazy(name, title) for name, title in _LAZY.items()}
        raw = _raw_tab(key, cache)
    for name, (tab, box) in lazy.items():
        _fill_on(name, tab, box, key, cache)
    outputs = (key, top, tabs, found, *(box for _, box in lazy.values()), raw)

    empty = [""] * len(lazy)  # these boxes are filled when their tab is opened

    def open_report(key_text: str) -> list[Any]:
        return _values(cache, key_text, empty)

    return ResultView(open_report, outputs)


def _values(cache: ReportCache, key_text: str, empty: list[Any]) -> list[Any]:
    """The values of the components when a report is opened."""
    import gradio as gr

    problem = ""
    if key_text:
        try:
            opened = cache.open(key_text)
        except DiffingError as error:
            problem = result_html.problem(str(error))
        else:
            names = table_names(opened.report)
            choice = gr.update(choices=[(visible(name), name) for name in names], value=names[0] if names else None)
            tabs = gr.update(visible=True, selected="findings")
            return [
                key_text,
                result_html.overview(opened, key_text),
                tabs,
                result_html.findings(opened, key_text),
                *empty,
                choice,
            ]
    return ["", problem, gr.update(visible=False), "", *empty, gr.update(choices=[], value=None)]


def _lazy(name: str, title: str) -> tuple[Any, Any]:
    """A tab and the HTML box in it."""
    import gradio as gr

    with gr.Tab(title, id=name) as tab:
        return tab, _html(elem_classes=["diffing", f"diffing-{name}"])


def _html(**options: Any) -> Any:  # noqa: ANN401  options and a component of Gradio
    """An HTML box in the report's style instead of Gradio's."""
    import gradio as gr

    ours: dict[str, Any] = {"elem_classes": "diffing", "apply_default_css": False}
    return gr.HTML(**(ours | options))


def _fill_on(name: str, tab: Any, box: Any, key: Any, cache: ReportCache) -> None:  # noqa: ANN401  components of Gradio
    """Fills a tab's box when a visitor opens the tab."""
    render = {
        "features": result_html.sae_features,
        "methods": result_html.methods,
        "how": result_html.how,
    }[name]

    def fill(key_text: str) -> str:
        opened = _opened(cache, key_text)
        return render(opened) if opened else ""

    tab.select(fill, [key], [box], **_QUIET)


def _raw_tab(key: Any, cache: ReportCache) -> Any:  # noqa: ANN401  a component of Gradio
    """Builds the tab of raw tables; returns its table selector."""
    import gradio as gr

    with gr.Tab("Raw tables", id="raw") as tab:
        with gr.Row():
            name = gr.Dropdown(label="TablePage", choices=[])
            words = gr.Textbox(label="Search all rows", max_length=200)
            sort = gr.Dropdown(label="Sort all rows by", choices=[("as stored", "")], value="")
            descending = gr.Checkbox(label="Largest first", value=False)
            page = gr.Number(label="Page (100 rows each)", value=1, minimum=1, precision=0)
        status = gr.Markdown()
        table = gr.Dataframe(
            interactive=False, datatype="str", show_label=False, max_chars=160, buttons=["copy", "fullscreen"],
            max_height=640,
        )  # fmt: skip

    def show(key_text: str, name: str | None, words: str, sort: str | None, largest: bool, page: float | None) -> Any:  # noqa: ANN401
        opened = _opened(cache, key_text)
        if opened is None or not name:
            return "", None
        shown = table_of(opened, TableQuery(name, (words or "")[:200], sort or None, largest, int(page or 1) - 1))
        status = f"{shown.total:,} rows; page {shown.page + 1:,} of {shown.pages:,}."
        value = {"headers": list(shown.columns), "data": [list(row) for row in shown.rows]}
        return status, gr.Dataframe(value=value, datatype=["number" if number else "str" for number in shown.numeric])

    def columns(key_text: str, name: str | None) -> Any:  # noqa: ANN401
        opened = _opened(cache, key_text)
        of = table_of(opened, TableQuery(name)).columns if opened and name else ()
        return gr.Dropdown(choices=[("as stored", ""), *((column, column) for column in of)], value=""), 1

    inputs, outputs = [key, name, words, sort, descending, page], [status, table]
    tab.select(columns, [key, name], [sort, page], **_QUIET).then(show, inputs, outputs, **_QUIET)
    name.input(columns, [key, name], [sort, page], **_QUIET).then(show, inputs, outputs, **_QUIET)
    gr.on([words.submit, sort.input, descending.input, page.submit, page.blur], show, inputs, outputs, **_QUIET)
    return name


def _opened(cache: ReportCache, key: str) -> OpenedReport | None:
    """The report of a key; None if it does not exist any more."""
    try:
        return cache.open(key) if key else None
    except DiffingError:
        return None
