"""The page of the Space: compares the embedded pair and shows the result. Takes no input from visitors yet."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.errors import MissingExtraError, SettingError
from diffing.types import OnProgress

if TYPE_CHECKING:
    import gradio

INTRODUCTION = """\
# diffing
How do two language models behave differently? Both answer the same prompts; differences are looked for on one part of
them and tested on the other. Here two tiny models, in which differences were planted, are compared on this machine.
For your own models: `pip install`, then `diffing run org/one org/two`."""
DEMO = "demo"
"""The key of the embedded pair's report."""


def build(folder: Path | None = None) -> "gradio.Blocks":
    """The page, ready to be launched.

    Args:
        folder: Where the report is kept; None is a new temporary one.

    Raises:
        MissingExtraError: Gradio is not installed.
    """
    try:
        import gradio as gr
        from gradio.events import api
    except ImportError:
        raise MissingExtraError("The page", "app") from None
    from diffing.view.result import Shelf, result_view

    kept = folder or Path(tempfile.mkdtemp(prefix="diffing-"))

    def find(key: str) -> Path:
        if key != DEMO or not (kept / "report.json").exists():
            raise SettingError("There is no such result: expected one that was computed here. Press the button")
        return kept

    page: gradio.Blocks
    with gr.Blocks(title="diffing") as page:
        gr.Markdown(INTRODUCTION)
        button = gr.Button("Compare the two models", variant="primary")
        view = result_view(Shelf(find))

        def compare(progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008  gradio finds it by its default
            def on_progress(stage: str, done: int, total: int) -> None:
                if total:
                    progress((done, total), desc=stage)

            compare_demo(kept, on_progress)
            return view.open(DEMO)

        button.click(compare, outputs=list(view.outputs), api_visibility="private")
        api(demo, api_name="demo")
    return page


def compare_demo(folder: Path, on_progress: OnProgress) -> None:
    """Compares the embedded pair and saves the report."""
    from diffing.demo.config import demo_config
    from diffing.report import save_report
    from diffing.run import run

    save_report(run(demo_config(), on_progress=on_progress), folder)


def demo() -> dict[str, Any]:
    """Compares the two tiny models that come with the package, and gives the tested differences as JSON."""
    from diffing.demo.config import demo_config
    from diffing.report import report_summary
    from diffing.run import run

    return report_summary(run(demo_config()))
