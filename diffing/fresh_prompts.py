"""Fixes the prompts that test the hypotheses of methods that had both models answer prompts of their own.

Such a hypothesis may hold under a condition that hardly any prompt of the run meets. It is then tested where it
applies: on the held-out prompts of the run that meet its condition and, if these are fewer than `ENOUGH`, on new ones.
The LLM that writes these sees the condition and not the hypothesis, and no response; which prompts meet a condition is
decided from the prompts alone. All of this is fixed before a model answers one of them. None of them is, in any
spelling of case and spaces, a prompt of the run or one that the method asked.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.judge.schedule import Apart
from diffing.judge.scopes import decide_scopes
from diffing.methods.base import Method
from diffing.methods.probing import ProbingMethod
from diffing.models.base import Model, Sampling
from diffing.prompt_selection.written import LONGEST, PERSONAS, SCHEMA
from diffing.prompts import fold
from diffing.responses import answer, usage_of
from diffing.stages import FRESH, FRESH_SCOPE, WRITE_FRESH
from diffing.structured_replies import Question, ReplyError, Unreadable, ask_items, entries
from diffing.templates import fence, render
from diffing.types import SIDES, Discovery, Hypothesis, Message, OnProgress, Pair, Prompt, Response, Row, Stage, Usage

ENOUGH = 20
"""With at least this many held-out prompts that meet its condition, a hypothesis is tested as any other. Fewer are
filled up to this number: a behaviour that shows on half of them has a p of 0.001."""
LEAST = 5
"""With fewer prompts no test can confirm anything: five of five have a p of 0.03."""
PER_QUESTION = 12
"""Number of prompts requested in one question; more prompts in one reply become too similar."""
SPARE = 1.5
"""How many times the needed number of prompts is requested, since some repeat others or do not meet the condition."""
ATTEMPTS = 2
"""How many times prompts are written for a condition that has too few."""
DOMAIN = "written for a condition"
"""The domain of the prompts that are written here."""
_TABLE = "fresh_prompts"


@dataclass(frozen=True, slots=True)
class Answers:
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
    apart: tuple[Apart, ...] = ()
    """Hypotheses that are tested where they apply, with the held-out pairs on which they are tested; without any if too
    few prompts were found."""
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

    def without_apart(self, hypotheses: Iterable[Hypothesis]) -> list[Hypothesis]:
        """Those of some hypotheses that are not tested only where they apply."""
        return [each for each in hypotheses if not any(each in group.hypotheses for group in self.apart)]


def own_prompts(
    methods: Sequence[Method],
    discoveries: Sequence[Discovery],
    pairs: Sequence[Pair],
    answers: Answers,
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
    written, writing = _write(judge, {words: few[words][0] for words in few}, needed, taken, on_progress)
    answered, answering = _answer(models, answers, [each for own in written.values() for each in own], on_progress)
    tested = {
        words: [*inside[words], *(answered[each.id] for each in written[words] if each.id in answered)] for words in few
    }
    return OwnPrompts(
        probes,
        tuple(answered.values()),
        tuple(Apart(tuple(few[words]), tuple(tested[words]) if _suffices(tested[words]) else ()) for words in few),
        tuple(_rows(few, tested)),
        tuple(_summed([*decided, *writing, *answering])),
        _notes(few, tested, len(answered)),
    )


def _inside(
    judge: Model, by_condition: Mapping[str, Sequence[Hypothesis]], heldout: Sequence[Pair], on_progress: OnProgress
) -> tuple[dict[str, list[Pair]], list[Usage]]:
    """The held-out pairs of the run whose prompts meet each condition."""
    one_each = [hypotheses[0] for hypotheses in by_condition.values()]
    scopes = decide_scopes(judge, one_each, [pair.prompt for pair in heldout], _as(FRESH_SCOPE, on_progress))
    inside = {
        words: [pair for pair in heldout if scopes.of(hypotheses[0], pair.prompt) is True]
        for words, hypotheses in by_condition.items()
    }
    return inside, [replace(scopes.usage, stage=FRESH_SCOPE)] if scopes.usage else []


def _write(
    judge: Model,
    hypotheses: Mapping[str, Hypothesis],
    needed: Mapping[str, int],
    taken: set[str],
    on_progress: OnProgress,
) -> tuple[dict[str, list[Prompt]], list[Usage]]:
    """The prompts that are written for each condition: different ones that meet it, and none that is taken."""
    kept: dict[str, list[Prompt]] = {words: [] for words in hypotheses}
    usage: list[Usage] = []
    for attempt in range(ATTEMPTS):
        missing = {words: needed[words] - len(kept[words]) for words in kept if len(kept[words]) < needed[words]}
        texts, asked = _written(judge, missing, kept, attempt, on_progress)
        usage += asked
        for words, own in texts.items():
            prompts = _new(own, judge.id, taken)
            scopes = decide_scopes(judge, [hypotheses[words]], prompts, _as(FRESH_SCOPE, on_progress))
            usage += [replace(scopes.usage, stage=FRESH_SCOPE)] if scopes.usage else []
            meeting = [prompt for prompt in prompts if scopes.of(hypotheses[words], prompt) is True]
            kept[words] += meeting[: missing[words]]
    return kept, usage


def _written(
    judge: Model,
    missing: Mapping[str, int],
    kept: Mapping[str, Sequence[Prompt]],
    attempt: int,
    on_progress: OnProgress,
) -> tuple[dict[str, list[str]], list[Usage]]:
    """What the LLM writes for each condition that has too few prompts; it sees the condition alone."""
    asked = [
        (words, series)
        for words, number in missing.items()
        for series in range(-(-round(number * SPARE) // PER_QUESTION))
    ]
    if not asked:
        return {}, []
    questions = [
        Question(_question(words, attempt, series, kept[words]), lambda value: (_texts(value),))
        for words, series in asked
    ]
    answers = ask_items(judge, questions, stage=WRITE_FRESH, schema=SCHEMA, on_progress=on_progress)
    texts: dict[str, list[str]] = {}
    for (words, _), (reply,) in zip(asked, answers.replies, strict=True):
        texts.setdefault(words, []).extend(() if isinstance(reply, Unreadable) else reply)
    return texts, [answers.usage]


def _question(words: str, attempt: int, series: int, kept: Sequence[Prompt]) -> str:
    return render(
        "write_where",
        count=PER_QUESTION,
        series=attempt * len(PERSONAS) + series + 1,
        condition=fence(words),
        voice=fence(PERSONAS[(attempt + series) % len(PERSONAS)]),
        written=[fence(prompt.text) for prompt in kept],
    )


def _texts(value: object) -> tuple[str, ...]:
    texts = [text.strip() for text in entries(value, "prompts") if isinstance(text, str)]
    usable = tuple(text for text in texts if text and len(text) <= LONGEST)
    if not usable:
        raise ReplyError("no prompt")
    return usable


def _new(texts: Iterable[str], writer: str, taken: set[str]) -> list[Prompt]:
    """The texts that are not taken yet, as prompts; they are taken from now on."""
    prompts = []
    for text in texts:
        if fold(text) not in taken:
            taken.add(fold(text))
            id_ = f"fresh-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:12]}"
            prompts.append(Prompt(id_, (Message("user", text),), f"written by {writer}", "heldout", DOMAIN))
    return prompts


def _answer(
    models: tuple[Model, Model], how: Answers, prompts: Sequence[Prompt], on_progress: OnProgress
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


def _as(stage: Stage, on_progress: OnProgress) -> OnProgress:
    """Reports the progress of another stage as that of this one."""
    return lambda _, done, total: on_progress(stage, done, total)


def _summed(usage: Sequence[Usage]) -> list[Usage]:
    """One usage per stage."""
    sums: dict[str, Usage] = {}
    for each in usage:
        one = sums.get(each.stage)
        sums[each.stage] = each if one is None else one.plus(each)
    return list(sums.values())
