"""Selects the features that become hypotheses, up to a maximum number, and counts those left out."""

from collections import Counter
from collections.abc import Sequence

from diffing.methods.features.feature_screening import LatentCounts, ScreenedLatent
from diffing.types import SIDES, Row


def strongest(screened: Sequence[ScreenedLatent], most: int) -> list[ScreenedLatent]:
    """Keeps the first latents of each direction, at most half of `most` for each; the order stays as it is."""
    chosen = {one.index for side in SIDES for one in [s for s in screened if s.direction == side][: most // 2]}
    return [one for one in screened if one.index in chosen]


def not_followed_up(
    counted: LatentCounts,
    screened: Sequence[ScreenedLatent],
    different: Sequence[ScreenedLatent],
    chosen: Sequence[ScreenedLatent],
) -> dict[str, int]:
    """Counts the features that were not followed up, by reason.

    Args:
        counted: In how many pairs each is active.
        screened: Those whose rates differ.
        different: Of these, one of all that are active in the same responses.
        chosen: Those that are followed up.
    """
    silent = int(((counted.a + counted.b) == 0).sum())
    counts = {
        "features active in no response": silent,
        "features that do not differ on train": len(counted.a) - silent - len(screened),
        "features active in the same responses as a stronger one": len(screened) - len(different),
        "features that differ less than those followed up": len(different) - len(chosen),
    }
    return {reason: count for reason, count in counts.items() if count}


def rate_rows(counted: LatentCounts) -> tuple[Row, ...]:
    """Counts the latents that share each pair of rates, for a scatter plot; latents never active are left out."""
    together = Counter(zip(counted.a.tolist(), counted.b.tolist(), strict=True))
    return tuple(
        {"rate_a": a / counted.pairs, "rate_b": b / counted.pairs, "features": number}
        for (a, b), number in sorted(together.items())
        if a or b
    )
