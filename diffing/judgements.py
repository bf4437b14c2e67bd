"""Many verdicts in little memory: a sequence of `Judgement` that is held in columns. Knows no report and no file.

A report of 10,000 prompts and 200 hypotheses has two million verdicts. As objects they take more than a gigabyte; each
column here holds its distinct values once and a small number per verdict, and a `Judgement` is made when it is read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from diffing.types import Judgement, Side, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int32]

T = TypeVar("T")
_CHUNK = 50_000
"""Verdicts that are taken out of the columns at once while all of them are read."""


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[T]):
    """One column: its distinct values, and for each row the place of its value among them."""

    values: tuple[T, ...]
    """The distinct values."""
    codes: "Numbers"
    """Per row the place of its value in `values`; shape (rows,)."""

    @classmethod
    def of(cls, values: Sequence[T]) -> "Column[T]":
        """A column of values, one per row."""
        import numpy as np

        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        codes = np.fromiter((places[value] for value in values), dtype=np.int32, count=len(values))
        return cls(tuple(places), codes)

    def rows(self, first: int, last: int) -> Iterator[T]:
        """The values of the rows from `first` up to, not including, `last`."""
        return map(self.values.__getitem__, self.codes[first:last].tolist())

    def at(self, rows: Any) -> "Column[T]":  # noqa: ANN401 - whatever numpy takes as an index of many
        """The column of some of the rows."""
        return Column(self.values, self.codes[rows])

    def mapped(self, change: Callable[[T], T]) -> "Column[T]":
        """The column with every distinct value changed."""
        return Column(tuple(map(change, self.values)), self.codes)


@dataclass(frozen=True, eq=False, repr=False)
class Judgements(Sequence[Judgement]):
    """Verdicts in columns. Compares equal to every sequence of the same judgements."""

    hypothesis_ids: Column[str]
    """See `Judgement.hypothesis_id`; likewise the others."""
    prompt_ids: Column[str]
    """The pairs."""
    verdicts: Column[Verdict]
    """Which side fits better."""
    judges: Column[str]
    """The judges' model ids, or `measured`."""
    shown_first: Column[Side | None]
    """Which response the judge saw first."""
    replies: Column[str | None]
    """What the judge answered."""

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> "Judgements":
        """The same judgements in columns; those that are in columns already are returned as they are."""
        if isinstance(judgements, cls):
            return judgements
        rows = list(judgements)
        return cls(
            Column.of([row.hypothesis_id for row in rows]),
            Column.of([row.prompt_id for row in rows]),
            Column.of([row.verdict for row in rows]),
            Column.of([row.judge for row in rows]),
            Column.of([row.shown_first for row in rows]),
            Column.of([row.reply for row in rows]),
        )

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """All columns, in the order of the fields of `Judgement`."""
        return (
            self.hypothesis_ids,
            self.prompt_ids,
            self.verdicts,
            self.judges,
            self.shown_first,
            self.replies,
        )

    def of_hypothesis(self, hypothesis_id: str) -> "Judgements":
        """The verdicts on one hypothesis, in their order; none if there are none."""
        return self._at(self._rows_by_hypothesis.get(hypothesis_id, slice(0, 0)))

    def with_judges(self, change: Callable[[str], str]) -> "Judgements":
        """The same verdicts with every judge's name changed."""
        return Judgements(
            self.hypothesis_ids,
            self.prompt_ids,
            self.verdicts,
            self.judges.mapped(change),
            self.shown_first,
            self.replies,
        )

    def __len__(self) -> int:
        return len(self.verdicts.codes)

    @overload
    def __getitem__(self, index: int) -> Judgement: ...
    @overload
    def __getitem__(self, index: slice) -> "Judgements": ...
    def __getitem__(self, index: int | slice) -> "Judgement | Judgements":
        if isinstance(index, slice):
            return self._at(index)
        return Judgement(*(column.values[column.codes[index]] for column in self.columns))

    def __iter__(self) -> Iterator[Judgement]:
        for first in range(0, len(self), _CHUNK):
            yield from map(Judgement, *(column.rows(first, first + _CHUNK) for column in self.columns))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # equal to lists too

    def __repr__(self) -> str:
        return repr(tuple(self))

    def _at(self, rows: Any) -> "Judgements":  # noqa: ANN401 - see `Column.at`
        return Judgements(*(column.at(rows) for column in self.columns))

    @cached_property
    def _rows_by_hypothesis(self) -> Mapping[str, "Numbers"]:
        """The rows of each hypothesis, in their order."""
        import numpy as np

        codes = self.hypothesis_ids.codes
        order = np.argsort(codes, kind="stable").astype(np.int32)
        ends = np.cumsum(np.bincount(codes, minlength=len(self.hypothesis_ids.values))).tolist()
        spans = zip(self.hypothesis_ids.values, [0, *ends], ends, strict=False)
        return {hypothesis_id: order[first:last] for hypothesis_id, first, last in spans}
