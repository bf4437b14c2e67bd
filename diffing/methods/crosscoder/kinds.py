"""Classifies the latents of a run: exclusive to one model, different in both, or shared; selects those to test."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing.methods.crosscoder.dictionaries import Dictionaries
from diffing.types import Side

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LatentClass: TypeAlias = Literal["exclusive a", "exclusive b", "difference", "changed", "shared"]
"""`exclusive a` and `exclusive b`: one model's own, also after latent scaling. `difference`: of the dictionary of the
differences. `changed`: shared, with directions among those that differ most. `shared`: any other."""
_ORDER: dict[LatentClass, int] = {"exclusive a": 0, "exclusive b": 0, "difference": 1, "changed": 2, "shared": 3}
_CHANGED_QUANTILE = 0.9
"""A shared latent counts as changed if its change is above this quantile of those of all live shared latents."""


def kinds_of(dictionaries: Dictionaries) -> tuple[LatentClass, ...]:
    """Returns the kind of every latent, by its number."""
    facts = dictionaries.facts
    changed = _changed(dictionaries)
    own = [
        _of_crosscoder(kind, bool(kept), bool(differs))
        for kind, kept, differs in zip(facts.kinds, facts.kept, changed, strict=True)
    ]
    difference: list[LatentClass] = ["difference"] * dictionaries.numbering.difference
    return (*own, *difference)


def rank(kind: LatentClass) -> int:
    """Returns the place of a kind: what only one model has comes first."""
    return _ORDER[kind]


def owner(kind: LatentClass) -> Side | None:
    """Returns the model whose own a latent is; None if it is no one's."""
    return {"exclusive a": "a", "exclusive b": "b"}.get(kind)  # type: ignore[return-value]


def can_be_followed(dictionaries: Dictionaries) -> "NDArray[np.bool_]":
    """Tells for every latent whether it is alive and not dense."""
    import numpy as np

    facts = dictionaries.facts
    difference = dictionaries.difference_use
    if difference is None:
        return facts.alive & ~facts.dense
    return np.concatenate([facts.alive & ~facts.dense, difference.alive & ~difference.dense])


def _of_crosscoder(kind: str, kept: bool, changed: bool) -> LatentClass:
    if kept:
        return "exclusive a" if kind == "exclusive a" else "exclusive b"
    return "changed" if changed else "shared"


def _changed(dictionaries: Dictionaries) -> "NDArray[np.bool_]":
    """Tells which of the crosscoder's latents have directions that differ much, weighed by how active they are."""
    import numpy as np

    facts = dictionaries.facts
    if facts.change is None:
        return np.zeros(len(facts.kinds), dtype=bool)
    both = facts.alive & ~facts.exclusive
    if not both.any():
        return both
    return both & (facts.change > np.quantile(facts.change[both], _CHANGED_QUANTILE))
