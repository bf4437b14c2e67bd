"""`Report`, the complete result of a run, and what it contains besides findings: models, tables, calls and tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from diffing.estimates import Coverage
from diffing.model_ref import ModelRef, read_ref
from diffing.types.findings import Finding
from diffing.types.grouped_findings import Merged
from diffing.types.pairs import Pair
from diffing.types.progress import Stage
from diffing.types.verdicts import Judgement

Scalar: TypeAlias = str | int | float | bool | None
Row: TypeAlias = Mapping[str, Scalar]


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
    first, sentences before bare internal features, then as in `findings`. Empty if findings were not grouped."""
    coverage: Coverage | None = None
    """How much of what tells the models apart the findings explain; None if that was not computed."""
    derived: dict[str, object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """A cache of values computed from this report (see `report.index`); it is never saved or copied."""
