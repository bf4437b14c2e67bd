"""Fixes the prompts that test the hypotheses of methods that had both models answer prompts of their own.

Such a hypothesis may hold under a condition that hardly any prompt of the run meets. It is then tested where it
applies: on the held-out prompts of the run that meet its condition and, if these are fewer than `ENOUGH`, on new ones.
The LLM that writes these sees the condition and not the hypothesis, and no response; which prompts meet a condition is
decided from the prompts alone. All of this is fixed before a model answers one of them. None of them is, in any
spelling of case and spaces, a prompt of the run or one that the method asked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diffing.fresh_prompts.writing import DOMAIN, counted_as, write_prompts
from diffing.judge.schedule import JudgedApart
from diffing.judge.scopes import decide_scopes
from diffing.methods.base import Method
from diffing.methods.probing import ProbingMethod
from diffing.models.base import Model, Sampling
from diffing.prompts import fold
from diffing.responses import answer, usage_of
from diffing.stages import FRESH, FRESH_SCOPE
from diffing.types import SIDES, Discovery, Hypothesis, OnProgress, Pair, Prompt, Response, Row, Usage

ENOUGH = 20
"""With at least this many held-out prompts that meet its condition, a hypothesis is tested as any other. Fewer are
filled up to this number: a behaviour that shows on half of them has a p of 0.001."""
LEAST = 5
"""With fewer prompts no test can confirm anything: five of five have a p of 0.03."""
_TABLE = "fresh_prompts"


@dataclass(frozen=True, slots=True)
class AnswerSampling:
    """How both models answer in this run."""

    sampling: Sampling
    """The sampling parameters of the responses."""
    samples: tuple[int, int]
    """The sample numbers of A and of B."""


@dataclass(frozen=True, slots=True)
class OwnPrompts:
    """The prompts that only some hypotheses have verdicts on."""

    probes: tuple[Pair, ...] = ()
    """The pairs that suggested hypotheses: train pairs of their methods."""
    fresh: tuple[Pair, ...] = ()
    """The pairs of prompts that were written for conditions: held-out pairs."""
    apart: tuple[JudgedApart, ...] = ()
    """Hypotheses that are tested where they apply, with the held-out pairs on which they are tested; without any if too
    few prompts were found."""
    applies: Mapping[str, float] = field(default_factory=dict)
    """By the id of such a hypothesis, the share of the run's held-out prompts that meet its condition: half a prompt is
    added, so that the share is not 0 where none does."""
    rows: tuple[Row, ...] = ()
    """The table of these pairs."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens of choosing, writing and answering."""
    notes: tuple[str, ...] = ()
    """Full sentences for the reader of the report."""

    @property
    def tables(self) -> dict[str, tuple[Row, ...]]:
        """The table for the report, if there is one."""
        return {_TABLE: self.rows} if self.rows else {}

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs of these prompts."""
        return (*self.probes, *self.fresh)

    @property
    def apart_with_probes(self) -> tuple[JudgedApart, ...]:
        """What is tested apart, with the pairs that suggested it too, for a judge who judges everything."""
        return tuple(replace(each, pairs=(*self.probes, *each.pairs)) for each in self.apart if each.pairs)

    def without_apart(self, hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
        """Those of some hypotheses that are not tested only where they apply."""
        return [each for each in hypotheses if not any(each in group.hypotheses for group in self.apart)]


def own_prompts(
    methods: Sequence[Method],
    discoveries: Sequence[Discovery],
    pairs: Sequence[Pair],
    answers: AnswerSampling,
    judge: Model | None,
    on_progress: OnProgress,
) -> OwnPrompts:
    """Fixes the prompts that test the hypotheses of methods that asked prompts of their own, and has them answered.

    Args:
        methods: The methods of the run; one that asked prompts of its own also knows whom to ask the fresh ones.
        discoveries: What each of them found.
        pairs: The pairs of the run.
        answers: How both models answer.
        judge: The LLM that decides which prompts meet a condition, and that writes prompts in another conversation.
        on_progress: Called after every answer.

    Raises:
        ModelError: The judge or a model cannot be used at all.
        LimitError: A hard limit of calls or dollars was reached.
    """
    own = [discovery for discovery in discoveries if discovery.probes]
    probes = tuple(pair for discovery in own for pair in discovery.probes)
    by_condition: dict[str, list[Hypothesis]] = {}
    for hypothesis in (each for discovery in own for each in discovery.hypotheses):
        if hypothesis.scope is not None:
            by_condition.setdefault(hypothesis.scope.words, []).append(hypothesis)
    models = next((method.compared for method in methods if isinstance(method, ProbingMethod)), None)
    if judge is None or models is None or not by_condition:
        return OwnPrompts(probes)
    heldout = [pair for pair in pairs if pair.prompt.split == "heldout"]
    inside, decided = _inside(judge, by_condition, heldout, on_progress)
    few = {words: hypotheses for words, hypotheses in by_condition.items() if len(inside[words]) < ENOUGH}
    needed = {words: ENOUGH - len(inside[words]) for words in few}
    taken = {fold(pair.prompt.text) for pair in (*pairs, *probes)}
    written, writing = write_prompts(judge, {words: few[words][0] for words in few}, needed, taken, on_progress)
    answered, answering = _answer(models, answers, [each for own in written.values() for each in own], on_progress)
    tested = {
        words: (*inside[words], *(answered[each.id] for each in written[words] if each.id in answered)) for words in few
    }
    return OwnPrompts(
        probes,
        tuple(answered.values()),
        tuple(JudgedApart(tuple(few[words]), tested[words] if _suffices(tested[words]) else ()) for words in few),
        {each.id: _share(len(inside[words]), len(heldout)) for words, group in few.items() for each in group},
        tuple(_rows(few, tested)),
        tuple(_summed([*decided, *writing, *answering])),
        _notes(few, tested, len(answered)),
    )


def _share(meeting: int, prompts: int) -> float:
    return (meeting + 0.5) / (prompts + 1)


def _inside(
    judge: Model, by_condition: Mapping[str, Sequence[Hypothesis]], heldout: Sequence[Pair], on_progress: OnProgress
) -> tuple[dict[str, list[Pair]], list[Usage]]:
    """The held-out pairs of the run whose prompts meet each condition."""
    one_each = [hypotheses[0] for hypotheses in by_condition.values()]
    scopes = decide_scopes(judge, one_each, [pair.prompt for pair in heldout], counted_as(FRESH_SCOPE, on_progress))
    inside = {
        words: [pair for pair in heldout if scopes.of(hypotheses[0], pair.prompt) is True]
        for words, hypotheses in by_condition.items()
    }
    return inside, [replace(scopes.usage, stage=FRESH_SCOPE)] if scopes.usage else []


def _answer(
    models: tuple[Model, Model], how: AnswerSampling, prompts: Sequence[Prompt], on_progress: OnProgress
) -> tuple[dict[str, Pair], list[Usage]]:
    """The pairs of the prompts that both models could answer, by prompt id."""
    if not prompts:
        return {}, []
    answers, usage = {}, []
    for model, sample, side in zip(models, how.samples, SIDES, strict=True):
        sampling = replace(how.sampling, sample=sample)
        answers[side] = answer(model, prompts, sampling, FRESH[side], on_progress)
        usage.append(usage_of(FRESH[side], model, answers[side]))
    (model_a, model_b), (sample_a, sample_b) = models, how.samples
    pairs = {
        prompt.id: Pair(
            prompt, Response.of(prompt, model_a.id, a, sample_a), Response.of(prompt, model_b.id, b, sample_b)
        )
        for prompt, a, b in zip(prompts, answers["a"], answers["b"], strict=True)
        if not any(each.finish in ("rejected", "error") for each in (a, b))
    }
    return pairs, usage


def _rows(few: Mapping[str, Sequence[Hypothesis]], tested: Mapping[str, Sequence[Pair]]) -> Iterable[Row]:
    """One row per hypothesis and prompt on which it is tested."""
    for words, hypotheses in few.items():
        for hypothesis in hypotheses:
            for pair in tested[words]:
                yield {
                    "hypothesis_id": hypothesis.id,
                    "condition": words,
                    "prompt_id": pair.prompt.id,
                    "written": pair.prompt.domain == DOMAIN,
                    "prompt": pair.prompt.text,
                }


def _notes(few: Collection[str], tested: Mapping[str, Sequence[Pair]], written: int) -> tuple[str, ...]:
    if not few:
        return ()
    notes = [
        f"Conditions of hypotheses that fewer than {ENOUGH} held-out prompts of the run meet: {len(few)}. Hypotheses "
        "with such a condition are tested only where they apply: on the held-out prompts that meet it and on "
        f"{written} prompts that were written for the conditions, before any response to them existed, by an LLM that "
        "did not see the hypotheses. Their shares hold for such prompts, and no other hypothesis is tested on these."
    ]
    untested = sum(not _suffices(pairs) for pairs in tested.values())
    if untested:
        notes.append(
            f"Conditions for which fewer than {LEAST} prompts were found, so that nothing is tested: {untested}."
        )
    return tuple(notes)


def _suffices(pairs: Sequence[Pair]) -> bool:
    return len(pairs) >= LEAST


def _summed(usage: Sequence[Usage]) -> list[Usage]:
    """One usage per stage."""
    sums: dict[str, Usage] = {}
    for each in usage:
        one = sums.get(each.stage)
        sums[each.stage] = each if one is None else one.plus(each)
    return list(sums.values())
