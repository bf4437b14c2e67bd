"""Checks from config.json, before anything is downloaded, that a model generates text and transformers can load it.

Problems that only the weights reveal, such as a model that looks ahead, are found in `sanity_checks.py`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from diffing.errors import MissingExtraError, ModelError
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.memory import importing
from diffing.models.local.sources import MODEL_CONFIG
from diffing.models.local.spec import LocalOptions

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_HEADS = (
    ("ForSequenceClassification", "a classifier of texts"),
    ("ForTokenClassification", "a classifier of words"),
    ("ForQuestionAnswering", "a model that marks answers in a text"),
    ("ForMultipleChoice", "a model that picks one of several texts"),
    ("ForMaskedLM", "a model that fills in masked words"),
    ("ForPreTraining", "a model with the heads of its pre-training"),
    ("ForConditionalGeneration", "a model that rewrites an input (encoder and decoder)"),
)
"""The purpose of a model class, by the end of its name."""
_LOOKING_AHEAD = frozenset({"xlnet"})
"""Model types with a head that writes text whose attention goes both ways, and that have no setting against it."""


def check_architecture(name: str, config: Mapping[str, Any], options: LocalOptions) -> None:
    """Refuses, before anything is downloaded, a model that transformers cannot load or that does not generate text.

    Raises:
        ModelError: The architecture is unknown, needs code that comes with the model, or is no decoder with a head
            that writes text.
        MissingExtraError: transformers is not installed.
    """
    try:
        with importing():
            from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, __version__  # noqa: F401
            from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    except ImportError:
        raise MissingExtraError(f"Running {name} on this machine", "local") from None

    if options.trust_remote_code and "auto_map" in config:
        return
    model_type = str(config.get("model_type"))
    if model_type not in CONFIG_MAPPING:
        if "auto_map" in config:
            raise ModelError(
                f"{name} needs Python code that comes with it (model type {model_type!r}), not an architecture that "
                "transformers knows: read that code, then allow it with trust_remote_code."
            )
        raise ModelError(
            f"{name} has the model type {model_type!r}, which transformers {__version__} does not know: "
            "upgrade transformers, or use another model."
        )
    with one_line(f"{name}: its config.json describes no {model_type} model", "get the file again"), quiet():
        parsed = parse_config(config)
    _check_not_encoder_decoder(name, parsed)
    writers = _writers(parsed.model_type)
    if not writers:
        raise ModelError(
            f"{name} is of type {model_type!r}, which does not write text: expected a causal language model."
        )
    _check_saved_as(name, config.get("architectures"), writers)
    _check_decoder(name, parsed, writers)


def parse_config(config: Mapping[str, Any]) -> "PretrainedConfig":
    """Parses a configuration like transformers, with its notation for values that JSON lacks, such as infinity."""
    from transformers import AutoConfig

    with TemporaryDirectory() as folder:
        (Path(folder) / MODEL_CONFIG).write_text(json.dumps(dict(config)), "utf-8")
        parsed: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    return parsed


def _writers(model_type: str) -> tuple[str, ...]:
    """The names of transformers' text-generation classes for a model type."""
    return tuple(dict.fromkeys(name for each in _names() for name in _listed(each.get(model_type, ()))))


def _names() -> tuple[Mapping[str, Any], ...]:
    """Class names by model type, read as text because transformers' own mappings would import torch."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    )

    return MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


def _check_saved_as(name: str, architectures: object, writers: tuple[str, ...]) -> None:
    """Refuses a model whose `architectures` entry, the class of the saved weights, does not generate text.

    A name that transformers does not know (LLaMAForCausalLM, a class of a training library) is left to the weights.
    """
    saved_as = architectures[0] if isinstance(architectures, list) and architectures else None
    if not isinstance(saved_as, str) or saved_as in writers or not _has_another_head(saved_as):
        return
    kind = next((f", {words}" for end, words in _HEADS if saved_as.endswith(end)), "")
    if not kind and "For" not in saved_as:
        kind = ", a model without a head that writes"
    raise ModelError(
        f"{name} was saved as {saved_as[:100]}{kind}: expected a decoder that writes text, such as "
        f"{writers[0]}; use another model."
    )


def _has_another_head(class_name: str) -> bool:
    import transformers

    # fine-tunes of one architecture are sometimes saved under another's name
    if any(class_name in _listed(names) for each in _names() for names in each.values()):
        return False
    known = getattr(transformers, class_name, None) if class_name.isidentifier() else None
    if isinstance(known, type) and issubclass(known, transformers.PreTrainedModel):
        return True
    return "For" in class_name and not any(sign in class_name for sign in ("CausalLM", "Generation", "LMHead"))


def _check_not_encoder_decoder(name: str, config: "PretrainedConfig") -> None:
    text = config.get_text_config(decoder=True)
    if getattr(config, "is_encoder_decoder", False) or getattr(text, "is_encoder_decoder", False):
        raise ModelError(
            f"{name} is an encoder-decoder (type {config.model_type!r}), which reads its input apart from what it "
            "writes: expected a decoder that goes on from its prompt; use another model."
        )


def _check_decoder(name: str, config: "PretrainedConfig", writers: tuple[str, ...]) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

    if config.model_type in _LOOKING_AHEAD:
        raise ModelError(
            f"{name} is of type {config.model_type!r}, which sees the words that come after, whatever its settings: "
            "expected a decoder that goes on from its prompt; use another model."
        )
    # where an architecture can also fill in masks, this setting decides whether it sees what comes after
    if config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and getattr(config, "is_decoder", None) is False:
        raise ModelError(
            f"{name} is an encoder (type {config.model_type!r} with is_decoder false), which sees the words that come "
            f"after: expected a decoder that writes text, such as {writers[0]} with is_decoder true; use another model."
        )


def context_length(config: "PretrainedConfig") -> int | None:
    """The context length in tokens, for prompt and answer together; None without a limit, which XLNet writes as -1."""
    length = getattr(config.get_text_config(decoder=True), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else None
