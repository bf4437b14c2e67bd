"""Tests what a crosscoder's latent causes: does the model that has it predict other next tokens without it?"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.methods.crosscoder.feature_rows import CausalRow
from diffing.methods.crosscoder.latent_reading import LatentReading
from diffing.methods.crosscoder.stages import CAUSAL
from diffing.methods.crosscoder.training_choice import chosen_device
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.inside.causal import (
    RANDOM_DIRECTIONS,
    CausalEffect,
    OutputEdit,
    causal_effect,
    gap_closed,
    response_log_probs,
)
from diffing.methods.inside.pair_reading import InsidePair
from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.types import SIDES, OnProgress, Side, other_side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHECKED = 10
"""The number of latents that are checked per direction."""
RESPONSES = 32
"""The largest number of held-out responses on which a latent is checked."""
_FEWEST_RESPONSES = 8
"""Fewer responses hardly suffice for a sign test; fewer latents are checked instead."""
_MOST_ON_CPU = 1e13
"""Operations that the check may take on a processor, some minutes; at least one latent per direction is checked."""


@dataclass(frozen=True, slots=True)
class _Check:
    """What is needed to take one latent out."""

    index: int
    owner: Side
    exchanges: tuple[Exchange, ...]
    places: tuple[tuple[int, ...], ...]
    """Per exchange the positions at which it is active, among the owner's read positions."""
    activations: "tuple[NDArray[np.float32], ...]"
    """Per exchange its activations there."""


@dataclass(frozen=True, slots=True)
class CausalCheck:
    """Takes latents out of the model that has them, on held-out responses in which they are active."""

    pair: InsidePair
    """Both models."""
    reading: LatentReading
    """Reads responses with the dictionaries."""
    dictionaries: Dictionaries
    """The dictionaries."""
    thresholds: "NDArray[np.float64]"
    """The threshold of every latent."""

    def run(
        self, latents: Sequence[tuple[int, Side]], pairs: Sequence[ReadPair], on_progress: OnProgress
    ) -> Mapping[int, CausalRow]:
        """Returns the results by latent; a latent that is active in no held-out response has none.

        Args:
            latents: Latents with the direction of their hypotheses, the strongest first.
            pairs: The held-out pairs.
            on_progress: Told how many latents were checked.
        """
        most, responses = self._extent(pairs)
        chosen = [one for side in SIDES for one in [each for each in latents if each[1] == side][:most]]
        checks = [
            check for index, side in dict(chosen).items() if (check := self._check(index, side, pairs, responses))
        ]
        effects: dict[int, CausalEffect] = {}
        on_progress(CAUSAL, 0, len(checks))
        for check in _by_model(checks, _owner):
            effects[check.index] = self._effect(check)
            on_progress(CAUSAL, len(effects), len(checks))
        return _results(effects, self._gaps_closed(checks) if self.pair.same_space else {})

    def _extent(self, pairs: Sequence[ReadPair]) -> tuple[int, int]:
        """The largest numbers of latents per direction and of responses for each; smaller for large models on a CPU."""
        if chosen_device() != "cpu" or not pairs:
            return CHECKED, RESPONSES
        parameters = max(side.parameters for side in self.pair.sides)
        tokens = sum(pair.latents(side).tokens for pair in pairs for side in SIDES) / (2 * len(pairs))
        return affordable(2 * parameters * tokens * (2 + RANDOM_DIRECTIONS))

    def _check(self, index: int, direction: Side, pairs: Sequence[ReadPair], responses: int) -> _Check | None:
        """Finds the responses in which a latent is strongest, and where it is active in them."""
        above = float(self.thresholds[index])
        strengths = {
            pair.exchange(side): pair.latents(side).value(index)
            for pair in pairs
            for side in SIDES
            if pair.latents(side).value(index) > above
        }
        exchanges = sorted(strengths, key=lambda exchange: -strengths[exchange])[:responses]
        owner = self.dictionaries.owner(index, direction)
        found = list(self._active(exchanges, index, owner))
        if not found:
            return None
        kept, places, activations = zip(*found, strict=True)
        return _Check(index, owner, kept, places, activations)

    def _active(
        self, exchanges: Sequence[Exchange], index: int, owner: Side
    ) -> "Iterator[tuple[Exchange, tuple[int, ...], NDArray[np.float32]]]":
        reads = self.reading.activations(exchanges, [index])
        for exchange, read in zip(exchanges, reads, strict=True):
            if isinstance(read, UnreadableResponse):
                continue
            rows, values = read
            active = values[:, 0].nonzero()[0]
            positions = rows.positions[0 if owner == "a" else 1]
            yield exchange, tuple(positions[row] for row in active), values[active, 0]

    def _effect(self, check: _Check) -> CausalEffect:
        side = self.pair.sides[0 if check.owner == "a" else 1]
        texts = self._texts(check, check.owner)
        return causal_effect(side.whole().model, side.whole_block(), texts, self._edits(check, sign=-1))

    def _gaps_closed(self, checks: Sequence[_Check]) -> dict[int, float | None]:
        """Adds each latent's direction to the model that does not own it, at the positions at which it is active.

        In one space with one tokenizer, these positions are the same in both models.
        """
        owners = {check.index: self._log_probs(check, check.owner) for check in _by_model(checks, _owner)}
        others = {
            check.index: (self._log_probs(check, _other(check)), self._log_probs(check, _other(check), added=True))
            for check in _by_model(checks, _other)
        }
        return {index: gap_closed(owners[index], *others[index]) for index in owners}

    def _log_probs(self, check: _Check, side: Side, *, added: bool = False) -> list[float]:
        """The log-probabilities of the responses in a model, with the latent's direction added or without it."""
        model = self.pair.sides[0 if side == "a" else 1]
        texts = self._texts(check, side)
        at = model.whole_block() if added else None
        return response_log_probs(model.whole().model, texts, at, self._edits(check, sign=1) if added else ())

    def _edits(self, check: _Check, sign: int) -> list[OutputEdit]:
        import torch

        direction = sign * self.dictionaries.direction(check.index, check.owner)
        return [
            OutputEdit(places, torch.from_numpy(values)[:, None] * direction)
            for places, values in zip(check.places, check.activations, strict=True)
        ]

    def _texts(self, check: _Check, side: Side) -> list[TokenizedResponse]:
        texts = (self.pair.sides[0 if side == "a" else 1].tokenize(exchange) for exchange in check.exchanges)
        return [text for text in texts if isinstance(text, TokenizedResponse)]


def affordable(operations: float) -> tuple[int, int]:
    """Returns how many latents per direction, and responses for each, a processor can check.

    Args:
        operations: The floating-point operations for one latent in one response.
    """
    checks = _MOST_ON_CPU / len(SIDES) / max(operations, 1.0)
    latents = int(min(max(checks // _FEWEST_RESPONSES, 1), CHECKED))
    return latents, int(min(max(checks // latents, _FEWEST_RESPONSES), RESPONSES))


def _owner(check: _Check) -> Side:
    return check.owner


def _other(check: _Check) -> Side:
    return other_side(check.owner)


def _by_model(checks: Sequence[_Check], side: Callable[[_Check], Side]) -> list[_Check]:
    """Orders checks by the model that they need, so that each model is loaded once."""
    return sorted(checks, key=side)


def _results(effects: Mapping[int, CausalEffect], gaps_closed: Mapping[int, float | None]) -> dict[int, CausalRow]:
    """Tells which effects are causal, with Benjamini-Hochberg over their sign tests."""
    from scipy.stats import false_discovery_control

    tested = {index: p for index, effect in effects.items() if (p := effect.p_value) is not None}
    corrected = false_discovery_control(list(tested.values()), method="bh") if tested else ()
    falls = {index for index, q in zip(tested, corrected, strict=True) if q <= FALSE_DISCOVERY_RATE}
    return {
        index: CausalRow(
            effect.kl,
            max(effect.kl_random),
            effect.exceeds_random and index in falls,
            gap_closed=gaps_closed.get(index),
        )
        for index, effect in effects.items()
    }
