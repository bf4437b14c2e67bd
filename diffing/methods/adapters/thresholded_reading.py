"""Reads each response once with trained adapters, and keeps the features that exceed their thresholds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.adapters.hypotheses import FeatureNames
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.features.active_tokens import Token
from diffing.methods.features.sparse_latents import Latents
from diffing.methods.features.thresholds import above


@dataclass(slots=True)
class ThresholdedReading:
    """Reads responses once, and applies the thresholds when they are known."""

    reader: HybridReader
    """The hybrid."""
    on_read: Callable[[int, int], None]
    """Called with the number of responses read and of all."""
    names: FeatureNames | None = None
    """The features with their thresholds, once these have been chosen."""
    _known: dict[Exchange, Latents | UnreadableResponse] = field(default_factory=dict)

    def read(self, exchanges: Sequence[Exchange]) -> list[Latents | UnreadableResponse]:
        """The features of each response, above 0."""
        missing = [exchange for exchange in dict.fromkeys(exchanges) if exchange not in self._known]
        found = self.reader.read(missing, self.on_read)
        self._known |= zip(missing, found, strict=True)
        return [self._known[exchange] for exchange in exchanges]

    def read_above(self, exchanges: Sequence[Exchange]) -> list[Latents | UnreadableResponse]:
        """The features of each response, above their thresholds."""
        assert self.names is not None
        thresholds = self.names.thresholds
        return [one if isinstance(one, UnreadableResponse) else above(one, thresholds) for one in self.read(exchanges)]

    def trace(self, exchange: Exchange, features: Sequence[int]) -> Mapping[int, tuple[Token, ...]]:
        """See `Tracer`; only tokens above a feature's threshold are returned."""
        assert self.names is not None
        thresholds = self.names.thresholds
        return {
            index: tuple(token for token in tokens if token.value > thresholds[index])
            for index, tokens in self.reader.trace(exchange, features).items()
        }
