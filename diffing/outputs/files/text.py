"""A report as Markdown to be read: what was found, on what evidence, how, and what was not tested.

Everything from models and users is in fences or escaped: on GitHub and the Hub nothing of it becomes HTML, a link, a
picture, a mention or a task.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diffing.outputs import phrasing
from diffing.outputs.examples import Example, Excerpt, Group, examples
from diffing.outputs.markdown_code import block
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.outputs.phrasing import also_found
from diffing.rendering import environment, templates_of
from diffing.report.grouped_list import Entry
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.types import Report, Side, Verdict

WITH_EXAMPLES = 30
"""Entries with examples, the first of the merged list."""
SHOWN: Mapping[Group, int] = {"for": 2, "against": 1}
"""Examples per entry."""
LONGEST, PROMPT = 1_200, 1_000
"""Characters of a response and of a prompt, at most."""
_HELPERS = ("count", "interval", "percent", "points", "probability", "sentence", "shares", "statement")


@dataclass(frozen=True, slots=True)
class _Told:
    """One entry with its examples."""

    entry: Entry
    """The entry."""
    also: str
    """By what else it was found; empty where by nothing."""
    shown: tuple[tuple[str, Example], ...]
    """What each example speaks for, and the example."""


def text(report: Report) -> str:
    """The Markdown.

    Args:
        report: As it may be told.
    """
    # not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell, "block": block, "cut": _cut}
    templates.globals |= {name: getattr(phrasing, name) for name in _HELPERS}
    template = templates.get_template("report.md.jinja")
    told = tuple(_told(report))
    names = index_of(report).names
    rendered = template.render(
        report=report,
        names=names,
        headline=phrasing.headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
        told=told,
        without=max(0, len(told) - WITH_EXAMPLES),
        untested=[each for each in report.findings if each.heldout.p is None],
        left_out=[(stage, reason, n) for stage, one in report.left_out.items() for reason, n in one.items()],
        said=lambda example: _said(example, names),
        excerpts=lambda example: zip("ab", example.excerpts, strict=True),
        excerpt=_excerpt,
        prompt_length=PROMPT,
    )
    return f"{rendered}\n".encode("utf-8", errors="replace").decode()


def _told(report: Report) -> Iterator[_Told]:
    """The merged list, its first entries with examples."""
    index = index_of(report)
    for place, entry in enumerate(index.entries):
        judgements = index.verdicts_on(entry.lead.hypothesis.id) if place < WITH_EXAMPLES else ()
        found = examples(entry.lead, judgements, index.pairs, LONGEST)
        shown = tuple((group, each) for group, most in SHOWN.items() for each in found[group][:most])
        yield _Told(entry, also_found(entry), shown)


def _said(example: Example, names: Names) -> str:
    """Who fits better, and who says so."""
    judgement = example.judgement
    side: Side | None = Verdict(judgement.verdict).side
    fits = f"{names.of(side)} fits better" if side else "neither fits better"
    return f"{fits}, {'measured' if judgement.judge == 'measured' else f'judged by {judgement.judge}'}"


def _excerpt(excerpt: Excerpt) -> str:
    """What is shown of a response, in a fence; what is cut is said by the caller's line above."""
    return block("".join(piece for piece, _ in excerpt.pieces))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
