"""Measures on held-out responses how far a run's crosscoder can be trusted, and notes in the report where it cannot."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.exclusive import EXCLUSIVE
from diffing.methods.crosscoder.null_run import NullFound
from diffing.methods.crosscoder.quality import DictionaryQuality
from diffing.types import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOW_FVE, _HIGH_DEAD, _LOW_ALIGNED, _NULL_SHARE = 0.6, 0.5, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class CrosscoderTrust:
    """The figures by which a reader can judge the dictionaries."""

    dictionaries: Dictionaries
    """The dictionaries."""
    quality: DictionaryQuality
    """How well the crosscoder describes held-out responses."""
    aligned: tuple[float, float] | None
    """The share of the tokens of A's and of B's reading that have a partner."""
    rows: int | None
    """The number of rows that were trained on; None if that is unknown."""
    null: NullFound | None
    """What the same training finds if A is compared with itself; None if that was not done."""
    blocks: tuple[int, int]
    """The blocks of A and of B that are read."""

    def row(self) -> Row:
        """Returns the figures as the only row of a table."""
        facts, quality = self.dictionaries.facts, self.quality
        fve_a, fve_b = quality.fve
        before, after = (_per_side(facts.kinds, which) for which in (facts.exclusive, facts.kept))
        return {
            "dictionary": self.dictionaries.hash,
            "block_a": self.blocks[0],
            "block_b": self.blocks[1],
            "fve_a": fve_a,
            "fve_b": fve_b,
            "l0": quality.l0,
            "dead": quality.dead,
            "dense": quality.dense,
            "rows_per_latent": self.rows / self.dictionaries.crosscoder.latents if self.rows is not None else None,
            "aligned_a": self.aligned[0] if self.aligned else None,
            "aligned_b": self.aligned[1] if self.aligned else None,
            "exclusive_a_before": before[0],
            "exclusive_b_before": before[1],
            "exclusive_a": after[0],
            "exclusive_b": after[1],
            "null_exclusive": self.null.kept if self.null else None,
            "null_tested": self.null.tested if self.null else None,
            "null_confirmed": self.null.confirmed if self.null else None,
        }

    def notes(self) -> Iterator[str]:
        """Yields a full sentence for every figure that is poor, and what "exclusive" means."""
        facts, quality = self.dictionaries.facts, self.quality
        yield EXCLUSIVE
        low = [f"{fve:.0%} of {side}'s" for fve, side in zip(quality.fve, "AB", strict=True) if _below(fve, _LOW_FVE)]
        if low:
            yield (
                f"The crosscoder explains only {' and '.join(low)} variance on held-out responses: much of what the "
                "models represent there is not among its features."
            )
        if quality.dead > _HIGH_DEAD:
            yield f"{quality.dead:.0%} of the crosscoder's latents are active in no held-out response."
        if self.aligned and min(self.aligned) < _LOW_ALIGNED:
            yield (
                f"Only {self.aligned[0]:.0%} of A's and {self.aligned[1]:.0%} of B's tokens end where a token of the "
                "other model ends; the others were not read."
            )
        if self.null is not None:
            yield from _null_notes(self.null, int(facts.kept.sum()))


def _null_notes(null: NullFound, kept: int) -> Iterator[str]:
    yield f"Trained on A against itself, the same training finds {null.kept} exclusive features."
    if null.kept > _NULL_SHARE * kept:
        yield f"That is more than a tenth of the {kept} that it finds here: do not trust which are exclusive."
    if null.tested is None:
        yield (
            "What is confirmed between two samples of A was not measured, because A answers the same each time, or its "
            "responses were not written by the weights that were read."
        )
    else:
        yield (
            f"Between two samples of A's responses it follows up {null.tested} features that differ on train; "
            f"{null.confirmed} of these are confirmed on held-out prompts."
        )


def _per_side(kinds: Sequence[str], counted: "NDArray[np.bool_]") -> tuple[int, int]:
    owners = [kind for kind, is_ in zip(kinds, counted.tolist(), strict=True) if is_]
    return owners.count("exclusive a"), owners.count("exclusive b")


def _below(fve: float | None, limit: float) -> bool:
    return fve is not None and fve < limit
