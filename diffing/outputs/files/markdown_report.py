"""Writes a report as a Markdown document: findings, example pairs, settings and untested hypotheses.

All text from models and users is in code blocks or escaped, so on GitHub and the Hub none of it becomes HTML, a link, a
picture, a mention or a task.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diffing.judgements import Judgements
from diffing.outputs import phrasing
from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.blocks import lines_by_block, title_of
from diffing.outputs.count_words import count_caution
from diffing.outputs.coverage_words import coverage_of_report
from diffing.outputs.examples import Excerpt, Group, PairExample, examples
from diffing.outputs.finding_results import sentence
from diffing.outputs.headline import headline
from diffing.outputs.line_words import member_in_words, overall, place
from diffing.outputs.markdown_code import block
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.rendering import environment, templates_of
from diffing.report.grouped_list import ListEntry
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import Report

WITH_EXAMPLES = 30
"""Maximum number of entries with examples; the first ones of the grouped list have them."""
EXAMPLES_SHOWN: Mapping[Group, int] = {"for": 2, "against": 1}
"""Maximum number of examples per entry, by kind of verdict."""
LONGEST, PROMPT = 1_200, 1_000
"""Maximum number of characters of a response and of a prompt."""
_DECIDED = {"measured": "measured", "described": "taken from the description of how the two responses differ"}
"""Who decided a verdict, where no judge was asked about the hypothesis, by the judge's name in the report."""
_HELPERS = ("count", "interval", "line_statement", "points", "probability", "statement")


@dataclass(frozen=True, slots=True)
class _EntryWithExamples:
    """One entry of the grouped list with its examples."""

    entry: ListEntry
    """The entry."""
    examples: tuple[tuple[str, PairExample], ...]
    """Each example with its kind of verdict."""


def markdown_report(report: Report) -> str:
    """Returns the report as Markdown.

    Args:
        report: The report without addresses of servers.
    """
    # no automatic escaping, since this is not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell, "block": block, "cut": _cut}
    templates.globals |= {name: getattr(phrasing, name) for name in _HELPERS}
    shared = (count_caution, member_in_words, metrics_shown, overall, place, sentence)
    templates.globals |= {function.__name__: function for function in shared}
    template = templates.get_template("report.md.jinja")
    entries = tuple(_entries(report))
    index = index_of(report)
    names = index.names
    rendered = template.render(
        report=report,
        names=names,
        headline=headline(report),
        explanation=phrasing.explanation(report),
        prompts={split: phrasing.prompts_in(report, split) for split in ("train", "heldout")},
        entries=entries,
        blocks=[(_title(title_of(block, index)), lines) for block, lines in lines_by_block(index).items() if lines],
        levels=any(overall(finding, names) for finding in report.findings),
        placed=any(place(finding, names) for finding in report.findings),
        coverage=coverage_of_report(report, names),
        without=max(0, len(entries) - WITH_EXAMPLES),
        untested=[each for each in report.findings if each.heldout.p is None],
        left_out=[(stage, reason, n) for stage, one in report.left_out.items() for reason, n in one.items()],
        verdict=lambda example: _verdict(example, names),
        excerpts=lambda example: zip("ab", example.excerpts, strict=True),
        excerpt=_excerpt,
        prompt_length=PROMPT,
    )
    return f"{rendered}\n".encode("utf-8", errors="replace").decode()


def _entries(report: Report) -> Iterator[_EntryWithExamples]:
    """Yields the grouped list, the first entries with examples."""
    index = index_of(report)
    for at, entry in enumerate(index.entries):
        verdicts = index.verdicts_on(entry.lead.hypothesis.id) if at < WITH_EXAMPLES else Judgements.of(())
        found = examples(entry.lead, verdicts, index, LONGEST)
        shown = tuple((group, each) for group, most in EXAMPLES_SHOWN.items() for each in found[group][:most])
        yield _EntryWithExamples(entry, shown)


def _title(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _verdict(example: PairExample, names: ModelNames) -> str:
    """Says which model's response fits better, and who decided that."""
    judgement = example.judgement
    side = judgement.verdict.side
    fits = f"{names.of(side)} fits better" if side else "neither fits better"
    return f"{fits}, {_DECIDED.get(judgement.judge, f'judged by {judgement.judge}')}"


def _excerpt(excerpt: Excerpt) -> str:
    """Returns the excerpt of a response as a code block; the template's line above says what was cut."""
    return block("".join(piece for piece, _ in excerpt.pieces))


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
