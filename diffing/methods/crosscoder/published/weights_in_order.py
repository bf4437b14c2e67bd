"""Makes a published crosscoder ready for the run's models, and refuses one that does not describe them."""

from dataclasses import dataclass

from diffing.errors import ModelError
from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.latent_facts import rows_for_facts
from diffing.methods.crosscoder.normaliser import NORMALISER_ROWS
from diffing.methods.crosscoder.published.crosscoder import PublishedCrosscoder
from diffing.methods.crosscoder.published.layout import PublishedWeights
from diffing.methods.crosscoder.published.statistics import measure
from diffing.methods.crosscoder.quality import quality
from diffing.methods.crosscoder.sparse_dictionary import Normaliser
from diffing.methods.inside.row_batches import RowStream

_BATCH_ROWS = 2_048
_LOWEST_FVE = 0.3
"""A crosscoder that explains less of a model's variance was made for something else."""


@dataclass(frozen=True, slots=True)
class OrderedWeights:
    """A published crosscoder with the run's model A first."""

    published: PublishedWeights
    """The crosscoder."""
    unchecked: str | None
    """A note if its files do not name its models; its order is then checked by what it explains."""

    @property
    def bytes(self) -> int:
        """The memory that its weights take in float32."""
        weights = self.published.weights
        return 4 * sum(tensor.numel() for tensor in (*weights.encoders, *weights.decoders))


def check_widths(published: PublishedWeights, widths: tuple[int, int]) -> None:
    """Requires a crosscoder of the models' widths.

    Raises:
        ModelError: It was made for models of other widths.
    """
    if published.widths != widths:
        own, run = (f"{a:,} and {b:,}" for a, b in (published.widths, widths))
        raise ModelError(
            f"{published.name} was made for models of width {own}, expected {run}, those of the run's models. Compare "
            "the models that it was made for"
        )


def fit(ordered: OrderedWeights, rows: RowStream, *, same_space: bool, device: str = "cpu") -> Crosscoder:
    """Measures what its files do not hold, and checks that it describes the train responses.

    Args:
        ordered: The crosscoder.
        rows: The rows of the train responses.
        same_space: Whether both models' directions can be compared.
        device: Where it reads.

    Raises:
        ModelError: It has other widths, explains too little of a model, or more with both models exchanged.
        SettingError: There are no rows.
    """
    published = ordered.published
    check_widths(published, rows.widths)
    crosscoder = _made(published, rows, same_space=same_space, device=device)
    explained = _explained(crosscoder, rows)
    low = [f"{fve:.2f} of {side}'s" for fve, side in zip(explained, "AB", strict=True) if not fve >= _LOWEST_FVE]
    if ordered.unchecked and published.widths[0] == published.widths[1]:
        _check_order(published, rows, explained, device=device)
    if low:
        raise ModelError(
            f"{published.name} explains only {' and '.join(low)} variance on the train responses, expected at least "
            f"{_LOWEST_FVE}: it belongs to other models, another layer (--depth) or activations of another scale"
        )
    return crosscoder


def _made(published: PublishedWeights, rows: RowStream, *, same_space: bool, device: str) -> PublishedCrosscoder:
    normaliser = published.normaliser
    if not isinstance(normaliser, Normaliser):
        size = max(min(_BATCH_ROWS, rows.total), 1)
        normaliser = measure(rows.batches(size), min(NORMALISER_ROWS, rows.total), normaliser)
    return PublishedCrosscoder.of(published, normaliser, same_space=same_space).to(device)


def _explained(crosscoder: Crosscoder, rows: RowStream) -> tuple[float, ...]:
    """The explained variance of both models; -infinity where it is undefined."""
    fve = quality(crosscoder, rows_for_facts(rows)).fve
    return tuple(float("-inf") if each is None or each != each else each for each in fve)


def _check_order(published: PublishedWeights, rows: RowStream, explained: tuple[float, ...], *, device: str) -> None:
    """Refuses an order of the models that explains less than the other one."""
    other = _explained(_made(published.swapped(), rows, same_space=False, device=device), rows)
    if sum(other) > sum(explained) and min(other) >= _LOWEST_FVE:
        raise ModelError(
            f"{published.name} explains more of the models if they are exchanged ({other[0]:.2f} and {other[1]:.2f}, "
            f"got {explained[0]:.2f} and {explained[1]:.2f}): exchange the names in --crosscoder-models"
        )
