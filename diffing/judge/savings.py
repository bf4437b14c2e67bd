"""Writes notes for a report's reader: what was not judged, what that saved, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from diffing.early_stopping import RunSize
from diffing.judge.judged_verdicts import JudgingResult
from diffing.types import Hypothesis


@dataclass(frozen=True, slots=True)
class PlannedJudging:
    """What was planned to be judged."""

    heldout: Mapping[Hypothesis, int]
    """The number of held-out prompts of each hypothesis, 0 if it was futile."""
    known: frozenset[Hypothesis]
    """The hypotheses whose train verdicts the method had, so that the judge gave none."""
    size: RunSize
    """The sizes of the run."""
    orders: int
    """Questions for a pair and batch: 2 if the judge is asked in both orders, otherwise 1."""


def note_on_savings(planned: PlannedJudging, judged: JudgingResult) -> str:
    """A few sentences on the calls and tokens saved, and on which verdicts the figures rest."""
    sentences = [_on_calls(planned, judged), _on_known(planned), *_on_tested(planned), _on_train(planned)]
    return " ".join(sentence for sentence in sentences if sentence)


def _on_calls(planned: PlannedJudging, judged: JudgingResult) -> str:
    asked = len(judged.answered)
    full, about = _all_questions(planned, judged)
    if full <= asked:
        return f"Judging asked {asked} questions, as many as judging everything takes."
    usage = judged.usage
    tokens = (usage.prompt_tokens + usage.completion_tokens) * (full - asked) / max(1, usage.calls)
    in_tokens = f" and about {float(f'{tokens:.2g}'):,.0f} tokens" if tokens else ""
    return f"Judging asked {asked} of {about}{full} questions, which saved {about}{full - asked} calls{in_tokens}."


def _all_questions(planned: PlannedJudging, judged: JudgingResult) -> tuple[int, str]:
    """The number of questions that judging everything takes; "about " if the share of prompts in scopes decides it."""
    scoped = {hypothesis.id for hypothesis in planned.heldout if hypothesis.scope is not None}
    met = [judgement.in_scope for judgement in judged.judgements if judgement.hypothesis_id in scoped]
    share = sum(met) / len(met) if met else 1.0
    per_pair = ceil((len(planned.heldout) - len(scoped) + share * len(scoped)) / planned.size.batch)
    pairs = planned.size.train + planned.size.heldout
    return pairs * per_pair * planned.orders, "about " if met else ""


def _on_known(planned: PlannedJudging) -> str:
    if not planned.known:
        return ""
    whose = "" if len(planned.known) == len(planned.heldout) else f" of {len(planned.known)} of the hypotheses"
    return (
        f"The verdicts{whose} on train prompts come from the method that proposed them; the judge saw these hypotheses "
        "with held-out prompts alone."
    )


def _on_tested(planned: PlannedJudging) -> list[str]:
    plans, every = planned.heldout, planned.size.heldout
    tested = sorted(number for number in plans.values() if number)
    sentences = []
    if len(tested) < len(plans):
        sentences.append(
            f"{len(plans) - len(tested)} of {len(plans)} judged hypotheses were not tested on held-out prompts, since "
            "after the train prompts these were very unlikely to confirm them."
        )
    if tested:
        span = f"{tested[0]} to {tested[-1]}" if tested[0] < tested[-1] else f"{tested[0]}"
        whom = f"All {len(plans)}" if len(tested) == len(plans) else f"{len(tested)}"
        planning = ", a number planned from the train prompts alone" if tested[0] < every else ""
        sentences.append(f"{whom} were tested on {span} of the {every} held-out prompts{planning}.")
    if tested and len(tested) < len(plans):
        sentences.append("The false discovery rate holds for the hypotheses tested.")
    return sentences


def _on_train(planned: PlannedJudging) -> str:
    rest = "" if len(planned.known) == len(planned.heldout) else ": they rest on the prompts judged until then"
    return f"Figures on train prompts prove nothing{rest}. --judging full judges everything."
