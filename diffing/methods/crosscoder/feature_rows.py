"""Builds the rows of the report's table of crosscoder latents: kind, frequency in both models, measured effect."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.kinds import LatentClass, owner
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_screening import LatentCounts, ScreenedLatent, unscreened
from diffing.methods.features.thresholds import TRIED
from diffing.types import Row, Scalar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CausalRow:
    """The causal check of one latent."""

    kl: float
    """The mean effect on the next token of taking it out, in nats."""
    kl_random: float
    """The largest effect of a random direction."""
    causal: bool
    """Whether taking it out does more than every random direction, and makes the responses less probable."""
    rates: tuple[float, float] | None = None
    """The share of some held-out prompts to which its owner's response in this run has it, and the same for the owner's
    new answers, written while its direction is projected out; None if the owner was not asked."""
    gap_closed: float | None = None
    """With both models in one space: the share of the gap between their log-probabilities of the responses that closes
    when it is added to the other model; None if they are not, or there is no gap."""


@dataclass(frozen=True)
class FeatureRows:
    """Makes the rows from what is known of all latents."""

    dictionaries: Dictionaries
    """The dictionaries with the facts of their latents."""
    kinds: tuple[LatentClass, ...]
    """The kind of every latent."""
    thresholds: "NDArray[np.float64]"
    """The threshold of every latent."""
    counted: LatentCounts
    """In how many train pairs each latent is active."""
    causal: Mapping[int, CausalRow] = field(default_factory=dict)
    """Results of the causal check, by latent."""

    def rows(
        self, screened: Sequence[ScreenedLatent], features: Iterable[FeatureEvidence], followable: "NDArray[np.bool_]"
    ) -> tuple[Row, ...]:
        """Returns a row for each latent whose rates differ, and then for each exclusive one whose rates do not.

        Args:
            screened: The latents whose rates differ.
            features: Those that were followed up.
            followable: Whether each latent is alive and not dense.
        """
        shown = {feature.index: feature for feature in features}
        rows = [self._row(shown.get(one.index, FeatureEvidence(one, ())), one.index in shown, True) for one in screened]
        differ = {one.index for one in screened}
        own = [i for i, kind in enumerate(self.kinds) if owner(kind) and i not in differ and followable[i]]
        internal = unscreened(self.counted, own, TRIED)
        return (*rows, *(self._row(FeatureEvidence(one, ()), False, False) for one in internal))

    def _row(self, feature: FeatureEvidence, chosen: bool, differs: bool) -> Row:
        index = feature.index
        known = self.causal.get(index)
        return {
            "name": self.dictionaries.numbering.name(index),
            "kind": self.kinds[index].split(" ")[0],
            "owner": owner(self.kinds[index]),
            "shown_in": "behaviour" if differs else "internal",
            **feature.row(None, chosen),
            "agrees_with": feature.agrees_with,
            "threshold": float(self.thresholds[index]),
            **self._facts(index),
            "causal_kl": known.kl if known else None,
            "causal_kl_random": known.kl_random if known else None,
            "causal": known.causal if known else None,
            "gap_closed": known.gap_closed if known else None,
            "rate_before_steering": known.rates[0] if known and known.rates else None,
            "rate_steered": known.rates[1] if known and known.rates else None,
        }

    def _facts(self, index: int) -> dict[str, Scalar]:
        facts, use = self.dictionaries.facts, self.dictionaries.difference_use
        own = index < len(facts.kinds)
        at = index if own else index - len(facts.kinds)
        active = facts.active_rows[at] if own else use.active_rows[at] if use else 0
        rows = facts.rows if own else use.rows if use else 0
        return {
            "rho": _number(facts.rho[at]) if own else None,
            "nu_error": _number(facts.scaling.error[at]) if own else None,
            "nu_reconstruction": _number(facts.scaling.reconstruction[at]) if own else None,
            "nu_error_free": _number(facts.free.error[at]) if own else None,
            "nu_reconstruction_free": _number(facts.free.reconstruction[at]) if own else None,
            "active_share": int(active) / rows if rows else None,
        }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
