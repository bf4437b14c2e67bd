"""Builds the LLM method's tables for the report: the differences that it described, and all proposed hypotheses."""

from collections.abc import Mapping, Sequence

from diffing.methods.llm.difference import Difference
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.types import Row, other_side


def rows_of_differences(differences: Sequence[Difference], carrying: Mapping[str, Sequence[int]]) -> tuple[Row, ...]:
    """One row per difference.

    Args:
        differences: All differences.
        carrying: The indices of the differences that carry each hypothesis, by its id.
    """
    first: dict[int, str] = {}
    for hypothesis_id, indices in carrying.items():
        for index in indices:
            first.setdefault(index, hypothesis_id)
    return tuple(
        {
            "prompt_id": difference.prompt_id,
            "owner": difference.owner,
            "behaviour": difference.behaviour,
            "condition": difference.condition,
            "category": difference.category,
            "quote_a": difference.quote_a,
            "quote_b": difference.quote_b,
            "hypothesis_id": first.get(i),
        }
        for i, difference in enumerate(differences)
    )


def rows_of_hypotheses(
    tested: Mapping[str, ProposedHypothesis],
    outcomes: Mapping[str, Sequence[ProposedHypothesis]],
    differences: Sequence[Difference],
) -> tuple[Row, ...]:
    """One row per proposed hypothesis: those that are tested by id, and the others by the reason why not."""
    rows = [_row(proposal, "tested", hypothesis_id, differences) for hypothesis_id, proposal in tested.items()]
    rows += [_row(each, outcome, None, differences) for outcome, proposals in outcomes.items() for each in proposals]
    return tuple(rows)


def _row(
    proposal: ProposedHypothesis, outcome: str, hypothesis_id: str | None, differences: Sequence[Difference]
) -> Row:
    return {
        "hypothesis": proposal.statement.text,
        "condition": proposal.statement.condition,
        "direction": proposal.direction,
        "outcome": outcome,
        "before": proposal.before,
        "hypothesis_id": hypothesis_id,
        "pairs_for": proposal.pairs_of(proposal.direction, differences),
        "pairs_against": proposal.pairs_of(other_side(proposal.direction), differences),
    }
