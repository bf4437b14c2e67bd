"""Reads a model's tokenizer, chat template and stop tokens from its files, without its weights."""

from pathlib import Path

from diffing.models.local.chat_tokens import Chat
from diffing.models.local.load_errors import one_line
from diffing.models.local.loading import read_config
from diffing.models.local.sanity_checks import check_reading
from diffing.models.local.spec import LocalOptions
from diffing.models.local.stop_tokens import config_stops
from diffing.models.local.tokenizers import file_stops, tokenizer_for


def read_chat(name: str, folder: Path, adapter: str | None, tuned: Path | None, options: LocalOptions) -> Chat:
    """Reads what turns conversations into tokens and tokens into answers.

    Args:
        name: The base model's name.
        folder: The folder of its files.
        adapter: The adapter's name; None if there is none.
        tuned: The folder of the adapter's files.
        options: The options of loading.

    Raises:
        ModelError: The files cannot be used.
    """
    config = read_config(name, folder, options)
    tokenizer = tokenizer_for(name, folder, adapter, tuned, options)
    check_reading(name, tokenizer)
    stops = file_stops(name, folder) | config_stops(config)
    if adapter is not None and tuned is not None:
        stops |= file_stops(f"The adapter {adapter}", tuned)
    with one_line(f"{name}: its tokenizer or chat template cannot be used", "give another chat template"):
        return Chat(tokenizer, stops, options.chat_template, name)
