"""Measures how alike two hypotheses behave, by their verdicts on the same train pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from diffing import metrics
from diffing.estimates import Estimate
from diffing.metrics import kappa
from diffing.types import Hypothesis, Judgement, Pair, Split, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Values = npt.NDArray[np.int8]

SAME_VERDICTS = 0.8
"""Share of the pairs decided by either of two on which the verdicts must be the same, where nobody says that they mean
the same; what the lexical and the SAE method ask of phrases and features as well."""
ABOVE_CHANCE = 0.6
"""Lower end of kappa that the same takes: "substantial agreement" (Landis and Koch 1977)."""
DECIDED_BY_BOTH = 5
"""Pairs that both must have decided; all five the same way is above one half with 95% confidence."""
SOME_AGREEMENT, SOME_KAPPA = 0.5, 0.1
"""Asked where an LLM says that they do: either most of the decided pairs, or a lower end of kappa above 0.1. A judge
who errs in 15% of its verdicts agrees with itself on less than half of the pairs that a rare behaviour decides."""
MISSING = 2
"""The value in a matrix of verdicts where a pair was not judged, or the verdict could not be read."""
RARE = 2
"""Two rare hypotheses, which both decide fewer than 5 pairs, must share at least this many verdicts, and nearly all."""


@dataclass(frozen=True, slots=True)
class VerdictLikeness:
    """Two hypotheses on the pairs for which both have a readable verdict."""

    n: int
    """Pairs."""
    same: int
    """Both decided, the same way."""
    opposite: int
    """Both decided, one for its predicted side and one against."""
    neither: int
    """Both decided for no side."""
    by_chance: float
    """Share of equal verdicts that their frequencies alone would give."""

    @property
    def agreement(self) -> Estimate:
        """Of the pairs decided by either, the share in which both gave the same verdict."""
        return metrics.wilson(self.same, self.n - self.neither)

    @property
    def kappa_low(self) -> float | None:
        """Lower end of Cohen's kappa over for, against and neither; None if chance alone gives full agreement."""
        return kappa.kappa_low(self.same + self.neither, self.n, self.by_chance)

    @property
    def same_verdicts(self) -> bool:
        """Whether the verdicts alone show that both are about the same."""
        return (
            self.same + self.opposite >= DECIDED_BY_BOTH
            and self.mostly_same
            and (self.kappa_low or 0.0) >= ABOVE_CHANCE
        )

    @property
    def mostly_same(self) -> bool:
        """Whether both gave the same verdict on most of the pairs that either decided."""
        return self.same >= SAME_VERDICTS * (self.n - self.neither)

    @property
    def contradicts(self) -> bool:
        """Whether the verdicts speak against both meaning the same: no more equal than opposite ones."""
        return self.opposite > 0 and self.opposite >= self.same

    @property
    def too_few(self) -> bool:
        """Whether the verdicts cannot say anything on this: too few pairs are decided by both."""
        return self.same + self.opposite < RARE

    @property
    def bears_out(self) -> bool:
        """Whether the verdicts fit to what is known already: that both mean the same."""
        both = self.same + self.opposite
        if both < DECIDED_BY_BOTH:
            return both >= RARE and self.opposite == 0 and self.mostly_same
        return (
            self.same > self.opposite
            and (metrics.wilson(self.same, both).low or 0.0) > 0.5
            and (self.same >= SOME_AGREEMENT * (self.n - self.neither) or (self.kappa_low or 0.0) > SOME_KAPPA)
        )


@dataclass(frozen=True)
class SignedVerdicts:
    """The verdicts of several hypotheses on one split, each signed for its predicted side, to be compared."""

    hypotheses: Sequence[Hypothesis]
    """What is compared; named by place below."""
    judgements: Sequence[Judgement]
    """All verdicts, on train pairs or not."""
    pairs: Sequence[Pair]
    """All pairs."""
    split: Split = "train"
    """The split whose verdicts are compared; lists are made of those on train pairs alone."""

    def like(self, i: int, j: int) -> VerdictLikeness:
        """How alike two of them behave."""
        counts = self._counts
        return VerdictLikeness(
            n=int(counts["readable"][i, j]),
            same=int(counts["same"][i, j]),
            opposite=int(counts["opposite"][i, j]),
            neither=int(counts["neither"][i, j]),
            by_chance=float(counts["by chance"][i, j]),
        )

    @cached_property
    def values(self) -> "Values":
        """1 for the predicted side, -1 against it, 0 for neither; `MISSING` without a readable verdict.

        Shape (hypotheses, pairs of the split).
        """
        import numpy as np

        rows = {hypothesis.id: row for row, hypothesis in enumerate(self.hypotheses)}
        wanted = [pair.prompt.id for pair in self.pairs if pair.prompt.split == self.split]
        columns = {prompt_id: column for column, prompt_id in enumerate(wanted)}
        values = np.full((len(rows), len(columns)), MISSING, dtype=np.int8)
        for judgement in self.judgements:
            row, column = rows.get(judgement.hypothesis_id), columns.get(judgement.prompt_id)
            if row is not None and column is not None and judgement.verdict is not Verdict.UNREADABLE:
                side = judgement.verdict.side
                values[row, column] = 0 if side is None else 1 if side == self.hypotheses[row].direction else -1
        return values

    @cached_property
    def _counts(self) -> Mapping[str, Any]:
        """Per two hypotheses, over pairs for which both are readable: counts, and agreement by chance."""
        import numpy as np

        one_hot = np.stack([self.values == sign for sign in (1, -1, 0)]).astype(np.float64)
        readable = one_hot.sum(axis=0)
        together = readable @ readable.T
        by_chance = sum((kind @ readable.T) * (readable @ kind.T) for kind in one_hot) / np.maximum(together, 1) ** 2
        is_for, against, neither = one_hot
        return {
            "readable": together,
            "same": is_for @ is_for.T + against @ against.T,
            "opposite": is_for @ against.T + against @ is_for.T,
            "neither": neither @ neither.T,
            "by chance": by_chance,
        }
