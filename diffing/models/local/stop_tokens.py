"""Reads the stop tokens and stop strings of a checkpoint, and resets all of its other generation settings.

transformers' `generate` fills whatever a call leaves open from the model's own `generation_config` (penalties, forced
or suppressed tokens, beams, time limits, other ways to search), which would make two models differ by their settings
instead of by their weights.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

_MOST = 32
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class StopTokens:
    """The tokens and texts that end an answer."""

    ids: frozenset[int] = frozenset()
    """The ids of the stop tokens."""
    texts: tuple[str, ...] = ()
    """Texts that end an answer and that are no single token."""

    def __or__(self, other: "StopTokens") -> "StopTokens":
        """The union of two sets of stops."""
        return StopTokens(self.ids | other.ids, tuple(dict.fromkeys((*self.texts, *other.texts))))


def take_stops(model: "PreTrainedModel") -> StopTokens:
    """Reads the stops from a model's configuration, and resets all generation settings to transformers' defaults.

    The stops in generation_config.json are read by `tokenizers.file_stops`.

    Args:
        model: The loaded model, with or without an adapter.
    """
    from transformers import GenerationConfig

    base: Any = model
    if hasattr(base, "get_base_model"):
        base = base.get_base_model()
    named = [base.generation_config, base.config, base.config.get_text_config(decoder=True)]
    ids = frozenset(token for each in named for token in _listed(getattr(each, "eos_token_id", None), int))
    texts = stop_texts(getattr(base.generation_config, "stop_strings", None))
    base.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    vars(base).pop("generate", None)  # code of a trusted repository may replace the method of generation
    return StopTokens(ids, texts)


def config_stops(config: "PretrainedConfig") -> StopTokens:
    """Reads the stop tokens of a model's configuration, whose weights need not be loaded."""
    named = (config, config.get_text_config(decoder=True))
    return StopTokens(frozenset(token for each in named for token in _listed(getattr(each, "eos_token_id", None), int)))


def stop_texts(value: object) -> tuple[str, ...]:
    """The usable `stop_strings` of a checkpoint, in any of their forms."""
    return tuple(text for text in _listed(value, str) if 0 < len(text) <= _LONGEST)[:_MOST]


def _listed(value: Any, kind: type) -> list[Any]:  # noqa: ANN401 - a checkpoint's file may hold anything
    """The values of a type in a list, or a single such value as a list; values of other types are ignored."""
    values = value if isinstance(value, list | tuple) else [value]
    return [each for each in values if isinstance(each, kind) and not isinstance(each, bool)]
