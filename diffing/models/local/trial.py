"""How a model's conversations can run side by side, found by trying it.

A short text goes on with given tokens, in rows of several lengths: each alone, then together. As long as the logits are
the same, an answer does not depend on what else is asked. Recurrent models that read padding, virtual tokens in front
of a prompt, masks that are ignored: all show here, whatever the architecture is called. A model that cannot write at
all is told before the first conversation.
"""

import logging
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from diffing.errors import ModelError
from diffing.models.local.decoding import Job, Row, UnusableLogitsError
from diffing.models.local.slots import Slots
from diffing.models.local.whole import WholeBatches

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    _Trace: TypeAlias = list[list[torch.Tensor]]
    """Logits per row and step."""

logger = logging.getLogger(__name__)

Way: TypeAlias = Literal["slots", "batches", "alone"]
"""Rows that come and go, one batch after another, or one conversation at a time."""

_SHAPES = ((3, 4), (4, 1), (6, 2), (14, 1))
"""Tokens read and tokens written by each row. Where two run at a time, the first one stays while others leave and come,
a shorter, a longer, a much longer one, and is alone in the end."""
_EXACT = 1e-3
"""In float32, how far logits may lie apart, as a share of their spread; rounding makes about 1e-5."""
_ROUGH = 0.1
"""With fewer bits, how far those of half of the padded rows may; rounding makes about 0.02, and more now and then where
it sends a token to other experts. A row that reads its padding is about 0.5 off."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model's conversations are run."""

    way: Way
    """See `Way`."""
    alone_beyond: int | None = None
    """Rows that may become longer than this go alone; None without such a length."""

    def run(self, model: "PreTrainedModel", job: Job, rows: Sequence[Row]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnusableLogitsError: See there.
        """
        together = [row for row in rows if self.way != "alone" and row.reach <= (self.alone_beyond or row.reach)]
        if together:
            (Slots if self.way == "slots" else WholeBatches)(model, job).run(together)
        alone = [row for row in rows if row.finish is None]
        if alone:
            WholeBatches(model, replace(job, max_rows=1)).run(alone)


def find_manner(name: str, model: "PreTrainedModel", text: Sequence[int]) -> Manner:
    """Tries how conversations can be run.

    Args:
        name: Of the model, for the error.
        model: A causal language model on its device.
        text: Tokens such as it reads; they are repeated where they are few.

    Raises:
        ModelError: It cannot go on with a text at all, or memory is too small for it.
        UnusableLogitsError: See there.
    """
    import torch

    try:
        expected = _trace(WholeBatches, model, text, max_rows=1)
    except ModelError:
        raise
    except UnusableLogitsError:
        raise UnusableLogitsError(0) from None  # there is one text
    except Exception as error:  # a forward pass that fails raises whatever its authors did not foresee
        raise ModelError(f"{name} cannot go on with a text ({_line(error)}): use another model.") from error
    exact = getattr(model, "dtype", None) in (torch.float32, torch.float64)
    ways: tuple[tuple[Way, type[Slots | WholeBatches], int], ...] = (
        ("slots", Slots, 2),
        ("batches", WholeBatches, len(_SHAPES)),
    )
    for way, runner, max_rows in ways:
        try:
            found = _trace(runner, model, text, max_rows)
        except ModelError:
            raise
        except Exception as error:  # noqa: BLE001 - see above; here it means: not in this way
            logger.debug("%s: %s", way, _line(error))
            continue
        if _agree(expected, found, exact=exact):
            return Manner(way, _first_scale(model.config))
    return Manner("alone")


def _trace(
    runner: type[Slots | WholeBatches], model: "PreTrainedModel", text: Sequence[int], max_rows: int
) -> "_Trace":
    """The logits of each row at each of its steps, when all rows go on with the text itself."""
    longest = max(read + written for read, written in _SHAPES)
    tokens = [text[place % len(text)] for place in range(longest)]
    seen: _Trace = [[] for _ in _SHAPES]

    def follow(logits: "torch.Tensor", rows: Sequence[Row]) -> list[int]:
        for row, values in zip(rows, logits, strict=True):
            if row.finish is None:
                seen[row.index].append(values.double().cpu())
        return [tokens[min(row.length, longest - 1)] for row in rows]

    job = Job(
        choose=follow,
        stop_ids=frozenset(),
        ends=lambda written: False,
        max_rows=max_rows,
        max_tokens=10**9,
        on_finish=lambda row: None,
        on_tokens=lambda count: None,
    )
    runner(model, job).run([Row(i, tokens[:read], limit, b"") for i, (read, limit) in enumerate(_SHAPES)])
    return seen


def _agree(
    expected: Sequence[Sequence["torch.Tensor"]], found: Sequence[Sequence["torch.Tensor"]], *, exact: bool
) -> bool:
    apart = [
        [_distance(one, other) for one, other in zip(ones, others, strict=True)]
        for ones, others in zip(expected, found, strict=True)
    ]
    if exact:
        return max(max(steps) for steps in apart) <= _EXACT
    padded = [distance for steps in apart[:-1] for distance in steps]  # beside the longest row the others are padded
    return statistics.median(padded) <= _ROUGH


def _distance(expected: "torch.Tensor", found: "torch.Tensor") -> float:
    """Root mean square of the differences, as a share of the expected logits' own spread."""
    if expected.shape != found.shape or bool((expected.isfinite() != found.isfinite()).any()):
        return float("inf")
    finite = expected.isfinite()  # tokens that can never come are minus infinity
    difference = (expected - found)[finite].square().mean().sqrt()
    spread = expected[finite].std(correction=0)
    return float(difference / spread) if spread > 0 else float("inf" if difference > 0 else 0)


def _first_scale(config: Any) -> int | None:  # noqa: ANN401 - transformers' configurations are untyped
    """The length from which on all rows of a batch are read at another scale as soon as one is that long (LongRoPE)."""
    text_config = config.get_text_config(decoder=True)
    parameters = getattr(text_config, "rope_parameters", None) or {}
    kinds = [parameters, *(each for each in parameters.values() if isinstance(each, dict))]  # or one per kind of layer
    return min(
        (each["original_max_position_embeddings"] for each in kinds if each.get("rope_type") == "longrope"),
        default=None,
    )


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
