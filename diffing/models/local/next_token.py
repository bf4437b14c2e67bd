"""What a model would say first: the distribution of the first token of its answer. Generates nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from diffing.models.local.decoding import PREFILL_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def next_token_logprobs(model: "PreTrainedModel", prompts: Sequence[Sequence[int]]) -> npt.NDArray[np.float32]:
    """Log-probabilities of the token after each prompt.

    Prompts of one length are read together, so that nothing is padded.

    Args:
        model: A causal language model.
        prompts: Token ids; none empty.

    Returns:
        One row per prompt, one column per token of the vocabulary, natural logarithms.
    """
    import torch

    lengths: dict[int, list[int]] = {}
    for index, prompt in enumerate(prompts):
        lengths.setdefault(len(prompt), []).append(index)
    rows: dict[int, npt.NDArray[np.float32]] = {}
    call: Any = model
    with torch.inference_mode():
        for length, indices in sorted(lengths.items()):
            step = max(1, PREFILL_TOKENS // length)
            for start in range(0, len(indices), step):
                group = indices[start : start + step]
                ids = torch.tensor([list(prompts[i]) for i in group], device=model.device)
                logits = call(input_ids=ids, use_cache=False).logits[:, -1]
                made = torch.log_softmax(logits.float(), dim=-1).cpu().numpy()
                rows.update(zip(group, made, strict=True))
    return np.stack([rows[index] for index in range(len(prompts))])
