"""The shared data types of the package, such as `Prompt`, `Pair`, `Hypothesis`, `Finding` and `Report`.

All of them are frozen dataclasses or type aliases. Types that belong to one method alone, such as a cluster or a
latent, are defined in that method.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self, TypeAlias

from diffing.estimates import Concentration, Coverage, Estimate, Metrics
from diffing.model_ref import ModelRef, read_ref
from diffing.scope import Scope

Role: TypeAlias = Literal["system", "user", "assistant"]
Side: TypeAlias = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
Split: TypeAlias = Literal["train", "heldout"]
Finish: TypeAlias = Literal["stop", "length", "refused", "rejected", "error"]
Scalar: TypeAlias = str | int | float | bool | None
Row: TypeAlias = Mapping[str, Scalar]


class Stage(str):
    """One stage of a run; equal to its key as a string."""

    caption: str
    """The name of the stage in tables, in one or two words."""
    unit: str
    """What progress counts, in the singular, such as `prompt`; empty if nothing is counted."""
    side: Side | None
    """The side of the model that the stage belongs to; None if it belongs to neither."""

    __slots__ = ("caption", "side", "unit")

    def __new__(cls, key: str, caption: str = "", unit: str = "question", side: Side | None = None) -> Self:
        """Creates a stage.

        Args:
            key: The name under which reports store it.
            caption: Its name in tables; empty to use the key.
            unit: What progress counts, in the singular.
            side: The side of the model that it belongs to.
        """
        stage = super().__new__(cls, key)
        stage.caption, stage.unit, stage.side = caption or key, unit, side
        return stage

    @property
    def again(self) -> Self:
        """The stage for repeated questions, whose first replies could not be read."""
        return type(self)(f"{self}, asked again", f"{self.caption}, asked again", self.unit, self.side)


OnProgress: TypeAlias = Callable[[Stage, int, int], None]
"""Callback `on_progress(stage, done, total)`; `total` is 0 if it is not known beforehand."""


def ignore_progress(stage: Stage, done: int, total: int) -> None:
    """A progress callback that does nothing."""


def other_side(side: Side) -> Side:
    """The opposite side: `b` for `a`, and `a` for `b`."""
    return "b" if side == "a" else "a"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """The role of the speaker."""
    content: str
    """The text of the message."""


Conversation: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A user message, with the preceding turns if there are any, that is sent to both models."""

    id: str
    """Stable identifier, unique in a run."""
    messages: Conversation
    """The messages sent; the last one is the user's."""
    source: str
    """The origin of the prompt: `bundled`, a file name, or a Hub dataset with its revision."""
    split: Split
    """Hypotheses are formed on `train`; `heldout` is only used to test them."""
    domain: str | None = None
    """The subject, if the source gives one; findings can be broken down by it."""

    @property
    def text(self) -> str:
        """The last user message."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True)
class Completion:
    """A model's answer to one conversation."""

    text: str
    """The answer without its thinking. An empty answer is valid data."""
    finish: Finish
    """Why generation ended: `stop`, the model ended by itself; `length`, the token limit; `refused`, the provider's
    policy; `rejected`, the model cannot read the prompt (too long, or forbidden by its chat template); `error`, no
    answer after all retries."""
    thinking: str | None = None
    """The thinking that was split off the answer; it is not compared, and shown only on request."""
    prompt_tokens: int | None = None
    """Number of prompt tokens, if known."""
    completion_tokens: int | None = None
    """Number of generated tokens, if known."""
    detail: str | None = None
    """For `refused`, `rejected` and `error`: the reason, in one line."""
    served: str | None = None
    """The name under which the server says it answered; None if that is the requested name in some spelling."""
    declined: str | None = None
    """Settings that the server does not accept and was not sent, such as `temperature, seed`; its defaults applied."""


@dataclass(frozen=True, slots=True)
class Response:
    """One model's answer to one prompt."""

    prompt_id: str
    """The id of the prompt."""
    model: str
    """The model's id: `org/name@commit-sha`, or another id if there is no commit."""
    text: str
    """The answer. An empty answer is valid data."""
    finish: Finish
    """See `Completion.finish`."""
    sample: int = 0
    """The sample number; samples of one model with different numbers are independent."""
    thinking: str | None = None
    """See `Completion.thinking`."""
    prompt_tokens: int | None = None
    """Number of prompt tokens, if known."""
    completion_tokens: int | None = None
    """Number of generated tokens, if known."""

    @classmethod
    def of(cls, prompt: Prompt, model: str, completion: Completion, sample: int) -> Self:
        """Makes a response of a completion.

        Args:
            prompt: The prompt that it answers.
            model: The model's id.
            completion: What the model wrote.
            sample: The sample number.
        """
        return cls(
            prompt_id=prompt.id,
            model=model,
            text=completion.text,
            finish=completion.finish,
            sample=sample,
            thinking=completion.thinking,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt with the responses of both models."""

    prompt: Prompt
    """The prompt."""
    a: Response
    """Model A's response."""
    b: Response
    """Model B's response."""

    def response(self, side: Side) -> Response:
        """The response of one side."""
        return self.a if side == "a" else self.b


@dataclass(frozen=True, slots=True)
class Evidence:
    """A quoted passage of a response that illustrates a hypothesis."""

    prompt_id: str
    """The prompt id of the pair that contains the passage."""
    side: Side
    """The side whose response is quoted."""
    quote: str
    """The quoted text."""


Category: TypeAlias = Literal[
    "capability", "safety and alignment", "style", "reasoning", "knowledge and stance", "format", "language"
]


@dataclass(frozen=True, slots=True)
class PropertyMeasure:
    """Tests a hypothesis by a measured property of the responses, such as their length in words."""

    name: str
    """The name of the property; measures with the same name measure the same property."""


@dataclass(frozen=True, slots=True)
class PhraseMeasure:
    """Tests a hypothesis by whether a response contains a word or phrase."""

    phrase: str
    """The word or phrase."""


@dataclass(frozen=True, slots=True)
class LatentMeasure:
    """Tests a hypothesis by whether any of some latents of a sparse autoencoder (SAE) is active in a response."""

    indices: tuple[int, ...]
    """The indices of the latents in the autoencoder."""
    in_words: bool = False
    """Whether the hypothesis says in words what the latents stand for; otherwise it only names a latent."""


FeatureKind: TypeAlias = Literal["crosscoder", "adapter"]


@dataclass(frozen=True, slots=True)
class FeatureAbove:
    """A feature of a dictionary that was trained on both models, with the threshold above which it counts as active."""

    name: str
    """Its name: `17` is a crosscoder's latent, `d17` a latent of the dictionary of the differences, and `2.17` feature
    17 of the adapter of block 2."""
    above: float
    """It is active in a response if its largest activation there exceeds this."""


@dataclass(frozen=True, slots=True)
class FeatureMeasure:
    """Tests a hypothesis by whether any of some features of a trained dictionary is active in a response."""

    kind: FeatureKind
    """What was trained."""
    features: tuple[FeatureAbove, ...]
    """The features."""
    dictionary: str
    """A hash of the trained dictionary, in hexadecimal digits."""
    in_words: bool = False
    """Whether the hypothesis says in words what the features stand for; otherwise it only names a feature."""

    @property
    def text(self) -> str:
        """The features, their thresholds and the dictionary, such as `17 > 0.83, d4 > 0.2 of 1f0a`."""
        return f"{', '.join(f'{each.name} > {each.above!r}' for each in self.features)} of {self.dictionary}"


Measure: TypeAlias = PropertyMeasure | PhraseMeasure | LatentMeasure | FeatureMeasure
"""How a method measures a hypothesis, instead of having it judged by an LLM."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A testable sentence that says how one model differs from the other."""

    id: str
    """Identifier, unique in a run and the same in every rerun: `<method>-<hash of text and direction>`."""
    text: str
    """The sentence. It starts with `<MODEL>`, which stands for the model of `direction`; the other model is
    `<OTHER MODEL>`."""
    direction: Side
    """The side for which the sentence is predicted to hold more often."""
    method: str
    """The name of the method that proposed the hypothesis."""
    category: Category
    """The category of the difference."""
    evidence: tuple[Evidence, ...] = ()
    """Passages that suggested the hypothesis."""
    measure: Measure | None = None
    """How the method measures the hypothesis; None if a judge tests it."""
    train_effect: float | None = None
    """The method's own measure of the difference on train (a share, positive for `direction`), if it computes one."""
    speaks_of: str | None = None
    """The measured property that, according to the sentence, its model has more of; None if the LLM that wrote the
    sentence named none."""
    scope: Scope | None = None
    """The prompts that the hypothesis speaks of; None if it speaks of all."""


class Verdict(StrEnum):
    """Which response fits a hypothesis better."""

    A = "A"
    """Model A's response fits better."""
    B = "B"
    """Model B's response fits better."""
    SAME = "SAME"
    """Both responses show the behaviour, and equally."""
    NOT_SHOWN = "NOT SHOWN"
    """Neither response shows the behaviour, or the prompt does not bring up the situation that it is about."""
    NEITHER = "NEITHER"
    """Neither response fits better, and it is not known which of the two reasons above holds: measurements, judges
    whose verdict depends on the order of the responses, and reports of earlier versions do not distinguish them."""
    UNREADABLE = "UNREADABLE"
    """The judge gave no readable verdict."""

    @property
    def side(self) -> Side | None:
        """The side that fits better, if one does."""
        return {Verdict.A: "a", Verdict.B: "b"}.get(self)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict on one hypothesis for one pair, judged by an LLM or measured."""

    hypothesis_id: str
    """The id of the hypothesis."""
    prompt_id: str
    """The prompt id of the pair."""
    verdict: Verdict
    """Which side fits the hypothesis better."""
    judge: str
    """The judge's model id; `measured` if the verdict was measured; `described` if it was taken from the descriptions
    of differences on train pairs."""
    shown_first: Side | None = None
    """The side whose response the judge saw first; None if the verdict was measured."""
    reply: str | None = None
    """The judge's original reply on this hypothesis; for an unreadable reply, its text."""
    in_scope: bool = True
    """Whether the prompt is in the hypothesis's scope; True if the hypothesis has none. Outside it, the verdict is
    NOT_SHOWN without a question to the judge."""
    per_word: Side | None = None
    """If signs were counted of which a longer response has more: the side that has more of them per word. A verdict
    for a side says that it has more per word and in all. With the verdict NEITHER, the other side has more in all."""
    chance_a: float | None = None
    """The probability that `per_word` is A, given how many signs both responses have together, if their lengths alone
    placed these; None if `per_word` is None."""


OnHypotheses: TypeAlias = Callable[[Sequence[tuple[Hypothesis, Metrics | None]]], None]
"""Callback `on_hypotheses(hypotheses)` with the untested hypotheses of one method, each with its metrics on train if
the method measures."""


def ignore_hypotheses(hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
    """A callback for hypotheses that does nothing."""


OnResponse: TypeAlias = Callable[[Side, Prompt, str], None]
"""Callback `on_response(side, prompt, text)` for each response to a prompt, as soon as it is there."""


def ignore_response(side: Side, prompt: Prompt, text: str) -> None:
    """A callback for responses that does nothing."""


@dataclass(frozen=True, slots=True)
class Rating:
    """The mean ratings of one hypothesis over the raters whose replies were readable, from 1 to 5."""

    interestingness: Estimate
    """Mean interestingness; low and high are the lowest and the highest single rating."""
    abstraction: Estimate
    """Mean abstraction, from 1 (token level) to 5 (stance towards the user or the truth); low and high likewise."""
    replies: tuple[tuple[str, int | None, int | None], ...] = ()
    """Per rater: model id, interestingness, abstraction; None if a rating was unreadable."""


Place: TypeAlias = Literal["all", "inside", "outside"]
"""All prompts of a split, or those inside or outside a finding's scope."""
LevelKind: TypeAlias = Literal["share", "median", "fits"]


@dataclass(frozen=True, slots=True)
class Level:
    """How much of what a finding is about one model shows by itself, on the prompts of one split and place."""

    split: Split
    """The split of the prompts."""
    place: Place
    """Which of the split's prompts."""
    side: Side
    """The model."""
    kind: LevelKind
    """`share`: the share of whole responses that show it; `median`: the median of what was counted in whole responses,
    if nearly all of both models have some of it; `fits`: the share of pairs with a readable verdict in which the judge
    says that the model's response fits, better than the other one or equally. The response that fits less well may show
    it too, so `fits` is at most the share of responses that show it."""
    value: Estimate
    """The share with Wilson's interval, or the median with its exact binomial interval, which has no ends if there are
    fewer than 6 responses."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A hypothesis with the results of its test."""

    hypothesis: Hypothesis
    """The tested hypothesis."""
    train: Metrics
    """Its metrics on the prompts that suggested it."""
    heldout: Metrics
    """Its metrics on held-out prompts."""
    accepted: bool
    """Whether it meets the paper's criterion on train: the predicted side leads by more than alpha = 0.01."""
    confirmed: bool
    """Whether q <= 0.05 on held-out prompts, after Benjamini-Hochberg over all hypotheses tested there."""
    rating: Rating | None = None
    """Its ratings; None without raters."""
    heldout_in_scope: Metrics | None = None
    """Its metrics on the held-out prompts in its scope; None if it has no scope."""
    concentration: Concentration | None = None
    """The measured scope in which it was tested as well; None if no narrower place was found, or none was sought."""
    levels: tuple[Level, ...] = ()
    """Both models' own levels, by split, place and side; empty if they are not known."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that took part in a run, with its role and settings."""

    id: str
    """The model's id: `org/name@commit-sha`, or another id if there is no commit."""
    role: str
    """`model_a`, `model_b`, `differ`, `judge`, `rater`."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """Settings that influence the text, such as the system prompt, dtype and temperature."""

    @property
    def ref(self) -> ModelRef:
        """The parsed id."""
        return read_ref(self.id)


@dataclass(frozen=True, slots=True)
class Usage:
    """The calls and tokens of one stage and model. Cached answers count too, so it is the same in every rerun."""

    stage: Stage
    """The stage: `responses a`, `describe`, `state`, `judge`, `rate`..."""
    model: str
    """The model's id."""
    calls: int
    """Number of completions requested."""
    prompt_tokens: int
    """Number of prompt tokens, as far as known."""
    completion_tokens: int
    """Number of generated tokens, as far as known."""
    unreadable: int = 0
    """Number of replies that stayed unreadable after all retries."""
    usd: float | None = None
    """Cost in dollars at the given prices; None if no price is known."""

    def plus(self, other: "Usage") -> "Usage":
        """The sum of both, which are of the same stage and model and have no prices yet."""
        return Usage(
            self.stage,
            self.model,
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.unreadable + other.unreadable,
        )


@dataclass(frozen=True, slots=True)
class Discovery:
    """The hypotheses that a method proposes from train pairs, with its records."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses to test."""
    judgements: tuple[Judgement, ...] = ()
    """Verdicts on all train pairs, if the method already has them, so that the judge need not judge these pairs."""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """The method's own records (`differences`, `properties`...), by table name; all rows of a table have the same
    keys."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many items were not followed up, by reason in plain words."""
    notes: tuple[str, ...] = ()
    """Full sentences for the reader of the report."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens of the method."""
    candidates: tuple[Hypothesis, ...] = ()
    """Hypotheses that a measuring method could measure as well and did not choose, in both directions. They are only
    tested within a part of the prompts, if train prompts suggest it."""
    probes: tuple[Pair, ...] = ()
    """Train pairs of prompts that the method itself had both models answer; only its own hypotheses have verdicts on
    them. Its hypotheses with a condition are then tested where they apply (`diffing.fresh_prompts`)."""


KnownBy: TypeAlias = Literal["lead", "property", "judge", "verdicts", "kin", "part", "pairs", "mirror", "follows"]
"""Why a finding belongs to a line: it leads it, says the same as the lead (`property`, `judge`, `verdicts`), or is
another sign of the same behaviour (`kin`, `part`, `pairs`, `mirror`, `follows`)."""
Block: TypeAlias = Literal["behaviours", "wording", "features"]
"""The part of the list that a line belongs to: what models do, words and phrases, or SAE features without words."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One line of the list: findings, from any methods, that say the same or are signs of the same behaviour."""

    lead: str
    """Hypothesis id of the finding that represents the group."""
    members: tuple[str, ...]
    """Hypothesis ids of all findings in the group, the lead first."""
    known_by: tuple[KnownBy, ...] = ()
    """Per member: what shows that it belongs to the line."""
    agreement: tuple[Estimate, ...] = ()
    """Per member: among the train pairs on which it or the lead has a verdict for a side, the share on which both have
    the same verdict relative to the side that each hypothesis predicts."""
    residual: tuple[float | None, ...] = ()
    """Per member: the share of its net difference on train that the lead's verdicts leave unexplained; None if it is
    undefined, and for the lead."""
    block: Block = "behaviours"
    """The part of the list that the line belongs to; the others are folded, and come after it in this order."""


@dataclass(frozen=True, slots=True)
class Report:
    """The complete result of one run. It contains no time stamp, so that the same run gives the same bytes."""

    model_a: ModelInfo
    """The first model."""
    model_b: ModelInfo
    """The second model."""
    others: tuple[ModelInfo, ...]
    """The other models: the LLM that describes differences (differ), judges and raters."""
    pairs: tuple[Pair, ...]
    """Every prompt with both responses."""
    findings: tuple[Finding, ...]
    """All findings, in the order of `ranking.order_findings`: confirmed ones first."""
    judgements: Sequence[Judgement]
    """All verdicts; `judgements.Judgements` stores many of them in little memory."""
    tables: Mapping[str, tuple[Row, ...]]
    """The methods' own records, by `<method>_<table>`."""
    left_out: Mapping[str, Mapping[str, int]]
    """Per stage: how many items were left out, by reason."""
    notes: tuple[str, ...]
    """Warnings and remarks, in full sentences."""
    usage: tuple[Usage, ...]
    """Calls, tokens and cost per stage."""
    settings: Mapping[str, Scalar]
    """Every setting that influenced the result."""
    versions: Mapping[str, str]
    """Versions of the package, Python and the relevant libraries."""
    merged: tuple[Merged, ...] = ()
    """The groups of findings over all methods, every finding in exactly one group. Ordered by the lead: confirmed
    first, sentences before bare SAE features, then as in `findings`. Empty if findings were not grouped."""
    coverage: Coverage | None = None
    """How much of what tells the models apart the findings explain; None if that was not computed."""
    derived: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """A cache of values computed from this report (see `report.index`); it is never saved or copied."""
