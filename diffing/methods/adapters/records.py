"""Builds the tables and notes of the adapters method for the report."""

from collections.abc import Mapping, Sequence

from diffing.methods.adapters.causal_check import CheckedFeature
from diffing.methods.adapters.hypotheses import FeatureNames
from diffing.methods.adapters.trust import AdaptersTrust
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_screening import LatentCounts, ScreenedLatent, unscreened
from diffing.methods.features.thresholds import TRIED
from diffing.types import Row, Scalar

_LOW = 0.5
_MOST_INTERNAL = 100
"""The largest number of internal features that the table has; a large model has hundreds of thousands."""


def internal_features(counted: LatentCounts, screened: Sequence[ScreenedLatent]) -> tuple[ScreenedLatent, ...]:
    """Returns the features that are active without differing on train, those in most responses first, up to 100."""
    differ = {one.index for one in screened}
    both = (counted.a + counted.b).tolist()
    active = sorted((i for i, count in enumerate(both) if count and i not in differ), key=lambda i: (-both[i], i))
    return unscreened(counted, active[:_MOST_INTERNAL], TRIED)


def feature_rows(
    screened: Sequence[ScreenedLatent],
    internal: Sequence[ScreenedLatent],
    followed: Sequence[FeatureEvidence],
    names: FeatureNames,
    raised: Mapping[int, tuple[str, ...]],
    checked: Mapping[int, CheckedFeature],
) -> tuple[Row, ...]:
    """One row per feature that differs on train, with its causal check if there was one; then the internal ones."""
    shown = {feature.index: feature for feature in followed}
    rows = []
    for place, one in enumerate((*screened, *internal)):
        row: dict[str, Scalar] = {"name": names.name(one.index), "above": float(names.thresholds[one.index])}
        row["shown_in"] = "behaviour" if place < len(screened) else "internal"
        row |= shown.get(one.index, FeatureEvidence(one, ())).row(None, one.index in shown)
        row["agrees_with"] = shown[one.index].agrees_with if one.index in shown else None
        row["raises"] = " ".join(raised.get(one.index, ())) or None
        rows.append({**row, **_causal_columns(checked.get(one.index))})
    return tuple(rows)


def _causal_columns(checked: CheckedFeature | None) -> dict[str, Scalar]:
    if checked is None:
        return dict.fromkeys(("causal", "kl", "kl_random", "causal_responses", "causal_p"))
    effect = checked.effect
    random = sum(effect.kl_random) / len(effect.kl_random)
    return {
        "causal": checked.causal,
        "kl": effect.kl,
        "kl_random": random,
        "causal_responses": checked.responses,
        "causal_p": effect.p_value,
    }


def block_rows(trust: AdaptersTrust) -> tuple[Row, ...]:
    """One row per block with its density and its error on held-out responses."""
    return tuple(
        {"block": block, "active_features": active, "stream_error": error}
        for block, (active, error) in enumerate(zip(trust.active, trust.stream_errors, strict=True))
    )


def quality_row(trust: AdaptersTrust, dictionary: str) -> Row:
    """The figures of all blocks together on held-out responses, with the hash of the branches."""
    return {
        "dictionary": dictionary,
        "recovered": trust.recovered,
        "kl_base": trust.base,
        "kl_without_branches": trust.without_branches,
        "kl": trust.hybrid,
        "active_features": sum(trust.active) / len(trust.active),
        "dead": trust.dead,
    }


def trust_notes(trust: AdaptersTrust) -> tuple[str, ...]:
    """Full sentences on how far the features can be relied on."""
    if trust.recovered is None:
        return ("On held-out responses base and tuned model predict the same: there is nothing that adapters recover.",)
    notes = [
        f"On held-out responses the adapters recover {trust.recovered:.0%} of what tuning changed in predictions (KL "
        f"to the tuned model {trust.hybrid:.3g} nats per token, of the base {trust.base:.3g}). {_outside(trust)}"
    ]
    active = sum(trust.active) / len(trust.active)
    notes.append(
        f"At a token {active:.3g} features of a block are active on average, and {trust.dead:.0%} are never active on "
        "held-out responses."
    )
    if trust.recovered < _LOW:
        notes.append(
            "The adapters recover less than half of the change, so features may miss most of it. More texts to train "
            "on (--corpus) or more features (--adapter-features) may help."
        )
    return tuple(notes)


def _outside(trust: AdaptersTrust) -> str:
    outside = trust.outside_mlps or 0.0
    if outside <= 0:
        return "Without the adapters nothing of the change is left, so that all of it is in the MLPs."
    of_mlps = "" if trust.recovered_of_mlps is None else f"; of the rest, {trust.recovered_of_mlps:.0%} is recovered"
    return f"{outside:.0%} of the change is not in the MLPs, so that no feature shows it{of_mlps}."


def causal_notes(checked: Sequence[CheckedFeature], names: FeatureNames) -> tuple[str, ...]:
    """A sentence on which confirmed features drive what they mark; none if none was checked."""
    if not checked:
        return ()
    driving = [names.name(one.index) for one in checked if one.causal]
    listed = f" ({', '.join(driving)})" if driving else ""
    return (
        f"{len(driving)} of {len(checked)} features that were checked drive predictions{listed}: set to 0, they change "
        "them more than 16 random changes of the same size, and the responses become less probable. The others mark a "
        "behaviour without driving it.",
    )
