"""Renders a family of models as one HTML page without scripts, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from diffing.family import Family, PairResult, Separation
from diffing.outputs.figures.tree import tree
from diffing.outputs.headline import statements
from diffing.outputs.html import environment, stylesheet
from diffing.outputs.phrasing import count, hypothesis_text, interval, one_line, percent, points, prompts_in, shares
from diffing.rendering import templates_of
from diffing.visible_text import several_lines

SHOWN = 6
"""Maximum number of differences that are listed for one fork or one model."""
_LENGTH = 300


class MatrixCell(NamedTuple):
    """One cell of the matrix: two models."""

    share: str
    """The share told apart; empty on the diagonal."""
    range: str
    """Its interval."""
    confirmed: str
    """The number of confirmed differences."""
    depth: int
    """The distance in percent, for the colour."""
    link: str
    """The address of the comparison."""


class FamilyStep(NamedTuple):
    """A step from one model to the next in the order given."""

    names: tuple[str, str]
    """The names of the two models."""
    claims: tuple[str, ...]
    """What differs, as the comparison's headline says it."""
    confirmed: str
    """The number of confirmed differences."""
    link: str
    """The address of the comparison."""


def family_page(family: Family, links: "dict[tuple[int, int], str]") -> str:
    """Returns the page as HTML.

    Args:
        family: The models.
        links: The address of the page of each pair, by the numbers of the two models.
    """
    first = family.pairs[0].report
    return (
        environment(templates_of(__package__))
        .get_template("family.html.jinja")
        .render(
            family=family,
            tree=tree(family).inline(),
            matrix=[[_cell(family, row, column, links) for column in family.order] for row in family.order],
            forks=[
                (
                    in_words(family, branch.left),
                    in_words(family, branch.right),
                    percent(0.5 + branch.height / 2),
                    _words(family, branch.separations),
                    len(branch.separations),
                )
                for branch in reversed(family.branches)
            ],
            unique=[
                (family.names[one], _words(family, family.unique[one])) for one in family.order if family.unique[one]
            ],
            steps=[_step(family, one, other, links) for one, other in pairwise(range(len(family.names)))],
            fitting=family.triples_in_order,
            prompts={split: prompts_in(first, split) for split in ("train", "heldout")},
            style=Markup(stylesheet() + (templates_of(__package__)("family.css") or "")),
        )
    )


def separation_in_words(family: Family, separation: Separation) -> str:
    """One difference between two groups in a sentence.

    Example: "each of sft and dpo writes longer responses than base: net difference at least +40 points, 95% interval
    +31 to +48".
    """
    text = (
        hypothesis_text(separation.hypothesis)
        .replace("<OTHER MODEL>", in_words(family, separation.less))
        .replace("<MODEL>", in_words(family, separation.more))
    )
    said = one_line(text, _LENGTH)
    if separation.scope and separation.scope.lower() not in said.lower():
        said = f"{said}, {one_line(separation.scope, _LENGTH)}"
    smallest = "in the pair with the smallest difference, " if len(separation.more) + len(separation.less) > 2 else ""
    return f"{said}: {smallest}{points(separation.least.value)} points (95% interval {interval(separation.least)})"


def family_json(family: Family) -> dict[str, object]:
    """The family as strict JSON values; models are given by their numbers from 0, in the order given."""
    return {
        "models": [{"name": name, "id": info.id} for name, info in zip(family.names, family.models, strict=True)],
        "order": list(family.order),
        "triples_in_the_order_given": list(family.triples_in_order),
        "pairs": [
            {
                "models": [pair.first, pair.second],
                "told_apart": asdict(pair.told_apart),
                "p": pair.p,
                "confirmed_differences": pair.confirmed,
            }
            for pair in family.pairs
        ],
        "tree": [
            {
                "left": list(branch.left),
                "right": list(branch.right),
                "height": branch.height,
                "separated_by": [_separation(each) for each in branch.separations],
            }
            for branch in family.branches
        ],
        "unique": [[_separation(each) for each in own] for own in family.unique],
        "notes": list(family.notes),
    }


def _separation(separation: Separation) -> dict[str, object]:
    return {
        "text": separation.hypothesis.text,
        "scope": separation.scope or None,
        "more": list(separation.more),
        "less": list(separation.less),
        "least_net_difference": asdict(separation.least),
    }


def in_words(family: Family, models: Sequence[int]) -> str:
    """The names of some models in words, such as "each of sft and dpo"."""
    names = [family.names[model] for model in models]
    if len(names) == 1:
        return names[0]
    return f"each of {', '.join(names[:-1])} and {names[-1]}"


def _words(family: Family, separations: Sequence[Separation]) -> list[str]:
    return [several_lines(separation_in_words(family, each)) for each in separations[:SHOWN]]


def _cell(family: Family, row: int, column: int, links: "dict[tuple[int, int], str]") -> MatrixCell:
    if row == column:
        return MatrixCell("", "", "", 0, "")
    pair = family.pair(row, column)
    found = count(pair.confirmed, "difference")
    return MatrixCell(
        percent(pair.told_apart.value), shares(pair.told_apart), found, round(100 * pair.distance), _link(pair, links)
    )


def _step(family: Family, one: int, other: int, links: "dict[tuple[int, int], str]") -> FamilyStep:
    pair = family.pair(one, other)
    names = (family.names[one], family.names[other])
    return FamilyStep(names, statements(pair.report), count(pair.confirmed, "confirmed difference"), _link(pair, links))


def _link(pair: PairResult, links: "dict[tuple[int, int], str]") -> str:
    return links.get((pair.first, pair.second), "")
