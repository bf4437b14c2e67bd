"""Groups tokenized texts of similar length into padded batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from diffing.methods.inside.response_tokens import TokenizedResponse

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class TextBatch:
    """A batch of texts, padded to the same length."""

    ids: "torch.Tensor"
    """Rows x length."""
    read: "torch.Tensor"
    """Rows x length: True at the tokens of responses."""
    mask: "torch.Tensor"
    """Rows x length: 1 at tokens, 0 at padding."""

    def inputs(self, device: "torch.device") -> dict[str, "torch.Tensor"]:
        """What a model reads, on its device.

        The mask is left out if padding is on the right: no token attends to it then, and attention is faster.
        """
        ids = self.ids.to(device)
        if bool((self.mask[:, 0] == 1).all()):
            return {"input_ids": ids}
        mask = self.mask.to(device)
        return {"input_ids": ids, "attention_mask": mask, "position_ids": (mask.cumsum(-1) - 1).clamp(min=0)}


def pad(texts: Sequence[TokenizedResponse], side: Literal["left", "right"] = "right") -> TextBatch:
    """Pads texts to one batch, in the order given."""
    import torch

    width = max(len(text.ids) for text in texts)
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    read = torch.zeros(len(texts), width, dtype=torch.bool)
    mask = torch.zeros(len(texts), width, dtype=torch.long)
    for row, text in enumerate(texts):
        first = width - len(text.ids) if side == "left" else 0
        last = first + len(text.ids)
        ids[row, first:last] = torch.from_numpy(text.ids)
        read[row, first + text.start : last] = True
        mask[row, first:last] = 1
    return TextBatch(ids, read, mask)


def by_length(texts: Sequence[TokenizedResponse], batch_tokens: int, most_rows: int) -> Iterator[list[int]]:
    """Yields batches of indices into `texts`, longest first, so that the first batch needs the most memory.

    Args:
        texts: The tokenized texts.
        batch_tokens: The largest size of a batch, as texts x tokens of the longest; a single text may be larger.
        most_rows: The largest number of texts in a batch.
    """
    order = sorted(range(len(texts)), key=lambda place: (-len(texts[place].ids), place))
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) == most_rows or (len(batch) + 1) * len(texts[batch[0]].ids) > batch_tokens):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
