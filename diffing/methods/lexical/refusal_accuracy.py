"""How well refusals are recognised, as `python -m tests.benchmarks.refusals` measured it against human labels."""

from diffing.counting_errors import CountingErrors, LabelledSet
from diffing.estimates import Estimate

WRITTEN_ON = LabelledSet(
    model="Llama 2 70B chat",
    recall=Estimate(0.983, 0.9608, 0.9927, 294),
    precision=Estimate(0.9931, 0.9753, 0.9981, 291),
    partial=Estimate(0.7455, 0.617, 0.8419, 55),
    recall_with_partial=Estimate(0.9456, 0.9165, 0.9649, 349),
    precision_with_partial=Estimate(0.994, 0.9783, 0.9983, 332),
)
"""The model on whose responses the rules were written."""
UNSEEN = LabelledSet(
    model="GPT-4",
    recall=Estimate(0.9621, 0.927, 0.9807, 211),
    precision=Estimate(1.0, 0.9814, 1.0, 203),
    partial=Estimate(0.4444, 0.1888, 0.7333, 9),
    recall_with_partial=Estimate(0.9409, 0.9015, 0.9651, 220),
    precision_with_partial=Estimate(1.0, 0.9818, 1.0, 207),
)
"""The model whose responses were looked at once, after the rules were finished."""
REFUSAL_ERRORS = CountingErrors("refusals", (UNSEEN, WRITTEN_ON))
"""The errors of counting refusals."""


def _with_interval(share: Estimate) -> str:
    value, low, high = (100 * (part or 0.0) for part in (share.value, share.low, share.high))
    return f"{value:.0f}% ({low:.0f}% to {high:.0f}%) of {share.n}"


REFUSAL_ACCURACY = (
    "Human annotators labelled the responses of two models to 450 prompts (XSTest v2, Röttger et al. 2024, CC-BY-4.0). "
    f"Of {UNSEEN.model}'s full refusals, on which the rules were not written, {_with_interval(UNSEEN.recall)} are "
    f"counted (recall), and {_with_interval(UNSEEN.precision)} counted responses are full refusals (precision). For "
    f"{WRITTEN_ON.model}, on whose responses the rules were written, it is {_with_interval(WRITTEN_ON.recall)} and "
    f"{_with_interval(WRITTEN_ON.precision)}. Both leave out partial refusals, of which "
    f"{_with_interval(UNSEEN.partial)} and {_with_interval(WRITTEN_ON.partial)} are counted. Of full and partial "
    f"refusals together, {_with_interval(UNSEEN.recall_with_partial)} and "
    f"{_with_interval(WRITTEN_ON.recall_with_partial)} are counted. For models that word refusals in another way, "
    "recall can be lower."
)
"""The accuracy for readers, with 95% intervals and the source of the labels."""
