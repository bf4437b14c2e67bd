"""`python -m tests.benchmarks.page`: all stored results on one page, `results/RESULTS.md`."""

from collections.abc import Sequence
from pathlib import Path

from diffing.atomic_write import write_atomically
from diffing.bench.markdown import escape, render_markdown
from diffing.bench.results import Result, load_results
from tests.benchmarks.glance import BRACKETS, at_a_glance

RESULTS = Path(__file__).parent / "results"
"""Folder of the stored results."""


def render_page(results: Sequence[tuple[str, Result]]) -> str:
    """The page in Markdown: the numbers that say most, then every result.

    Args:
        results: Names and results, in the page's order.
    """
    introduction = ["Made by `python -m tests.benchmarks.page` from the JSON files beside it."]
    facts = at_a_glance(results)
    if facts:
        lines = "\n".join(f"| {escape(fact.what)} | {escape(fact.told)} |" for fact in facts)
        introduction += ["## At a glance", BRACKETS, f"| What | Result |\n| --- | --- |\n{lines}"]
    return render_markdown(results, introduction)


if __name__ == "__main__":
    print(write_atomically(render_page(load_results(RESULTS)).encode(), RESULTS / "RESULTS.md"))
