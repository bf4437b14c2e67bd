"""Computes the probability distribution of the first token of a model's answers, without generating text."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diffing.models.local.decoding import PREFILL_TOKENS, DecodingRow, check_logits
from diffing.models.local.fixed_noise import fixed_noise

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def next_token_logprobs(
    model: "PreTrainedModel", rows: Sequence[DecodingRow], *, alone: bool
) -> npt.NDArray[np.float32]:
    """Log-probabilities of the token after each prompt.

    Only prompts of the same length are read together, so no padding is needed.

    Args:
        model: A causal language model.
        rows: The rows with the prompts, none of which is empty.
        alone: Whether to read each prompt separately.

    Returns:
        One row per prompt, one column per token of the vocabulary, natural logarithms.

    Raises:
        UnusableLogitsError: See there.
    """
    import torch

    lengths: dict[int, list[int]] = {}
    for place, row in enumerate(rows):
        lengths.setdefault(len(row.prompt), []).append(place)
    found: dict[int, npt.NDArray[np.float32]] = {}
    call: Any = model
    with torch.inference_mode():
        for length, places in sorted(lengths.items()):
            step = 1 if alone else max(1, PREFILL_TOKENS // length)
            for start in range(0, len(places), step):
                group = places[start : start + step]
                ids = torch.tensor([rows[place].prompt for place in group], device=model.device)
                with fixed_noise(model):
                    logits = call(input_ids=ids, use_cache=False).logits[:, -1]
                check_logits(logits, [rows[place] for place in group])
                made = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
                found.update(zip(group, made, strict=True))
    return np.stack([found[place] for place in range(len(rows))])
