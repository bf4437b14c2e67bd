"""Changes a model's activations while it reads given responses, and measures how its next-token predictions change.

The responses are given (teacher forcing), so one reading tells the effect on every position. A change is compared with
changes of the same norm in random directions, at the same positions.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from diffing.methods.inside.response_tokens import TokenizedResponse
from diffing.models.local.fixed_noise import fixed_noise
from diffing.models.local.threads import fitting_threads

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedModel

RANDOM_DIRECTIONS = 16
"""The number of random directions with which a change is compared."""
_MOST_LOGITS = 1 << 27
"""The largest number of logits that are computed side by side, which bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class OutputEdit:
    """What is added to a module's output while a model reads one response."""

    positions: tuple[int, ...]
    """The read positions: 0 is the anchor, i the i-th token of the response, as in `AlignedRows.positions`."""
    change: "Tensor"
    """What is added there; positions x width, such as minus an activation times its direction."""


@dataclass(frozen=True, slots=True)
class CausalEffect:
    """The effect of a change on what a model would say next."""

    kl: float
    """The mean of KL(unchanged || changed) over the changed positions, in nats."""
    kl_random: tuple[float, ...]
    """The same for each random direction, with changes of the same norms."""
    places: int
    """The number of changed positions."""
    fell: int
    """The number of responses whose log-probability fell by the change."""
    rose: int
    """The number of responses whose log-probability rose."""

    @property
    def exceeds_random(self) -> bool:
        """Whether the effect exceeds that of every random direction."""
        return self.kl > max(self.kl_random)

    @property
    def p_value(self) -> float | None:
        """The one-sided sign test that log-probabilities fall; None if none changed."""
        from scipy.stats import binomtest

        if not self.fell + self.rose:
            return None
        return float(binomtest(self.fell, self.fell + self.rose, alternative="greater").pvalue)


def causal_effect(
    model: "PreTrainedModel",
    at: "torch.nn.Module",
    texts: Sequence[TokenizedResponse],
    edits: Sequence[OutputEdit],
    *,
    seed: int = 0,
    directions: int = RANDOM_DIRECTIONS,
) -> CausalEffect:
    """Measures what a change of a module's output does to a model that reads given responses.

    Args:
        model: The whole model with its head.
        at: The module whose output is changed, such as a block.
        texts: The responses.
        edits: The change for each of them.
        seed: The seed of the random directions.
        directions: The number of random directions.

    Raises:
        ValueError: No position is changed.
    """
    places = sum(len(edit.positions) for edit in edits)
    if not places:
        raise ValueError("expected positions to change, got none")
    random = _random_directions(edits[0].change.shape[-1], directions, seed)
    divergences = [0.0] * (1 + directions)
    fell = rose = 0
    for text, edit in zip(texts, edits, strict=True):
        if not edit.positions:
            continue
        norms = edit.change.float().norm(dim=-1, keepdim=True)
        others = [OutputEdit(edit.positions, norms * direction) for direction in random]
        read = _log_probs(model, text, at, [None, edit, *others])
        unchanged, changed = next(read), next(read)
        difference = _of_response(text, changed) - _of_response(text, unchanged)
        fell, rose = fell + (difference < 0), rose + (difference > 0)
        there = list(edit.positions)
        for number, variant in enumerate(chain([changed], read)):
            divergences[number] += _kl(unchanged[there], variant[there])
    kl, *kl_random = (each / places for each in divergences)
    return CausalEffect(kl, tuple(kl_random), places, fell, rose)


def response_log_probs(
    model: "PreTrainedModel",
    texts: Sequence[TokenizedResponse],
    at: "torch.nn.Module | None" = None,
    edits: Sequence[OutputEdit] = (),
) -> list[float]:
    """Returns the log-probability of each response in nats, unchanged or with a change of a module's output.

    Args:
        model: The whole model with its head.
        texts: The responses.
        at: The module whose output is changed; None changes nothing.
        edits: The change for each response, if there is one.
    """
    changes: Sequence[OutputEdit | None] = edits if at is not None else [None] * len(texts)
    return [
        _of_response(text, next(_log_probs(model, text, at, [edit]))) for text, edit in zip(texts, changes, strict=True)
    ]


def gap_closed(owner: Sequence[float], other: Sequence[float], changed: Sequence[float]) -> float | None:
    """Returns the share of the gap between two models' log-probabilities that a change of the other model closes.

    Only responses that the owner finds more probable count; sums are compared, so that small gaps weigh little.

    Args:
        owner: The log-probability of each response in the model that has the direction.
        other: The same in the other model.
        changed: The same in the other model with the direction added.

    Returns:
        The share; below 0 if the change widens the gap, None if there is no gap.
    """
    gaps = [(a - b, c - b) for a, b, c in zip(owner, other, changed, strict=True) if a > b]
    whole = sum(gap for gap, _ in gaps)
    return sum(closed for _, closed in gaps) / whole if whole else None


@contextmanager
def projected_out(at: "torch.nn.Module", direction: "Tensor") -> Iterator[None]:
    """A context manager in which a direction is projected out of a module's output at every position.

    A model that answers in it answers without what is written along the direction.

    Args:
        at: The module, such as a block.
        direction: The direction; its norm does not matter.
    """

    def project(hidden: "Tensor") -> "Tensor":
        unit = (direction / direction.norm()).to(hidden)
        projected: Tensor = hidden - (hidden @ unit).unsqueeze(-1) * unit
        return projected

    with _changed_output(at, project):
        yield


@contextmanager
def _changed_output(at: "torch.nn.Module", change: "Callable[[Tensor], Tensor]") -> Iterator[None]:
    """A context manager in which the output of a module is replaced."""

    def replace(_: object, __: object, output: Any) -> Any:  # noqa: ANN401 - a tensor, or a tuple that begins with it
        return (change(output[0]), *output[1:]) if isinstance(output, tuple) else change(output)

    handle = at.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()


def _log_probs(
    model: "PreTrainedModel", text: TokenizedResponse, at: "torch.nn.Module | None", edits: Sequence[OutputEdit | None]
) -> "Iterator[Tensor]":
    """Reads a response once for each edit, several side by side; None leaves the model as it is.

    Yields:
        For each edit the log-probabilities of the next token at the read positions, read positions x vocabulary.
    """
    import torch

    length = len(text.ids)
    width = len(cast("Any", model).get_input_embeddings().weight)
    most = max(_MOST_LOGITS // (length * width), 1)
    for first in range(0, len(edits), most):
        group = edits[first : first + most]
        ids = torch.from_numpy(text.ids).long().repeat(len(group), 1).to(model.device)
        with (
            fitting_threads(model),
            fixed_noise(model),
            torch.inference_mode(),
            _changed_output(at, partial(_edited, text, group)) if at is not None else nullcontext(),
        ):
            logits = cast("Any", model)(input_ids=ids, use_cache=False).logits
        # a prompt that an adapter has learnt stands before the text
        read = logits[:, logits.shape[1] - length + text.start - 1 :]
        yield from (torch.log_softmax(each.float(), dim=-1) for each in read)


def _edited(text: TokenizedResponse, edits: Sequence[OutputEdit | None], hidden: "Tensor") -> "Tensor":
    """Adds the change of each edit to its row of a module's output."""
    first = hidden.shape[1] - len(text.ids) + text.start - 1
    hidden = hidden.clone()
    for row, edit in enumerate(edits):
        if edit is not None:
            hidden[row, [first + position for position in edit.positions]] += edit.change.to(hidden)
    return hidden


def _of_response(text: TokenizedResponse, log_probs: "Tensor") -> float:
    """The log-probability of the response's tokens; each is told at the position before it."""
    import torch

    tokens = torch.from_numpy(text.ids[text.start :]).long().to(log_probs.device)
    return float(log_probs[:-1].gather(-1, tokens.unsqueeze(-1)).double().sum())


def _kl(unchanged: "Tensor", changed: "Tensor") -> float:
    """The sum of KL(unchanged || changed) over positions, from log-probabilities."""
    return float((unchanged.exp() * (unchanged - changed)).double().sum())


def _random_directions(width: int, number: int, seed: int) -> "Tensor":
    """Directions of norm 1, spread evenly over the sphere; number x width, on the CPU."""
    import torch

    drawn = torch.randn(number, width, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(drawn, dim=-1)
