"""Reads crosscoders that this package saved: dictionary_learning's layout with two more entries in config.json."""

from torch import Tensor  # noqa: TID253 - only reading a dictionary imports this module

from diffing.errors import ModelError
from diffing.methods.crosscoder.difference_dictionary import DifferenceDictionary
from diffing.methods.crosscoder.published.active_latents import AboveThreshold
from diffing.methods.crosscoder.published.contents import PublishedContents
from diffing.methods.crosscoder.published.layout import PublishedWeights, name_of
from diffing.methods.crosscoder.saved_dictionary import DictionaryParts, parse_parts


def recognises(contents: PublishedContents) -> bool:
    """Whether this package saved the crosscoder: nobody else writes the means of its inputs into config.json."""
    return isinstance(contents.config().get("normaliser"), dict)


def read(contents: PublishedContents, below: PublishedContents | None = None) -> PublishedWeights:
    """Reads a crosscoder that this package saved.

    Args:
        contents: Its files.
        below: Those of the difference dictionary beside it, if there is one.

    Raises:
        ModelError: Tensors and configuration do not fit together.
    """
    parts = _parsed(contents, inputs=2)
    named = [name_of(model) for model in parts.source.models] if parts.source else [None]
    return PublishedWeights(
        name=contents.name,
        identity=contents.identity,
        weights=parts.weights,
        selection=AboveThreshold(parts.weights.norms(), parts.threshold),
        normaliser=parts.normaliser,
        models=parts.source.models if parts.source and all(named) else None,
        blocks=parts.source.layers if parts.source else None,
        difference=_difference(below, parts) if below else None,
    )


def _difference(below: PublishedContents, crosscoder: DictionaryParts) -> DifferenceDictionary:
    parts = _parsed(below, inputs=1)
    widths = {decoder.shape[1] for decoder in (*parts.weights.decoders, *crosscoder.weights.decoders)}
    if parts.source != crosscoder.source or len(widths) != 1:
        raise ModelError(
            f"{below.name} was trained on something else than the crosscoder beside it: expected one training. Get the "
            "files again"
        )
    return DifferenceDictionary(
        parts.weights, parts.normaliser, threshold=parts.threshold, k=parts.k, source=parts.source
    )


def _parsed(contents: PublishedContents, inputs: int) -> DictionaryParts:
    try:
        parts = parse_parts(contents.config(), contents.tensors, inputs)
        if not all(tensor.isfinite().all() for tensor in _numbers(parts)):
            raise ValueError("not all its numbers are finite")
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise ModelError(
            f"{contents.name} holds no crosscoder that can be opened ({str(error) or type(error).__name__:.100}): "
            "expected config.json and model.safetensors as this version saves them. Train it again"
        ) from None
    return parts


def _numbers(parts: DictionaryParts) -> tuple[Tensor, ...]:
    weights = parts.weights
    return (weights.bias, *weights.encoders, *weights.decoders, *weights.output_biases, *parts.normaliser.means)
