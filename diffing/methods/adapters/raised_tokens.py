"""Names a feature of the adapters method without an LLM, by the tokens that it makes more probable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffing.methods.adapters.hybrid import Hybrid, decoder_of

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST = 30
RAISED = 5
"""The number of tokens that name a feature."""


def raised_tokens(hybrid: Hybrid, tokenizer: Any, features: Sequence[int]) -> dict[int, tuple[str, ...]]:  # noqa: ANN401
    """The tokens whose logits a feature's direction raises most through the final norm and the unembedding.

    Tokens that are not text by themselves, such as special ones, are left out.

    Args:
        hybrid: The hybrid.
        tokenizer: The tuned model's tokenizer.
        features: Features, counted through all blocks.

    Returns:
        By feature up to five texts, the most raised first; none for a feature that writes nothing.
    """
    import torch

    special = set(tokenizer.all_special_ids)
    found = {}
    for index in features:
        block, number = hybrid.branches.place(index)
        direction = hybrid.branches.blocks[block].w_dec[:, number]
        with torch.no_grad():
            raised = _raised(hybrid, direction) if direction.any() else direction.new_empty(0)
        order = raised.argsort(descending=True, stable=True)[: 10 * RAISED].tolist()
        texts = (tokenizer.decode([token]).strip()[:_LONGEST] for token in order if token not in special)
        found[index] = tuple(dict.fromkeys(text for text in texts if text and text.isprintable()))[:RAISED]
    return found


def _raised(hybrid: Hybrid, direction: "Tensor") -> "Tensor":
    """How much each logit rises along a direction of the residual stream, up to scale."""
    import torch

    model: Any = hybrid.tuned
    head = model.get_output_embeddings().weight
    norm = decoder_of(model).norm
    device = norm.weight.device
    normed = norm(direction.to(device, norm.weight.dtype))
    scores: Tensor = torch.mv(head.float(), normed.float().to(head.device))
    return scores
