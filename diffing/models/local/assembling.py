"""Fetches and loads a local model (weights, tokenizer, chat template, adapter), and checks that the result works."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.models.local.adapter import add_adapter, learnt_tokens
from diffing.models.local.architecture import context_length
from diffing.models.local.chat_tokens import Chat
from diffing.models.local.load_errors import one_line
from diffing.models.local.loaded_model import LoadedModel
from diffing.models.local.loading import load_weights, read_config
from diffing.models.local.sanity_checks import check_change, check_decoder, check_reading, embedding_rows, read
from diffing.models.local.sources import ModelFiles
from diffing.models.local.spec import LocalOptions
from diffing.models.local.stop_tokens import take_stops
from diffing.models.local.template import ConversationRefusedError
from diffing.models.local.tokenizers import file_stops, tokenizer_for
from diffing.types import Message

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ASKED = (
    "Write a short reply to this letter: Dear Sir, on Monday, 3 March, I bought 12 red apples (2.50 each) and a loaf "
    "of bread in your shop. Half of them were bad! Pourquoi? Bitte antworten Sie bald; def total(n): return n * 2.5"
)
"""A text with several topics and languages, so that many different experts of a mixture are used."""
_READ = 64
"""Number of tokens of the prompt that are read: its end, at which the answer begins."""
_LEARNT = 16
"""The maximum number of tokens that an adapter may have learnt as a prompt of its own."""


def assemble(base: ModelFiles, adapter: ModelFiles | None, options: LocalOptions, identity: str) -> LoadedModel:
    """Downloads and loads a model, its tokenizer and its adapter, and checks them.

    Args:
        base: The files of the model.
        adapter: The files of the adapter; None if there is none.
        options: The options of loading.
        identity: The id of the model, for messages while it answers.

    Raises:
        HubError: The files cannot be downloaded.
        ModelError: They do not make a model that writes text, or not all of one; the adapter does not fit or changes
            nothing.
        SettingError: The chat template given cannot be used.
        MissingExtraError: peft or bitsandbytes are not installed.
    """
    folder = base.fetch(code=options.trust_remote_code)
    tuned = None if adapter is None else adapter.fetch(code=False)
    read_config(base.name, folder, options)  # first, so that its errors are not reported as the tokenizer's
    tokenizer = tokenizer_for(base.name, folder, None if adapter is None else adapter.name, tuned, options)
    check_reading(base.name, tokenizer)
    stops = file_stops(base.name, folder)
    if adapter is not None and tuned is not None:
        stops |= file_stops(f"The adapter {adapter.name}", tuned)
    model = load_weights(base.name, folder, options)
    stops |= take_stops(model)
    with one_line(f"{base.name}: its tokenizer or chat template cannot be used", "give another chat template"):
        chat = Chat(tokenizer, stops, options.chat_template, base.name)
        prompt = _prompt(chat, tokenizer, model)
    if adapter is not None and tuned is not None:
        model = _adapted(base.name, model, adapter.name, tuned, prompt)
    loaded = LoadedModel.prove(identity, model, chat)
    check_decoder(identity, model, prompt)
    return loaded


def _prompt(chat: Chat, tokenizer: Any, model: "PreTrainedModel") -> list[int]:  # noqa: ANN401
    """The end of an ordinary prompt, at which the answer begins, no longer than the model can read."""
    try:
        ids = chat.encode((Message("user", _ASKED),))
    except ConversationRefusedError:  # the template then refuses each conversation, with its reason
        ids = list(tokenizer(_ASKED).input_ids)
    return ids[-min(_READ, context_length(model.config) or _READ) :]


def _adapted(base: str, model: "PreTrainedModel", name: str, folder: Path, prompt: Sequence[int]) -> "PreTrainedModel":
    """The model with its adapter, after a check that the adapter changes the model's output."""
    rows = embedding_rows(model)
    # the base model does not know the tokens that the adapter adds
    known = [token if rows is None or token < rows else 0 for token in prompt]
    learnt = [token for token in learnt_tokens(folder) if rows is None or token < rows]
    asked = [*learnt[:_LEARNT], *known[_LEARNT:]] if learnt else known
    before = read(base, model, asked)
    adapted = add_adapter(model, name, folder)
    check_change(name, before, read(f"{base} with the adapter {name}", adapted, asked))
    return adapted
