"""Renders all stored benchmark results to `results/RESULTS.md`: `python -m tests.benchmarks.page`."""

from collections.abc import Sequence
from pathlib import Path

from diffing.atomic_write import write_atomically
from diffing.bench.results import BenchmarkResult, load_results
from diffing.bench.results_page import escape, render_markdown
from tests.benchmarks.glance import BRACKETS, at_a_glance

RESULTS = Path(__file__).parent / "results"
"""The folder of the stored results."""


def render_page(results: Sequence[tuple[str, BenchmarkResult]]) -> str:
    """Renders the page in Markdown: the most important numbers, then every result.

    Args:
        results: The names and results, in the page's order.
    """
    introduction = ["Made by `python -m tests.benchmarks.page` from the JSON files beside it."]
    facts = at_a_glance(results)
    if facts:
        lines = "\n".join(f"| {escape(fact.what)} | {escape(fact.value)} |" for fact in facts)
        introduction += ["## At a glance", BRACKETS, f"| What | Result |\n| --- | --- |\n{lines}"]
    return render_markdown(results, introduction)


if __name__ == "__main__":
    print(write_atomically(render_page(load_results(RESULTS)).encode(), RESULTS / "RESULTS.md"))
