"""Counts the verdicts that favour neither side by their reason: both alike, not shown, or outside the scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diffing.judgements import Judgements
from diffing.types import Pair, Split, Verdict

_NO_REASON, _NEITHER, _SAME, _NOT_SHOWN, _OUTSIDE = range(5)
_REASONS = {Verdict.NEITHER: _NEITHER, Verdict.SAME: _SAME, Verdict.NOT_SHOWN: _NOT_SHOWN}
_SPLITS: tuple[Split, Split] = ("train", "heldout")


@dataclass(frozen=True, slots=True)
class NeitherCounts:
    """The numbers of verdicts on one hypothesis and one split that are for neither side, where the reason is known."""

    same: int = 0
    """Both responses show the behaviour, and equally."""
    not_shown: int = 0
    """Neither response shows the behaviour, although the prompt is in the scope."""
    outside: int = 0
    """The prompt is outside the hypothesis's scope."""

    def __add__(self, other: "NeitherCounts") -> "NeitherCounts":
        return NeitherCounts(self.same + other.same, self.not_shown + other.not_shown, self.outside + other.outside)

    @property
    def total(self) -> int:
        """Number of verdicts for neither side whose reason is known."""
        return self.same + self.not_shown + self.outside


def neither_counts(judgements: Judgements, pairs: Sequence[Pair]) -> Mapping[tuple[str, Split], NeitherCounts]:
    """Counts by hypothesis id and split; a hypothesis without verdicts is missing.

    Args:
        judgements: All verdicts of a report.
        pairs: The report's pairs.
    """
    import numpy as np

    if not len(judgements):
        return {}
    splits = {pair.prompt.id: _SPLITS.index(pair.prompt.split) for pair in pairs}
    split = np.array([splits[each] for each in judgements.prompt_ids.values])[judgements.prompt_ids.codes]
    reason = np.array([_REASONS.get(each, _NO_REASON) for each in judgements.verdicts.values])[
        judgements.verdicts.codes
    ]
    outside = ~np.array(judgements.in_scope.values)[judgements.in_scope.codes]
    # an unreadable verdict, or one for a side, is counted as such even outside the scope
    reason = np.where((reason != _NO_REASON) & outside, _OUTSIDE, reason)
    counts = np.zeros((len(judgements.hypothesis_ids.values), 2, 5), dtype=np.int64)
    np.add.at(counts, (judgements.hypothesis_ids.codes, split, reason), 1)
    return {
        (hypothesis_id, name): NeitherCounts(*of_split[_SAME:])
        for hypothesis_id, of_splits in zip(judgements.hypothesis_ids.values, counts.tolist(), strict=True)
        for name, of_split in zip(_SPLITS, of_splits, strict=True)
    }
