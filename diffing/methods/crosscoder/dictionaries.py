"""`Dictionaries`: the trained crosscoder and difference dictionary of one run, which read responses together."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import torch  # noqa: TID253 - only reading a dictionary imports this module
from torch import Tensor  # noqa: TID253

from diffing.methods.crosscoder.dictionary import Crosscoder
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.latent_facts import LatentFacts, LatentUse, rows_for_facts
from diffing.methods.crosscoder.numbering import LatentNumbering
from diffing.methods.inside.row_batches import RowStream
from diffing.types import Side

_HASH_LENGTH = 12


def latent_use(difference: DifferenceDictionary, rows: RowStream) -> LatentUse:
    """Counts on the rows of `rows_for_facts` at how many of them each latent is active."""
    count = 0
    active = torch.zeros(difference.latents, dtype=torch.int64)
    for batch in rows_for_facts(rows):
        count += len(batch.a)
        active += (difference.activations(batch.a, batch.b) > 0).sum(0).cpu()
    return LatentUse(count, active.numpy())


def hash_of(crosscoder: Crosscoder, difference: DifferenceDictionary | None) -> str:
    """Returns the first digits of a hash of everything that decides the activations of both dictionaries."""
    own = [crosscoder.hash, difference.hash if difference else ""]
    return hashlib.sha256("\n".join(own).encode()).hexdigest()[:_HASH_LENGTH]


@dataclass(frozen=True)
class Dictionaries:
    """Both dictionaries and what is known of the crosscoder's latents."""

    crosscoder: Crosscoder
    """The crosscoder."""
    difference: DifferenceDictionary | None
    """The dictionary of the differences; None for two models whose activations cannot be compared."""
    facts: LatentFacts
    """Facts of the crosscoder's latents."""
    difference_use: LatentUse | None
    """How often the latents of the difference dictionary are active; None without one."""
    block: int | None = None
    """The block of model A that is read, if names of latents must tell it; see `LatentNumbering`."""

    @cached_property
    def numbering(self) -> LatentNumbering:
        """The numbers and names of all latents."""
        return LatentNumbering(self.crosscoder.latents, self.difference.latents if self.difference else 0, self.block)

    @cached_property
    def hash(self) -> str:
        """The first digits of a hash of everything that decides the activations."""
        return hash_of(self.crosscoder, self.difference)

    def activations(self, a: Tensor, b: Tensor) -> Tensor:
        """Returns the activations of all latents at rows of both models, as rows x latents on the CPU."""
        parts = [self.crosscoder.activations(a, b).cpu()]
        if self.difference is not None:
            parts.append(self.difference.activations(a, b).cpu())
        return torch.cat(parts, dim=1)

    def owner(self, index: int, direction: Side) -> Side:
        """Returns the model in which a latent can be taken out.

        An exclusive latent is its owner's. A difference latent moves B away from A. A latent that both models have is
        taken out of the model whose responses activate it more often.

        Args:
            index: The latent's number.
            direction: The side in whose responses it is active more often.
        """
        if index >= self.crosscoder.latents:
            return "b"
        return {"exclusive a": "a", "exclusive b": "b"}.get(self.facts.kinds[index], direction)  # type: ignore[return-value]

    def direction(self, index: int, owner: Side) -> Tensor:
        """Returns what one unit of a latent's activation adds to its owner's residual stream."""
        if index >= self.crosscoder.latents:
            assert self.difference is not None
            return self.difference.direction(index - self.crosscoder.latents).cpu()
        return self.crosscoder.direction(index, owner).cpu()
