"""Combines the results of the LLM method: hypotheses, verdicts on train pairs, tables, counts and notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing.methods.llm.describe import PairDescriptions
from diffing.methods.llm.difference import Difference
from diffing.methods.llm.hypotheses import hypothesis_of, train_judgements
from diffing.methods.llm.join import JoinedHypotheses, same_words
from diffing.methods.llm.listing import DifferenceListing
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.methods.llm.propose import ProposedHypotheses
from diffing.methods.llm.report_tables import rows_of_differences, rows_of_hypotheses
from diffing.methods.llm.sharpen import SharpenedHypotheses
from diffing.types import Discovery, Hypothesis, Pair, other_side

FEW_PAIRS = 20
"""Below this many train pairs, a behaviour that was described on two of them becomes a hypothesis."""


@dataclass(frozen=True, slots=True)
class DiscoverySteps:
    """What each step found."""

    described: PairDescriptions
    """The differences."""
    proposed: ProposedHypotheses
    """The hypotheses that were proposed."""
    joined: JoinedHypotheses
    """Those that remain after joining."""
    rare: Sequence[ProposedHypothesis]
    """Those of them that too few pairs carry."""
    sharpened: SharpenedHypotheses
    """What became of the others."""


def least_pairs(pairs: int) -> int:
    """On how many of the train pairs a behaviour must be described to become a hypothesis."""
    return 2 if pairs < FEW_PAIRS else 3


def split_by_pairs(
    proposals: Sequence[ProposedHypothesis], listing: DifferenceListing
) -> tuple[list[ProposedHypothesis], list[ProposedHypothesis]]:
    """The hypotheses that enough pairs carry, and the others.

    Only pairs on which its model alone shows the behaviour speak for a hypothesis; there must be enough of these, and
    more than on which the other model alone shows it.
    """
    least = least_pairs(len(listing.beginnings))
    enough: list[ProposedHypothesis] = []
    rare: list[ProposedHypothesis] = []
    for each in proposals:
        ahead, behind = (
            each.pairs_of(side, listing.differences) for side in (each.direction, other_side(each.direction))
        )
        (enough if ahead >= least and ahead > behind else rare).append(each)
    return enough, rare


def nothing_described(described: PairDescriptions) -> Discovery:
    """The result if no difference was described."""
    left_out = {reason: count for reason, count in described.left_out.items() if count}
    return Discovery((), left_out=left_out, notes=(note_on_nothing(described),), usage=(described.usage,))


def discovery_of(pairs: Sequence[Pair], listing: DifferenceListing, steps: DiscoverySteps, means: str) -> Discovery:
    """Everything that the method found.

    Args:
        pairs: The train pairs.
        listing: The differences.
        steps: What each step found.
        means: How hypotheses were found, for the note.
    """
    differences = listing.differences
    distinct, repeated = same_words(steps.sharpened.proposals, differences)
    final, rarer = split_by_pairs(distinct, listing)
    tested = {hypothesis.id: (hypothesis, proposal) for hypothesis, proposal in _hypotheses(final, listing)}
    proposals = {name: proposal for name, (_, proposal) in tested.items()}
    outcomes = _outcomes(steps, repeated, rarer, len(pairs))
    readable = zip(pairs, steps.described.readings, strict=True)
    prompts = {pair.prompt.id: reading is not None for pair, reading in readable}
    left_out = _left_out(steps, listing, proposals, outcomes)
    return Discovery(
        hypotheses=tuple(hypothesis for hypothesis, _ in tested.values()),
        judgements=train_judgements(proposals, differences, prompts),
        tables={
            "differences": rows_of_differences(differences, {name: p.differences for name, p in proposals.items()}),
            "hypotheses": rows_of_hypotheses(proposals, outcomes, differences),
            **steps.proposed.tables,
        },
        left_out=left_out,
        notes=(note_on_proposals(differences, len(pairs), len(tested), steps, means), *notes_on_size(len(pairs))),
        usage=(steps.described.usage, steps.proposed.usage, *steps.joined.usage, *steps.sharpened.usage),
    )


def _hypotheses(
    final: Sequence[ProposedHypothesis], listing: DifferenceListing
) -> list[tuple[Hypothesis, ProposedHypothesis]]:
    return [(hypothesis_of(each, listing.differences, len(listing.beginnings)), each) for each in final]


def _outcomes(
    steps: DiscoverySteps, repeated: Sequence[ProposedHypothesis], rarer: Sequence[ProposedHypothesis], pairs: int
) -> dict[str, list[ProposedHypothesis]]:
    """The hypotheses that are not tested, by the reason in plain words."""
    return {
        "says the same as another": [*steps.joined.absorbed, *repeated],
        f"shown on fewer than {least_pairs(pairs)} prompts, or by both models as often": [*steps.rare, *rarer],
        "dropped when sharpened": [*steps.sharpened.dropped],
    }


def _left_out(
    steps: DiscoverySteps,
    listing: DifferenceListing,
    tested: Mapping[str, ProposedHypothesis],
    outcomes: Mapping[str, Sequence[ProposedHypothesis]],
) -> dict[str, int]:
    """What was not followed up, by reason; reasons without a case are not named."""
    carrying = {i for proposal in tested.values() for i in proposal.differences}
    counts = {
        **steps.described.left_out,
        **steps.proposed.left_out,
        "differences that carry no tested hypothesis": len(listing.differences) - len(carrying),
        **{f"hypotheses: {outcome}": len(proposals) for outcome, proposals in outcomes.items()},
        "conditions of hypotheses that could not be used": sum(p.statement.condition_rejected for p in tested.values()),
        "questions on joining that could not be read": steps.joined.unreadable,
        "hypotheses that were not sharpened, as the reply could not be read": steps.sharpened.unreadable,
    }
    return {reason: count for reason, count in counts.items() if count}


def note_on_nothing(described: PairDescriptions) -> str:
    """Why there are no hypotheses."""
    pairs = len(described.readings)
    unreadable = sum(reading is None for reading in described.readings)
    if pairs and unreadable == pairs:
        return (
            f"None of the {pairs} descriptions could be read, so the method llm found nothing. The LLM may be too "
            "small for the task, or does not answer in JSON."
        )
    return f"The LLM named no difference in {pairs - unreadable} pairs, so the method llm has no hypotheses."


def note_on_proposals(
    differences: Sequence[Difference], pairs: int, hypotheses: int, steps: DiscoverySteps, means: str
) -> str:
    """How many differences gave how many hypotheses."""
    least, named = least_pairs(pairs), len({difference.prompt_id for difference in differences})
    found = f"The LLM described {_count(len(differences), 'difference')} on {named} of {pairs} train pairs"
    if not hypotheses:
        return f"{found}, but nothing that recurs on {least} or more of them. So the method llm has no hypotheses."
    changed = sum(each.before is not None for each in steps.sharpened.proposals)
    sharpened = f"; {changed} of them {'was' if changed == 1 else 'were'} reworded before testing" if changed else ""
    return f"{found}, which gave {_count(hypotheses, 'hypothesis', 'hypotheses')} ({means}){sharpened}."


def notes_on_size(pairs: int) -> tuple[str, ...]:
    """What cannot be found with few train pairs."""
    if pairs >= FEW_PAIRS:
        return ()
    return (
        f"With only {_count(pairs, 'train pair')}, the method llm takes up what was described on "
        f"{least_pairs(pairs)} of them; rarer differences cannot be found. A hypothesis can be confirmed only by at "
        "least 5 held-out pairs that all decide for it, and by more if several hypotheses are tested.",
    )


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
