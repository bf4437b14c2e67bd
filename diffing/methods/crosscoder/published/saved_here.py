"""Reads crosscoders that this package saved: dictionary_learning's layout with two more entries in config.json."""

from diffing.errors import ModelError
from diffing.methods.crosscoder.published.contents import Contents
from diffing.methods.crosscoder.published.layout import PublishedWeights, name_of
from diffing.methods.crosscoder.published.selection import AboveThreshold
from diffing.methods.crosscoder.saved_dictionary import parse_parts


def recognises(contents: Contents) -> bool:
    """Whether this package saved the crosscoder: nobody else writes the means of its inputs into config.json."""
    return isinstance(contents.config().get("normaliser"), dict)


def read(contents: Contents) -> PublishedWeights:
    """Reads a crosscoder that this package saved.

    Raises:
        ModelError: Its tensors and its configuration do not fit together.
    """
    try:
        parts = parse_parts(contents.config(), contents.tensors, inputs=2)
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"{contents.name} holds no crosscoder that can be opened ({str(error) or type(error).__name__:.100}): "
            "expected config.json and model.safetensors as this version saves them. Train it again"
        ) from None
    named = [name_of(model) for model in parts.source.models] if parts.source else [None]
    return PublishedWeights(
        name=contents.name,
        identity=contents.identity,
        layout="diffing",
        weights=parts.weights,
        selection=AboveThreshold(parts.weights.norms(), parts.threshold),
        normaliser=parts.normaliser,
        models=parts.source.models if parts.source and all(named) else None,
        blocks=parts.source.layers if parts.source else None,
    )
