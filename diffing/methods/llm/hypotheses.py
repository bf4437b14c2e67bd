"""Turns an LLM's proposals into the hypotheses that are tested, with evidence and verdicts on train pairs."""

import hashlib
from collections.abc import Mapping, Sequence

from diffing.methods.llm.difference import Difference
from diffing.methods.llm.proposal import ProposedHypothesis
from diffing.scope import Scope
from diffing.types import DESCRIBED, Evidence, Hypothesis, Judgement, Side, Verdict

QUOTES = 5
"""How many passages are kept as evidence."""


def hypothesis_of(proposal: ProposedHypothesis, differences: Sequence[Difference], pairs: int) -> Hypothesis:
    """The hypothesis, with quotes of the predicted side as evidence.

    Args:
        proposal: What was proposed.
        differences: All differences.
        pairs: The number of train pairs.
    """
    text, condition = proposal.statement.text, proposal.statement.condition
    return Hypothesis(
        id=identifier(text, proposal.direction),
        text=text,
        direction=proposal.direction,
        method="llm",
        category=proposal.category,
        evidence=evidence_of(proposal.direction, [differences[i] for i in proposal.differences]),
        train_effect=proposal.train_effect(differences, pairs),
        speaks_of=proposal.speaks_of,
        scope=Scope("stated", condition) if condition else None,
    )


def identifier(text: str, direction: Side) -> str:
    """The id of a hypothesis: the same in every rerun."""
    return f"llm-{hashlib.sha256(f'{direction} {text}'.encode()).hexdigest()[:8]}"


def evidence_of(side: Side, differences: Sequence[Difference]) -> tuple[Evidence, ...]:
    """Quotes of one side from the differences that it owns, one per pair."""
    quotes: dict[str, Evidence] = {}
    for difference in differences:
        quote = difference.quote(side) if difference.owner == side else None
        if quote and difference.prompt_id not in quotes and len(quotes) < QUOTES:
            quotes[difference.prompt_id] = Evidence(difference.prompt_id, side, quote)
    return tuple(quotes.values())


def train_judgements(
    proposals: Mapping[str, ProposedHypothesis], differences: Sequence[Difference], prompts: Mapping[str, bool]
) -> tuple[Judgement, ...]:
    """The verdicts on all train pairs that the descriptions hold already, by hypothesis, then pair.

    A pair on which no difference carries a hypothesis does not show it: whoever described the pair would have named it.

    Args:
        proposals: The hypotheses by id.
        differences: All differences.
        prompts: Per train prompt, whether the description of its pair could be read.
    """
    found = []
    for hypothesis_id, proposal in proposals.items():
        verdicts = proposal.verdicts(differences)
        for prompt_id, readable in prompts.items():
            verdict = verdicts.get(prompt_id, Verdict.NOT_SHOWN) if readable else Verdict.UNREADABLE
            found.append(Judgement(hypothesis_id, prompt_id, verdict, DESCRIBED))
    return tuple(found)
