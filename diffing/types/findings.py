"""`Finding`, a hypothesis with the results of its test, its ratings and how much of it each model shows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.estimates import Concentration, Estimate, Metrics
from diffing.types.hypotheses import Hypothesis
from diffing.types.pairs import Side, Split


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
    """Whether q <= 0.05 on held-out prompts, after Benjamini-Hochberg over all hypotheses tested there, those from
    an LLM's descriptions weighed by what train promises."""
    rating: Rating | None = None
    """Its ratings; None without raters."""
    heldout_in_scope: Metrics | None = None
    """Its metrics on the held-out prompts in its scope; None if it has no scope."""
    concentration: Concentration | None = None
    """The measured scope in which it was tested as well; None if no narrower place was found, or none was sought."""
    levels: tuple[Level, ...] = ()
    """Both models' own levels, by split, place and side; empty if they are not known."""
