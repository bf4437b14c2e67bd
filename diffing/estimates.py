"""The types of computed statistics: `Estimate`, a value with its interval, `Metrics`, `Concentration`, `Coverage`."""

from dataclasses import dataclass

from diffing.scope import Scope


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its 95% interval. Undefined values are None, never 0."""

    value: float | None
    """Point estimate."""
    low: float | None
    """Lower end of the interval."""
    high: float | None
    """Upper end of the interval."""
    n: int
    """Number of observations."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one hypothesis on one split (criteria of arXiv 2602.10371), over readable verdicts."""

    n: int
    """Number of readable verdicts."""
    k_for: int
    """Number of verdicts for the predicted side."""
    k_against: int
    """Number of verdicts for the other side."""
    unreadable: int
    """Number of unreadable verdicts, which are excluded from every rate."""
    frequency: Estimate
    """(k_for + k_against) / n, with a Wilson interval."""
    accuracy: Estimate
    """k_for / (k_for + k_against), with a Wilson interval; undefined if no verdict is for a side."""
    net_difference: Estimate
    """(k_for - k_against) / n."""
    p: float | None
    """p of the exact one-sided sign test of k_for against k_against; None if the hypothesis was not tested here. For
    signs that are counted it is at least the p with which the lengths of the responses alone would bring k_for. On
    held-out, if the hypothesis has a measured scope of its own: the p of its `Concentration`, which is not smaller."""
    q: float | None = None
    """p after Benjamini-Hochberg over all hypotheses tested on held-out prompts; set on held-out only. It may be below
    what equal weights would give, but not below p (`diffing.metrics.weights`)."""

    @property
    def k_neither(self) -> int:
        """Number of verdicts for neither side."""
        return self.n - self.k_for - self.k_against


@dataclass(frozen=True, slots=True)
class Concentration:
    """Where a difference lives: a measured scope, chosen on train prompts and tested on held-out prompts.

    For a hypothesis with a measured scope of its own, it is that scope.
    """

    scope: Scope
    """The scope, of the kind `measured`."""
    inside: Metrics
    """The metrics on the held-out prompts in the scope; its p is that of the sign test there."""
    outside: Metrics
    """The metrics on the other held-out prompts, of the same measurement."""
    p_differs: float
    """Exact one-sided p-value that the verdicts inside favour the predicted side as much if the scope's labels were
    exchangeable between prompts, given all totals."""
    q: float | None = None
    """max(inside.p, p_differs) after Benjamini-Hochberg over all scopes of confirmed findings; None for a hypothesis
    with a scope of its own, whose q is that of its finding."""

    @property
    def p(self) -> float:
        """The p-value of the scope: both tests must hold, so it is the larger of the two."""
        return max(self.p_differs, 1.0 if self.inside.p is None else self.inside.p)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what tells the two models apart the findings explain, on held-out pairs.

    The question is always: shown both responses to a prompt in random order, which is model A's? An undecided pair
    counts as half a right answer. A verdict that was not asked for, because judging stopped early, counts as none, so
    the findings may explain more than is said.
    """

    everything: Estimate
    """The share of pairs told right from all that was looked at: the texts and every verdict of the run."""
    findings: Estimate
    """The same from the verdicts of all confirmed findings."""
    lines: Estimate
    """The same from the lines of the list that are not folded away."""
    first_five: Estimate
    """The same from the first five of these lines."""
    explained: Estimate
    """(findings - 0.5) / (everything - 0.5), with a bootstrap interval over held-out prompts; undefined if the models
    cannot be told apart, or with too few pairs."""
    explained_by_lines: Estimate
    """The same for the lines."""
    explained_by_first_five: Estimate
    """The same for the first five lines."""
    open_pairs: Estimate
    """The share of pairs on which the findings are less than 3:1 sure."""
    told_in_open: Estimate
    """The share of these pairs that everything tells right: what is still unexplained."""
    p: float
    """Exact one-sided binomial p-value of `everything` against guessing; above 0.05 the models cannot be told apart by
    what was looked at."""
