"""Makes the two pictures of README.md anew from the planted example: `python -m tests.view.examples.pictures`."""

import io
import shutil
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from diffing.outputs.card import section
from diffing.outputs.html import render
from diffing.report import load_report
from diffing.types import ModelInfo, Report
from diffing.view.examples import example_folder
from diffing.view.share.share_html import card_reading

FOLDER = Path(__file__).parents[3] / ".github" / "pictures"
BASE, TUNED, DATASET = "demo/base", "demo/tuned", "demo/base-vs-tuned"
_COLOURS = 128
_DETAILS = "How this was measured, and its limits"
_CARD = """<!doctype html><meta charset="utf-8"><style>
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; padding: 1.2rem 2.5rem; width: 860px; color: #1b1e23; }
h1, h2 { border-bottom: 1px solid #ddd; padding-bottom: 0.4rem; } a { color: #1b62a8; } li { margin: 0.3rem 0; }
img { vertical-align: middle; } summary { margin: 0.8rem 0; }
</style>"""


def main() -> None:
    """Writes `page.png` and `card.png`."""
    report = load_report(example_folder("planted"), token=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1120, "height": 890})
        page.set_content(render(report))
        _write("page", page.screenshot())
        page = browser.new_page()  # the policy of the report's page allows no pictures
        page.set_content(card_page(report))
        _write("card", page.locator("body").screenshot())
        browser.close()


def card_page(report: Report) -> str:
    """A page with the section of a model's card as readers see it, its details folded."""
    named = replace(report, model_a=ModelInfo(BASE, "model_a"), model_b=ModelInfo(TUNED, "model_b"))
    shown, _, _ = str(card_reading(section(named, of=TUNED, dataset=DATASET), named)).partition(
        f"<p><strong>{_DETAILS}"
    )
    return f"{_CARD}<h1>{TUNED}</h1>{shown}<details><summary>{_DETAILS}</summary></details>"


def _write(name: str, picture: bytes) -> None:
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS)
    few.save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
