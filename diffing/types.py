"""The data passed along: frozen, typed, imports only `ModelRef`, knows no file format and no library.

Types that belong to one method alone (a cluster, a latent) live in that method.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self, TypeAlias

from diffing.model_ref import ModelRef, read_ref

Role: TypeAlias = Literal["system", "user", "assistant"]
Side: TypeAlias = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")
Split: TypeAlias = Literal["train", "heldout"]
Finish: TypeAlias = Literal["stop", "length", "refused", "rejected", "error"]
Scalar: TypeAlias = str | int | float | bool | None
Row: TypeAlias = Mapping[str, Scalar]


class Stage(str):
    """One stage of a run. It is equal to the text by which reports store it, so that any earlier report loads."""

    caption: str
    """A word or two for tables."""
    unit: str
    """What is counted in it, in the singular; empty if nothing is."""
    side: Side | None
    """The model whose stage it is; None if it is neither's."""

    __slots__ = ("caption", "side", "unit")

    def __new__(cls, key: str, caption: str = "", unit: str = "question", side: Side | None = None) -> Self:
        """A stage.

        Args:
            key: The name under which reports store it.
            caption: A word or two for tables; the key if none is given.
            unit: What is counted, in the singular.
            side: The model whose stage it is.
        """
        made = super().__new__(cls, key)
        made.caption, made.unit, made.side = caption or key, unit, side
        return made

    @property
    def again(self) -> Self:
        """The stage in which what could not be read is asked again."""
        return type(self)(f"{self}, asked again", f"{self.caption}, asked again", self.unit, self.side)


OnProgress: TypeAlias = Callable[[Stage, int, int], None]
"""`on_progress(stage, done, total)`; `total` is 0 where it cannot be known beforehand."""


def ignore_progress(stage: Stage, done: int, total: int) -> None:
    """The progress callback of those who do not want one."""


def other_side(side: Side) -> Side:
    """The side across."""
    return "b" if side == "a" else "a"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """Who speaks."""
    content: str
    """What is said."""


Conversation: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A user's message (with the turns before it, where there are any) that is sent to both models."""

    id: str
    """Stable name, unique in a run."""
    messages: Conversation
    """What is sent; the last message is the user's."""
    source: str
    """Where it comes from: `bundled`, a file's name or a Hub dataset with its revision."""
    split: Split
    """Hypotheses come from `train`; `heldout` only tests them."""
    domain: str | None = None
    """Subject, where the source says it; findings can be sliced by it."""

    @property
    def text(self) -> str:
        """The last user message."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model made of one conversation."""

    text: str
    """The answer without its thinking; may be empty, which is data."""
    finish: Finish
    """Why it ended: the model stopped; the limit of tokens; refused by the provider's policy; rejected, since the model
    cannot read the prompt (too long, or its chat template forbids it); or an error, no answer after all retries."""
    thinking: str | None = None
    """The thinking that was split off, in whatever notation; shown to nobody unless asked for."""
    prompt_tokens: int | None = None
    """Tokens read, where known."""
    completion_tokens: int | None = None
    """Tokens written, where known."""
    detail: str | None = None
    """For `refused`, `rejected` and `error`: the reason, in one line."""
    served: str | None = None
    """The model that a server says answered, where that is not the name it was asked for in another spelling."""
    declined: str | None = None
    """Settings that the server did not take and was not sent, such as `temperature, seed`; its own held instead."""


@dataclass(frozen=True, slots=True)
class Response:
    """One model's answer to one prompt."""

    prompt_id: str
    """The prompt it answers."""
    model: str
    """`org/name@commit-sha`, or what stands for it where there is no commit."""
    text: str
    """The answer; empty is data."""
    finish: Finish
    """See `Completion.finish`."""
    sample: int = 0
    """Independent samples of one model are numbered."""
    thinking: str | None = None
    """See `Completion.thinking`."""
    prompt_tokens: int | None = None
    """Tokens read, where known."""
    completion_tokens: int | None = None
    """Tokens written, where known."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One prompt with both responses."""

    prompt: Prompt
    """What both were asked."""
    a: Response
    """What model A answered."""
    b: Response
    """What model B answered."""

    def response(self, side: Side) -> Response:
        """The response of one side."""
        return self.a if side == "a" else self.b


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that shows a hypothesis; outputs show it without knowing the method behind it."""

    prompt_id: str
    """The pair it comes from."""
    side: Side
    """Whose response is quoted."""
    quote: str
    """Words of the response."""


Category: TypeAlias = Literal[
    "capability", "safety and alignment", "style", "reasoning", "knowledge and stance", "format", "language"
]


@dataclass(frozen=True, slots=True)
class PropertyMeasure:
    """A hypothesis is tested by a measured property of the responses, such as their length in words."""

    name: str
    """The property's name; measures of the same name measure the same."""


@dataclass(frozen=True, slots=True)
class PhraseMeasure:
    """A hypothesis is tested by whether a response holds a word or phrase."""

    phrase: str
    """The word or phrase."""


@dataclass(frozen=True, slots=True)
class LatentMeasure:
    """A hypothesis is tested by whether any of some latents of a sparse autoencoder is active in a response."""

    indices: tuple[int, ...]
    """The latents' numbers in the autoencoder."""
    in_words: bool = False
    """Whether somebody wrote a sentence on what the latents stand for; else the hypothesis only names a latent."""


Measure: TypeAlias = PropertyMeasure | PhraseMeasure | LatentMeasure
"""What a method measures instead of having a hypothesis judged."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A testable sentence about one model compared with the other, not yet tested."""

    id: str
    """Unique in a run, the same in every rerun: `<method>-<hash of text and direction>`."""
    text: str
    """Starts with `<MODEL>`, which stands for the model of `direction`; the other is `<OTHER MODEL>`."""
    direction: Side
    """The side of which the sentence is predicted to hold more often."""
    method: str
    """The method that found it."""
    category: Category
    """One of the seven categories."""
    evidence: tuple[Evidence, ...] = ()
    """Passages that led to it."""
    measure: Measure | None = None
    """What its method measures to test it; None if a judge tests it."""
    train_effect: float | None = None
    """The method's own size of the difference on train (a share, signed for `direction`), where it computes one."""
    speaks_of: str | None = None
    """The measured property of which the sentence says that its model has more, if the LLM that wrote it named one."""


class Verdict(StrEnum):
    """Which response fits a hypothesis better."""

    A = "A"
    B = "B"
    NEITHER = "NEITHER"
    UNREADABLE = "UNREADABLE"

    @property
    def side(self) -> Side | None:
        """The side that fits better, if one does."""
        return {Verdict.A: "a", Verdict.B: "b"}.get(self)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict on one hypothesis for one pair, judged by an LLM or measured."""

    hypothesis_id: str
    """The hypothesis."""
    prompt_id: str
    """The pair."""
    verdict: Verdict
    """Which side fits better."""
    judge: str
    """The judge's model id, or `measured`."""
    shown_first: Side | None = None
    """Which response the judge saw first; None where it was measured."""
    reply: str | None = None
    """What the judge answered for this hypothesis, as it was; for an unreadable reply, its text."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its 95 % interval. Undefined is None, never 0."""

    value: float | None
    """Point estimate."""
    low: float | None
    """Lower end."""
    high: float | None
    """Upper end."""
    n: int
    """How many observations it rests on."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """One hypothesis on one split (criteria of arXiv 2602.10371), over readable verdicts."""

    n: int
    """Readable verdicts."""
    k_for: int
    """Verdicts for the predicted side."""
    k_against: int
    """Verdicts for the other side."""
    unreadable: int
    """Verdicts that could not be read; outside every rate."""
    frequency: Estimate
    """(k_for + k_against) / n, Wilson."""
    accuracy: Estimate
    """k_for / (k_for + k_against), Wilson; undefined where nothing was decided."""
    net_difference: Estimate
    """(k_for - k_against) / n."""
    p: float | None
    """Exact one-sided sign test of k_for against k_against; None where no verdict was asked for."""
    q: float | None = None
    """p after Benjamini-Hochberg over the hypotheses that held-out prompts tested; on held-out only."""

    @property
    def k_neither(self) -> int:
        """Verdicts for neither side."""
        return self.n - self.k_for - self.k_against


OnFound: TypeAlias = Callable[[Sequence[tuple[Hypothesis, Metrics | None]]], None]
"""`on_found(hypotheses)`: what one method found, not yet tested; with metrics on train where it measures."""


def ignore_found(hypotheses: Sequence[tuple[Hypothesis, Metrics | None]]) -> None:
    """The callback of those who wait for the report."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Mean of the readable ratings of several raters, 1 to 5."""

    interestingness: Estimate
    """Mean; low and high are the lowest and highest single rating."""
    abstraction: Estimate
    """1 token level ... 5 stance towards the user or the truth."""
    replies: tuple[tuple[str, int | None, int | None], ...] = ()
    """Per rater: model id, interestingness, abstraction; None where unreadable."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A hypothesis with what the test said."""

    hypothesis: Hypothesis
    """What was tested."""
    train: Metrics
    """On the prompts that suggested it."""
    heldout: Metrics
    """On the prompts that did not."""
    accepted: bool
    """The paper's criterion, on train: the predicted side is ahead by more than alpha = 0.01."""
    confirmed: bool
    """Held-out only: q <= 0.05 after Benjamini-Hochberg over the hypotheses that held-out prompts tested."""
    rating: Rating | None = None
    """None where nobody rated."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model that took part."""

    id: str
    """`org/name@commit-sha`, or what stands for it."""
    role: str
    """`model_a`, `model_b`, `differ`, `judge`, `rater`."""
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    """System prompt, dtype, temperature and the like, as far as they decide the text."""

    @property
    def ref(self) -> ModelRef:
        """What the id says."""
        return read_ref(self.id)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one stage asked of one model, whether answered anew or from the cache: it is the same in every rerun."""

    stage: Stage
    """`responses a`, `describe`, `state`, `judge`, `rate`..."""
    model: str
    """The model asked."""
    calls: int
    """Completions asked for."""
    prompt_tokens: int
    """Tokens read, as far as known."""
    completion_tokens: int
    """Tokens written, as far as known."""
    unreadable: int = 0
    """Replies that stayed unreadable after all retries."""
    usd: float | None = None
    """Cost at the prices given; None where no price is known."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a method found on train."""

    hypotheses: tuple[Hypothesis, ...]
    """To be tested."""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """The method's own records (`differences`, `properties`...), one table each; all rows of one have the same keys."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """What was not followed up, by reason in plain words, with counts."""
    notes: tuple[str, ...] = ()
    """What the reader of the report must know, in plain sentences."""
    usage: tuple[Usage, ...] = ()
    """Calls this method made."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One entry of the merged list: findings that say the same, of whichever method."""

    lead: str
    """Hypothesis id of the finding that speaks for all of them."""
    members: tuple[str, ...]
    """Hypothesis ids of all of them, the lead first."""
    known_by: tuple[str, ...] = ()
    """Per member: how it is known to say the same as the lead (`lead`, `property`, `judge`, `verdicts`)."""
    agreement: tuple[Estimate, ...] = ()
    """Per member: share of the train pairs decided by it or by the lead on which both gave the same verdict, each
    signed for the side that its hypothesis predicts."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run found, and how. Holds no time stamp: the same run gives the same bytes."""

    model_a: ModelInfo
    """The first model."""
    model_b: ModelInfo
    """The second model."""
    others: tuple[ModelInfo, ...]
    """Differ, judge, raters."""
    pairs: tuple[Pair, ...]
    """Every prompt with both responses."""
    findings: tuple[Finding, ...]
    """Confirmed first, then by size of the net difference on held-out prompts."""
    judgements: Sequence[Judgement]
    """Every single verdict; `judgements.Judgements` holds many of them in little memory."""
    tables: Mapping[str, tuple[Row, ...]]
    """The methods' own records; names are `<method>_<table>`."""
    left_out: Mapping[str, Mapping[str, int]]
    """Per stage: what was left out, by reason."""
    notes: tuple[str, ...]
    """Warnings and remarks, in plain sentences."""
    usage: tuple[Usage, ...]
    """Calls, tokens and cost per stage."""
    settings: Mapping[str, Scalar]
    """Every setting that decided the result."""
    versions: Mapping[str, str]
    """Versions of the package, Python and the libraries that matter."""
    merged: tuple[Merged, ...] = ()
    """The merged list over all methods, every finding in exactly one entry. By the lead: confirmed first, sentences
    before bare features of an SAE, then as `findings`. Empty where findings were not merged."""
    derived: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was worked out of this report, kept with it (see `report.index`); never saved or copied."""
