"""Tests what a feature of the adapters method causes: what the model would say without it where it is active."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diffing.methods.adapters.hybrid_reader import HybridReader
from diffing.methods.exchanges import Exchange, UnreadableResponse
from diffing.methods.inside.causal import CausalEffect, OutputEdit, causal_effect

RESPONSES = 32
"""The largest number of responses on which a feature is checked."""
_FALSE_DISCOVERY_RATE = 0.05


@dataclass(frozen=True, slots=True)
class CheckedFeature:
    """A feature with the effect of setting it to 0."""

    index: int
    """The feature."""
    effect: CausalEffect
    """The effect on the hybrid's predictions."""
    responses: int
    """The number of responses read."""
    causal: bool
    """Whether it exceeds random directions, and the responses' log-probability falls significantly."""


def check_features(
    reader: HybridReader,
    active_in: Sequence[tuple[int, Sequence[Exchange]]],
    seed: int,
    on_checked: Callable[[int, int], None] = lambda done, total: None,
) -> list[CheckedFeature]:
    """Sets features to 0 where they are active and compares with changes of that size in random directions.

    Args:
        reader: The hybrid.
        active_in: Features, each with held-out responses in which it is active, the strongest first.
        seed: The seed of the random directions.
        on_checked: Called with the number of features checked and of all.
    """
    found = []
    for done, (index, exchanges) in enumerate(active_in):
        on_checked(done, len(active_in))
        effect = _effect_of(reader, index, exchanges[:RESPONSES], seed)
        if effect is not None:
            found.append((index, effect, min(len(exchanges), RESPONSES)))
    on_checked(len(active_in), len(active_in))
    significant = _significant([effect for _, effect, _ in found])
    return [
        CheckedFeature(index, effect, responses, effect.exceeds_random and falls)
        for (index, effect, responses), falls in zip(found, significant, strict=True)
    ]


def _effect_of(reader: HybridReader, index: int, exchanges: Sequence[Exchange], seed: int) -> CausalEffect | None:
    hybrid = reader.hybrid
    block, number = hybrid.branches.place(index)
    direction = hybrid.branches.blocks[block].w_dec[:, number].cpu()
    texts, edits = [], []
    for exchange in exchanges:
        text = reader.chat(exchange)
        if isinstance(text, UnreadableResponse) or text.start < 1:
            continue
        values = reader.activations(exchange, [index])[:, 0]
        places = values.nonzero().flatten()
        texts.append(text)
        edits.append(OutputEdit(tuple(places.tolist()), -values[places, None] * direction))
    if not any(edit.positions for edit in edits):
        return None
    hybrid.use(hybrid.uniform("adapted"))
    return causal_effect(hybrid.tuned, hybrid.mlp(block), texts, edits, seed=seed)


def _significant(effects: Sequence[CausalEffect]) -> list[bool]:
    """Whether log-probabilities fall, by the sign test with Benjamini-Hochberg over all features."""
    from scipy.stats import false_discovery_control

    p = [1.0 if effect.p_value is None else effect.p_value for effect in effects]
    return [bool(q <= _FALSE_DISCOVERY_RATE) for q in false_discovery_control(p)] if p else []
