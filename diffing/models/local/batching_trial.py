"""Finds out by a trial whether a model gives the same logits in a batch as alone, and chooses how to run its batches.

A short text is continued with fixed tokens, in rows of several lengths: each row alone, then all together. If the
logits agree, an answer does not depend on the other conversations of a batch. This detects recurrent models that read
padding, virtual tokens before a prompt, ignored masks and random numbers in any architecture. A model that cannot
generate at all is reported before the first conversation.
"""

import logging
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from diffing.errors import ModelError
from diffing.models.local.continuous_batching import ContinuousBatch
from diffing.models.local.decoding import DecodingJob, DecodingRow, UnusableLogitsError
from diffing.models.local.fixed_noise import draws_noise
from diffing.models.local.load_errors import reason
from diffing.models.local.static_batching import StaticBatches
from diffing.models.local.uncached_decoding import UncachedDecoder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    _Trace: TypeAlias = list[list[torch.Tensor]]
    """The logits of every row at each of its steps."""

logger = logging.getLogger(__name__)

Way: TypeAlias = Literal["slots", "batches", "alone", "afresh"]
"""Ways of batching: continuous, static, one conversation at a time, or one at a time without a cache."""

_SHAPES = ((3, 4), (4, 1), (6, 2), (14, 1))
"""Tokens read and tokens written by each row. If two rows run at a time, the first one stays while shorter and longer
ones leave and join, and it is alone in the end."""
_EXACT = 1e-3
"""The largest difference of logits in float32, as a share of their spread; rounding causes about 1e-5."""
_ROUGH = 0.1
"""The same with fewer bits, for at least half of the padded rows; rounding causes about 0.02, and sometimes more if it
sends a token to other experts. A row that reads its padding is about 0.5 off."""
_LOST = 0.5
"""The same with fewer bits, for a single row that continues from its cache instead of reading all tokens again.
Weights in 8 bits round differently for every number of tokens; a model that ignores its cache is about 1.4 off."""


_Runner: TypeAlias = ContinuousBatch | StaticBatches | UncachedDecoder
_RUNNERS: Mapping[Way, tuple[type[_Runner], int | None]] = {
    "slots": (ContinuousBatch, None),
    "batches": (StaticBatches, None),
    "alone": (StaticBatches, 1),
    "afresh": (UncachedDecoder, 1),
}
"""The function for each way of batching, with the maximum number of rows at once; None is as many as the job allows."""


@dataclass(frozen=True, slots=True)
class BatchingStrategy:
    """The way in which a model's conversations are batched."""

    way: Way
    """One of the ways in `Way`."""
    alone_beyond: int | None = None
    """Rows that may become longer than this are run alone; None if there is no such length."""

    def run(self, model: "PreTrainedModel", job: DecodingJob, rows: Sequence[DecodingRow]) -> None:
        """Finishes all rows.

        Raises:
            ModelError: Not even one row fits into memory.
            UnusableLogitsError: The model computes NaN or infinity.
        """
        near = [row for row in rows if row.reach <= (self.alone_beyond or row.reach)]
        if near:
            runner, most = _RUNNERS[self.way]
            runner(model, job if most is None else replace(job, max_rows=most)).run(near)
        if far := [row for row in rows if row.finish is None]:
            StaticBatches(model, replace(job, max_rows=1)).run(far)


def find_strategy(name: str, model: "PreTrainedModel", text: Sequence[int]) -> BatchingStrategy:
    """Finds the fastest way of batching that does not change the logits.

    Args:
        name: The model's name, for the error.
        model: A causal language model on its device.
        text: Token ids of ordinary text; a short text is repeated.

    Raises:
        ModelError: The model cannot continue a text at all, or the memory is too small.
        UnusableLogitsError: The model computes NaN or infinity.
    """
    afresh, problem = _try("afresh", model, text)
    alone, _ = _try("alone", model, text)
    if afresh is None and alone is None:
        raise ModelError(f"{name} cannot go on with a text ({problem}): use another model.")
    if afresh is not None and draws_noise(model, _continued(text)):
        return BatchingStrategy("afresh")
    exact = _is_exact(model)
    # models that prepare their inputs work with `generate` only
    whole = alone is not None and (afresh is None or _agree(afresh, alone, _EXACT if exact else _LOST, every=exact))
    expected = alone if whole else afresh
    assert expected is not None
    ways: tuple[Way, ...] = ("slots", "batches")
    for way in ways:
        found, problem = _try(way, model, text)
        if found is not None and _agree(expected, found, _EXACT if exact else _ROUGH, every=exact):
            return BatchingStrategy(way, _first_scale(model.config))
        logger.debug("%s not by %s: %s", name, way, problem or "its logits differ")
    return BatchingStrategy("alone" if whole else "afresh")


def _is_exact(model: "PreTrainedModel") -> bool:
    """Whether the data type is precise enough that rounding is negligible."""
    import torch

    full = getattr(model, "dtype", None) in (torch.float32, torch.float64)
    return full and not hasattr(model.config, "quantization_config")


def _try(way: Way, model: "PreTrainedModel", text: Sequence[int]) -> tuple["_Trace | None", str]:
    """The logits of one way of batching, or the reason why it failed.

    Raises:
        ModelError: Memory is too small for a few tokens.
        UnusableLogitsError: The logits of a single row are NaN or infinite.
    """
    runner, most = _RUNNERS[way]
    try:
        return _trace(runner, model, text, most or (2 if way == "slots" else len(_SHAPES))), ""
    except ModelError:
        raise
    except UnusableLogitsError:
        if way == "afresh":
            raise UnusableLogitsError(0) from None  # all rows are cut from one text
        return None, "no usable numbers"
    except Exception as error:  # a forward pass may fail with any exception
        logger.debug("by %s: %s", way, error, exc_info=True)
        return None, reason(error)


def _trace(runner: type[_Runner], model: "PreTrainedModel", text: Sequence[int], max_rows: int) -> "_Trace":
    """The logits of each row at each of its steps, if all rows are continued with the text itself."""
    tokens = _continued(text)
    seen: _Trace = [[] for _ in _SHAPES]

    def follow(logits: "torch.Tensor", rows: Sequence[DecodingRow]) -> list[int]:
        for row, values in zip(rows, logits, strict=True):
            if row.finish is None:
                seen[row.index].append(values.double().cpu())
        return [tokens[min(row.length, len(tokens) - 1)] for row in rows]

    job = DecodingJob(
        choose=follow,
        stop_ids=frozenset(),
        ends=lambda written: False,
        max_rows=max_rows,
        max_tokens=10**9,
        on_finish=lambda row: None,
        on_tokens=lambda count: None,
    )
    runner(model, job).run([DecodingRow(i, tokens[:read], limit, b"") for i, (read, limit) in enumerate(_SHAPES)])
    return seen


def _continued(text: Sequence[int]) -> list[int]:
    """A text of the length of the longest row."""
    longest = max(read + written for read, written in _SHAPES)
    return [text[place % len(text)] for place in range(longest)]


def _agree(expected: "_Trace", found: "_Trace", most: float, *, every: bool) -> bool:
    """Whether logits lie within a distance: either all of them, or half of those of the padded rows."""
    apart = [
        [_distance(one, other) for one, other in zip(ones, others, strict=True)]
        for ones, others in zip(expected, found, strict=True)
    ]
    if every:
        return max(max(steps) for steps in apart) <= most
    padded = [distance for steps in apart[:-1] for distance in steps]  # all rows but the longest one are padded
    return statistics.median(padded) <= most


def _distance(expected: "torch.Tensor", found: "torch.Tensor") -> float:
    """Root mean square of the differences, relative to the spread of the expected logits."""
    if expected.shape != found.shape or bool((expected.isfinite() != found.isfinite()).any()):
        return float("inf")
    finite = expected.isfinite()  # the logits of impossible tokens are minus infinity
    difference = (expected - found)[finite].square().mean().sqrt()
    spread = expected[finite].std(correction=0)
    return float(difference / spread) if spread > 0 else float("inf" if difference > 0 else 0)


def _first_scale(config: Any) -> int | None:  # noqa: ANN401 - transformers' configurations are untyped
    """The length at which one long row changes the position scaling of a whole batch (LongRoPE); None without one."""
    text_config = config.get_text_config(decoder=True)
    parameters = getattr(text_config, "rope_parameters", None) or {}
    kinds = [parameters, *(each for each in parameters.values() if isinstance(each, dict))]  # one per layer type
    return min(
        (each["original_max_position_embeddings"] for each in kinds if each.get("rope_type") == "longrope"),
        default=None,
    )
