"""A model with its chat format, put together from its files and an adapter's, and proved to be what was asked for."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.models.local.adapter import add_adapter, learnt_tokens
from diffing.models.local.chat import Chat, ConversationRefusedError
from diffing.models.local.failures import one_line
from diffing.models.local.loading import load_weights
from diffing.models.local.proving import check_change, check_decoder, check_reading, check_tokens, embedding_rows, read
from diffing.models.local.sources import Source
from diffing.models.local.spec import LocalOptions
from diffing.models.local.tokenizers import eos_ids, tokenizer_for
from diffing.types import Message

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ASKED = (
    "Write a short reply to this letter: Dear Sir, on Monday, 3 March, I bought 12 red apples (2.50 each) and a loaf "
    "of bread in your shop. Half of them were bad! Pourquoi? Bitte antworten Sie bald; def total(n): return n * 2.5"
)
"""Of several kinds and tongues, so that experts of many kinds are asked."""
_READ = 64
"""Tokens of it that are read: the end, where the answer is asked for."""
_LEARNT = 16
"""How many tokens an adapter may have in front of it that it learnt one by one."""


def assemble(base: Source, adapter: Source | None, options: LocalOptions) -> tuple["PreTrainedModel", Chat]:
    """Fetches and loads a model, its tokenizer and its adapter, and checks what they are.

    Raises:
        HubError: The files cannot be downloaded.
        ModelError: They do not make a model that writes text, or not all of one; the adapter does not fit or changes
            nothing.
        SettingError: The chat template given cannot be used.
        MissingExtraError: peft or bitsandbytes are not installed.
    """
    folder = base.fetch(code=options.trust_remote_code)
    tuned = None if adapter is None else adapter.fetch(code=False)
    tokenizer = tokenizer_for(base.name, folder, None if adapter is None else adapter.name, tuned, options)
    stops = eos_ids(base.name, folder, None)
    if adapter is not None and tuned is not None:
        stops |= eos_ids(f"The adapter {adapter.name}", tuned, None)
    model = load_weights(base.name, folder, options)
    stops |= eos_ids(base.name, folder, getattr(model.generation_config, "eos_token_id", None))
    with one_line(f"{base.name}: its tokenizer or chat template cannot be used", "give another chat template"):
        chat = Chat(tokenizer, stops, options.chat_template, base.name)
        check_reading(base.name, tokenizer)
        prompt = _prompt(chat, tokenizer)
    context = context_of(model)
    prompt = prompt[-min(_READ, _READ if context is None else context) :]
    if adapter is not None and tuned is not None:
        model = _adapted(base.name, model, adapter.name, tuned, prompt)
    name = base.name if adapter is None else f"{base.name} with the adapter {adapter.name}"
    check_tokens(name, model, prompt)
    check_decoder(name, model, prompt)
    return model, chat


def context_of(model: "PreTrainedModel") -> int | None:
    """Tokens a model can read and write together; None without a limit."""
    context = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    return context if isinstance(context, int) and context > 0 else None


def _prompt(chat: Chat, tokenizer: Any) -> list[int]:  # noqa: ANN401 - its call is typed for all that it can return
    try:
        return chat.encode((Message("user", _ASKED),))
    except ConversationRefusedError:  # each conversation is told so when it comes
        return list(tokenizer(_ASKED).input_ids)


def _adapted(base: str, model: "PreTrainedModel", name: str, folder: Path, prompt: Sequence[int]) -> "PreTrainedModel":
    """The model with its adapter, which has been seen to change what it says."""
    rows = embedding_rows(model)
    # tokens that are new with the adapter mean nothing to the base
    known = [token if rows is None or token < rows else 0 for token in prompt]
    learnt = [token for token in learnt_tokens(folder) if rows is None or token < rows]
    asked = [*learnt[:_LEARNT], *known[_LEARNT:]] if learnt else known
    before = read(base, model, asked)
    adapted = add_adapter(model, name, folder)
    check_change(name, before, read(f"{base} with the adapter {name}", adapted, asked))
    return adapted
