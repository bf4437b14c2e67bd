"""Loads a model's tokenizer and chat template, the adapter's if it has its own, and reads a folder's stop tokens.

A fine-tuned model that learnt a format of its own only works as intended in that format.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.errors import ModelError
from diffing.models.local.load_errors import one_line
from diffing.models.local.loading import load_tokenizer
from diffing.models.local.sources import MODEL_CONFIG
from diffing.models.local.spec import LocalOptions
from diffing.models.local.stop_tokens import StopTokens, stop_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_VOCABULARIES = ("tokenizer.json", "*.model", "*.tiktoken", "vocab.json", "vocab.txt", "tekken.json")
"""The files that hold tokens; all other files of a tokenizer are settings."""
_SETTINGS = ("bos_token", "eos_token", "pad_token", "unk_token", "chat_template")
GENERATION_CONFIG = "generation_config.json"


def tokenizer_for(
    base: str, base_folder: Path, adapter: str | None, adapter_folder: Path | None, options: LocalOptions
) -> "PreTrainedTokenizerBase":
    """The base's tokenizer, or the adapter's.

    If an adapter has its own tokens, these are used, with the base's chat template if the adapter has none. If it has
    only settings (a chat template, an EOS token), these replace the base's.

    Args:
        base: The base model's name.
        base_folder: Where its files are.
        adapter: The adapter's name; None without one.
        adapter_folder: Where its files are.
        options: How the model is loaded.

    Raises:
        ModelError: There is none that can be used.
    """
    if adapter is None or adapter_folder is None:
        return load_tokenizer(base, base_folder, options)
    if any(next(adapter_folder.glob(pattern), None) for pattern in _VOCABULARIES):
        tokenizer = load_tokenizer(f"The adapter {adapter}", adapter_folder, options)
        if not tokenizer.chat_template:
            tokenizer.chat_template = load_tokenizer(base, base_folder, options).chat_template
        return tokenizer
    return load_tokenizer(base, base_folder, options, **_own_settings(adapter, adapter_folder))


def _own_settings(adapter: str, folder: Path) -> dict[str, object]:
    file, template = folder / "tokenizer_config.json", folder / "chat_template.jinja"
    settings = _read_object(f"The adapter {adapter}", file) if file.is_file() else {}
    own = {key: settings[key] for key in _SETTINGS if settings.get(key) is not None}
    for key, token in own.items():
        if isinstance(token, dict) and "content" in token:  # older versions also wrote how the token is matched
            own[key] = token["content"]
    named = own.get("chat_template")
    if isinstance(named, list):
        own["chat_template"] = {entry["name"]: entry["template"] for entry in named if isinstance(entry, dict)}
    if template.is_file():
        with one_line(f"The adapter {adapter}: its chat_template.jinja cannot be read", "get the file again"):
            own["chat_template"] = template.read_text("utf-8")
    return own


def file_stops(name: str, folder: Path) -> StopTokens:
    """The stops in generation_config.json; its other settings are not read.

    If there is no such file, the stop texts of config.json are used, where older versions of transformers wrote them.

    Args:
        name: The name of the model or adapter, for messages.
        folder: The folder of its files.

    Raises:
        ModelError: The token ids are invalid or the file cannot be read, so answers would not end at the right place.
    """
    file = folder / GENERATION_CONFIG
    if not file.is_file():
        older = folder / MODEL_CONFIG
        return StopTokens(texts=stop_texts(_read_object(name, older).get("stop_strings")) if older.is_file() else ())
    settings = _read_object(name, file)
    value = settings.get("eos_token_id")
    ids = set()
    for number in value if isinstance(value, list) else [value]:
        if isinstance(number, int) and not isinstance(number, bool):
            ids.add(number)
        elif number is not None:
            raise ModelError(
                f"{name}: its {GENERATION_CONFIG} gives eos_token_id as {str(number)[:50]!r}, expected a number "
                "or a list of numbers; correct it there."
            )
    return StopTokens(frozenset(ids), stop_texts(settings.get("stop_strings")))


def _read_object(name: str, file: Path) -> dict[str, Any]:
    with one_line(f"{name}: its {file.name} cannot be read", "get the file again"):
        found = json.loads(file.read_bytes())
    if not isinstance(found, dict):
        raise ModelError(
            f"{name}: its {file.name} holds a {type(found).__name__}, expected an object; get the file again."
        )
    return found
