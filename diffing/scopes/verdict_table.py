"""The verdicts on several hypotheses as a matrix, in which conditions on prompts are sought under which they hold.

A verdict is for the side that the hypothesis predicts, against it, for neither, or not readable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from diffing.estimates import Metrics
from diffing.metrics import metrics_of
from diffing.scopes.exact_tests import VerdictCounts
from diffing.types import Hypothesis, Judgement, Verdict

MISSING = 2
"""The value where a pair was not judged. All smaller values are readable verdicts."""
UNREADABLE = 3
"""The value where the verdict could not be read."""


@dataclass(frozen=True, eq=False)
class VerdictTable:
    """The verdicts on hypotheses, relative to the side that each of them predicts."""

    values: npt.NDArray[np.int8]
    """1 for the predicted side, -1 against it, 0 for neither, or `MISSING` or `UNREADABLE`; shape (hypotheses,
    prompts)."""

    def at(self, prompts: npt.NDArray[np.bool_]) -> "VerdictTable":
        """The verdicts on some of the prompts.

        Args:
            prompts: Whether to keep each prompt; shape (prompts,).
        """
        return VerdictTable(self.values[:, prompts])

    def rows(self, places: Sequence[int], mirrored: Sequence[bool]) -> "VerdictTable":
        """The verdicts on some of the hypotheses, or on the same with the other side predicted.

        Args:
            places: The places of the hypotheses.
            mirrored: For each of them, whether the other side is predicted.
        """
        values = self.values[np.array(places, dtype=np.int64)]
        flipped = np.where(values < MISSING, -values, values)
        return VerdictTable(np.where(np.array(mirrored, dtype=np.bool_)[:, None], flipped, values))

    def counts(self, row: int, prompts: npt.NDArray[np.bool_]) -> VerdictCounts:
        """Counts the readable verdicts on one hypothesis on some of the prompts.

        Args:
            row: The place of the hypothesis.
            prompts: Whether to count each prompt; shape (prompts,).
        """
        values = self.values[row, prompts]
        return VerdictCounts(int((values == 1).sum()), int((values == -1).sum()), int((values < MISSING).sum()))

    def metrics(self, row: int, prompts: npt.NDArray[np.bool_]) -> Metrics:
        """Computes the metrics of one hypothesis on some of the prompts; arguments as for `counts`."""
        counts = self.counts(row, prompts)
        unreadable = int((self.values[row, prompts] == UNREADABLE).sum())
        return metrics_of(counts.n, counts.k_for, counts.k_against, unreadable)


def verdict_table(
    hypotheses: Sequence[Hypothesis], judgements: Iterable[Judgement], prompt_ids: Sequence[str]
) -> VerdictTable:
    """Makes the matrix of the verdicts on some hypotheses and prompts; other verdicts are ignored.

    Args:
        hypotheses: The rows.
        judgements: All verdicts.
        prompt_ids: The columns.
    """
    rows = {hypothesis.id: row for row, hypothesis in enumerate(hypotheses)}
    columns = {prompt_id: column for column, prompt_id in enumerate(prompt_ids)}
    values = np.full((len(rows), len(columns)), MISSING, dtype=np.int8)
    codes = [
        {Verdict.UNREADABLE: UNREADABLE, Verdict.A: sign, Verdict.B: -sign}
        for hypothesis in hypotheses
        for sign in (1 if hypothesis.direction == "a" else -1,)
    ]
    for judgement in judgements:
        row, column = rows.get(judgement.hypothesis_id), columns.get(judgement.prompt_id)
        if row is not None and column is not None:
            values[row, column] = codes[row].get(judgement.verdict, 0)
    return VerdictTable(values)
