"""Runs the crosscoder method at several depths: one dictionary each, and what they find is merged.

A feature of one depth often has a twin at another, active in the same responses. Of these the strongest on train
prompts is tested, so that several depths do not spend the tests on saying the same.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.methods.base import Measurements, MeasuresByValue
from diffing.methods.crosscoder.crosscoder_options import CrosscoderOptions, InsideSide
from diffing.methods.crosscoder.exclusive import EXCLUSIVE
from diffing.methods.crosscoder.hypotheses import METHOD
from diffing.methods.crosscoder.method import CrosscoderMethod
from diffing.methods.features.duplicate_features import first_of_each
from diffing.methods.heldout import HeldoutRecords
from diffing.models.base import Model
from diffing.types import (
    Discovery,
    FeatureMeasure,
    Hypothesis,
    Judgement,
    Measure,
    ModelInfo,
    OnProgress,
    Pair,
    Row,
    Stage,
    ignore_progress,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TWINS = "features active in the same responses as a stronger one at another depth"


def at_depths(
    depths: Sequence[float],
    a: InsideSide,
    b: InsideSide,
    folder: Path,
    *,
    options: CrosscoderOptions,
    llm: Model | None = None,
) -> "CrosscoderMethod | SeveralDepths":
    """Makes the crosscoder method for one or several depths.

    Args:
        depths: The shares of the blocks after which both models are read.
        a: Model A's weights.
        b: Model B's weights.
        folder: Where trainings are kept.
        options: The options of the method; several depths share the numbers of features and of hypotheses.
        llm: The LLM that labels features and states hypotheses from them.
    """
    if len(depths) == 1:
        return CrosscoderMethod(a, b, folder, options=replace(options, depth=depths[0]), llm=llm)
    shared = replace(
        options,
        names_block=True,
        features=_share(options.features, len(depths)),
        hypotheses=_share(options.hypotheses, len(depths)),
    )
    return SeveralDepths(
        [CrosscoderMethod(a, b, folder, options=replace(shared, depth=depth), llm=llm) for depth in sorted(depths)],
        sorted(depths),
    )


def _share(most: int, depths: int) -> int:
    """The even number that each depth gets, because half of it are for each direction; at least 2."""
    return max(2 * (most // (2 * depths)), 2)


class SeveralDepths(MeasuresByValue):
    """The `MeasuringMethod` that has a `CrosscoderMethod` for each of several depths.

    Only the models of one depth are in memory at a time.

    Args:
        methods: The methods, which name their latents by block.
        depths: Their depths, for messages.
    """

    def __init__(self, methods: Sequence[CrosscoderMethod], depths: Sequence[float]) -> None:
        self._given = tuple(zip(depths, methods, strict=True))

    @property
    def name(self) -> str:
        """`crosscoder`."""
        return METHOD

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """The weights that are read with the block of each, by depth, and the LLM if there is one."""
        every = [model for method in self._methods for model in method.models]
        return tuple(model for place, model in enumerate(every) if model not in every[:place])

    @cached_property
    def _methods(self) -> tuple[CrosscoderMethod, ...]:
        """The methods of different blocks.

        Raises:
            SettingError: Two depths read the same block of a model.
        """
        for (before, upper), (depth, lower) in zip(self._given, self._given[1:], strict=False):
            same = [(side, one) for side, one, two in zip("AB", upper.blocks, lower.blocks, strict=True) if one == two]
            if same:
                side, block = same[0]
                raise SettingError(
                    f"--depth {before:g} and --depth {depth:g} both read block {block} of {side}: leave one of them out"
                )
        return tuple(method for _, method in self._given)

    def find_hypotheses(self, pairs: Sequence[Pair], on_progress: OnProgress = ignore_progress) -> Discovery:
        """Finds hypotheses at each depth as `CrosscoderMethod` does, and keeps one of those that say the same.

        Raises:
            SettingError: Two depths read the same block; or as for `CrosscoderMethod.find_hypotheses`.
            ModelError: As there.
            HubError: As there.
        """
        found: list[Discovery] = []
        values: dict[Measure, NDArray[np.float64]] = {}
        for place, method in enumerate(self._methods):
            found.append(method.find_hypotheses(pairs, _part(on_progress, place, len(self._methods))))
            values |= method.measure_values(found[-1].hypotheses, pairs).values
            method.close()
        every = [hypothesis for discovery in found for hypothesis in discovery.hypotheses]
        kept = _one_of_each(every, values)
        left_out = Counter({_TWINS: len(every) - len(kept)})
        for discovery in found:
            left_out.update(discovery.left_out)
        return Discovery(
            hypotheses=tuple(kept),
            tables={
                **{name: self._joined(name, [each.tables for each in found]) for name in ("features", "examples")},
                "rates": _rates([row for discovery in found for row in discovery.tables["rates"]]),
            },
            left_out={reason: count for reason, count in left_out.items() if count},
            notes=tuple(note for discovery in found for note in discovery.notes),
            usage=tuple(usage for discovery in found for usage in discovery.usage),
        )

    def _joined(self, name: str, tables: Sequence[Mapping[str, tuple[Row, ...]]]) -> tuple[Row, ...]:
        """Joins a table of all depths; latents are numbered on from depth to depth."""
        rows: list[Row] = []
        first = 0
        for method, table in zip(self._methods, tables, strict=True):
            rows += [{**row, "index": int(str(row["index"])) + first} for row in table[name]]
            first += method.latents
        return tuple(rows)

    def measure_values(self, hypotheses: Sequence[Hypothesis], pairs: Sequence[Pair]) -> Measurements:
        """Returns the verdicts by hypothesis, then pair, and which responses activate a feature (1) or not (0).

        Raises:
            ValueError: A hypothesis comes from another method or dictionary, or none was found yet.
        """
        judgements: dict[str, list[Judgement]] = {hypothesis.id: [] for hypothesis in hypotheses}
        values: dict[Measure, NDArray[np.float64]] = {}
        for method, own in self._by_method(hypotheses):
            measured = method.measure_values(own, pairs)
            method.close()
            values |= measured.values
            for judgement in measured.judgements:
                judgements[judgement.hypothesis_id].append(judgement)
        return Measurements([judgement for each in judgements.values() for judgement in each], values)

    def heldout_records(
        self, confirmed: Sequence[Hypothesis], pairs: Sequence[Pair], on_progress: OnProgress
    ) -> HeldoutRecords:
        """Returns what each depth knows from held-out responses; see `CrosscoderMethod.heldout_records`."""
        records = []
        for place, (method, own) in enumerate(self._by_method(confirmed, every=True)):
            records.append(method.heldout_records(own, pairs, _part(on_progress, place, len(self._methods))))
        notes = [
            f"After block {method.blocks[0]} of A and {method.blocks[1]} of B: {note}"
            for method, each in zip(self._methods, records, strict=True)
            for note in each.notes
            if note != EXCLUSIVE
        ]
        return HeldoutRecords(
            tables={
                "features": self._joined("features", [each.tables for each in records]),
                "quality": tuple(row for each in records for row in each.tables["quality"]),
            },
            notes=(EXCLUSIVE, *notes),
        )

    def _by_method(
        self, hypotheses: Sequence[Hypothesis], *, every: bool = False
    ) -> Iterator[tuple[CrosscoderMethod, list[Hypothesis]]]:
        """Yields the hypotheses of each depth, also of depths without any if `every`.

        Raises:
            ValueError: A hypothesis belongs to none.
        """
        of: dict[str, list[Hypothesis]] = {method.dictionary: [] for method in self._methods}
        for hypothesis in hypotheses:
            measure = hypothesis.measure
            if not isinstance(measure, FeatureMeasure) or measure.dictionary not in of:
                raise ValueError(f"expected a hypothesis about latents of {', '.join(of)}, got measure {measure!r}")
            of[measure.dictionary].append(hypothesis)
        for method in self._methods:
            if every or of[method.dictionary]:
                yield method, of[method.dictionary]


def _part(on_progress: OnProgress, place: int, parts: int) -> OnProgress:
    """Reports the progress of one of several equal parts of every stage."""

    def on_part(stage: Stage, done: int, total: int) -> None:
        on_progress(stage, place * total + done, parts * total)

    return on_part


def _one_of_each(hypotheses: Sequence[Hypothesis], values: "Mapping[Measure, NDArray[np.float64]]") -> list[Hypothesis]:
    """Keeps the strongest on train of those that are active in nearly the same responses, or have the same sentence."""
    import numpy as np

    ranked = sorted(hypotheses, key=lambda each: -(each.train_effect or 0.0))
    distinct = list({each.id: each for each in reversed(ranked)}.values())[::-1]
    if not distinct:
        return []
    active = np.stack([np.nan_to_num(values[each.measure]).ravel() > 0 for each in distinct if each.measure])
    return [distinct[row] for row in first_of_each(active)]


def _rates(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Adds up how many latents have which pair of rates."""
    features: Counter[tuple[float, float]] = Counter()
    for row in rows:
        features[float(str(row["rate_a"])), float(str(row["rate_b"]))] += int(str(row["features"]))
    return tuple({"rate_a": a, "rate_b": b, "features": count} for (a, b), count in sorted(features.items()))
