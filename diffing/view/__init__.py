"""The page of the Space: compares the embedded pair and shows the report. Takes no input from visitors yet."""

import html
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import MissingExtraError
from diffing.types import OnProgress

if TYPE_CHECKING:
    import gradio

INTRODUCTION = """\
# diffing
How do two language models behave differently? Both answer the same prompts; differences are looked for on one part of
them and tested on the other. Here two tiny models, in which differences were planted, are compared on this machine.
For your own models: `pip install`, then `diffing run org/one org/two`."""


def build() -> "gradio.Blocks":
    """The page, ready to be launched.

    Raises:
        MissingExtraError: Gradio is not installed.
    """
    try:
        import gradio as gr
    except ImportError:
        raise MissingExtraError("The page", "app") from None

    def compare(progress: gr.Progress = gr.Progress()) -> str:  # noqa: B008  gradio finds it by its default
        def on_progress(stage: str, done: int, total: int) -> None:
            if total:
                progress((done, total), desc=stage)

        return framed(demo_page(on_progress))

    page: gradio.Blocks
    with gr.Blocks(title="diffing") as page:
        gr.Markdown(INTRODUCTION)
        button = gr.Button("Compare the two models", variant="primary")
        report = gr.HTML(label="Report")
        button.click(compare, outputs=report, api_name="demo")
    return page


def demo_page(on_progress: OnProgress) -> str:
    """The report of the embedded pair, as one HTML page."""
    from diffing.demo.config import demo_config
    from diffing.outputs.html import write_html
    from diffing.run import run

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        write_html(run(demo_config(), on_progress=on_progress), path)
        return path.read_text(encoding="utf-8")


def framed(page: str) -> str:
    """A whole page inside another; its scripts run, but see nothing of the page around it."""
    return (
        f'<iframe title="Report" sandbox="allow-scripts" srcdoc="{html.escape(page)}" '
        'style="width:100%;height:85vh;border:0"></iframe>'
    )
