"""Checks with one short prompt that a loaded model works: its tokenizer, its causal mask, and its adapter's effect.

The model reads the prompt a few times and generates nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.models.local.fixed_noise import fixed_noise
from diffing.models.local.load_errors import one_line
from diffing.models.local.threads import fitting_threads

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_SHORT = 16
"""The number of tokens for the check whether a model looks ahead; it is small because the check may run on the CPU,
before a GPU is lent."""
_NEAR = 4
"""The number of positions before the last one that are checked: if a model looks ahead, it does so at these."""
_TEXT = "how does this work for the people of that town"
"""Common words, in lower case, which no tokenizer changes."""
_NOISE = 0.05
"""The largest change of logits, as a share of their spread, that is put down to rounding. For inputs of the same shape,
rounding in bfloat16 changes them by about a hundredth; if a position sees the next token, they change by about their
spread."""


def check_reading(name: str, tokenizer: "PreTrainedTokenizerBase") -> None:
    """Refuses a tokenizer that loses the whole text, so that all prompts would be equal for the model.

    Args:
        name: The model's name.
        tokenizer: The model's tokenizer.

    Raises:
        ModelError: See above.
    """
    back = str(tokenizer.decode(tokenizer(_TEXT, add_special_tokens=False).input_ids)).casefold()
    if not any(word in back for word in _TEXT.split()):
        raise ModelError(
            f"{name}: its tokenizer gives nothing of an English text back, but {back[:40]!r}: "
            "get its files again, or use another model."
        )


def embedding_rows(model: "PreTrainedModel") -> int | None:
    """The number of token embeddings of a model; None if it is unknown."""
    try:
        weight: Any = model.get_input_embeddings().weight
    except (NotImplementedError, AttributeError):
        return None
    return len(weight)


def check_decoder(name: str, model: "PreTrainedModel", prompt: Sequence[int]) -> None:
    """Refuses a model that cannot read text alone, or whose logits depend on later tokens.

    Args:
        name: The model's name.
        model: The model.
        prompt: Token ids.

    Raises:
        ModelError: See above.
    """
    if len(prompt) < 2:
        return
    prompt = prompt[-_SHORT:]
    other = 1 if prompt[-1] != 1 else 0
    before, after = (read(name, model, [*prompt[:-1], last])[-1 - _NEAR : -1] for last in (prompt[-1], other))
    change = (after - before).abs().amax(dim=-1) / before.std(dim=-1)
    if bool(change.median() > _NOISE):
        raise ModelError(
            f"{name} sees the words that come after each word ({type(model).__name__}), as an encoder does: expected a "
            "decoder, which goes on from its prompt; use another model."
        )


def check_change(name: str, base: "torch.Tensor", adapted: "torch.Tensor") -> None:
    """Refuses an adapter that does not change the model's output.

    Args:
        name: The adapter's name.
        base: Logits of the base, shape (tokens, vocabulary).
        adapted: Logits with the adapter over it, for the same tokens.

    Raises:
        ModelError: Both logits are exactly equal.
    """
    if base.shape == adapted.shape and bool((base == adapted).all()):
        raise ModelError(
            f"The adapter {name} changes nothing: with and without it the model has the same logits for a prompt, as "
            "with an adapter that was never trained; expected a trained one. To ask the base model, name it alone."
        )


def read(name: str, model: "PreTrainedModel", prompt: Sequence[int]) -> "torch.Tensor":
    """Logits of a prompt, shape (tokens, vocabulary), float32, on the CPU.

    Raises:
        ModelError: The model cannot read text alone.
    """
    import torch

    ids = torch.tensor([list(prompt)], device=model.device)
    call: Any = model
    unread = f"{name} cannot read a prompt of text alone"
    # some compute a part of it in float32 whatever the weights are, such as XLNet
    advice = "use another model" if model.dtype == torch.float32 else "load it with dtype float32, or use another model"
    with one_line(unread, advice), fitting_threads(model), fixed_noise(model), torch.inference_mode():
        logits = call(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, -ids.shape[1] :]
        return torch.as_tensor(logits).float().cpu()
