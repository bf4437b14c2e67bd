"""A memory-saving sequence of `Judgement` objects, stored as columns of integer codes.

A report of 10,000 prompts and 200 hypotheses has two million verdicts, which would take more than a gigabyte as
objects. Each column here stores its distinct values once and one small integer per verdict; a `Judgement` object is
created only when it is read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from diffing.types import Judgement, Side, Verdict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Codes = npt.NDArray[np.unsignedinteger[Any]]
    Places = npt.NDArray[np.int32]

T = TypeVar("T")
_CHUNK = 50_000
"""Number of verdicts that iteration decodes at once."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedColumn(Generic[T]):
    """One column, stored as its distinct values and, for each row, the index of its value."""

    values: tuple[T, ...]
    """The distinct values."""
    codes: "Codes"
    """The index into `values` for each row; shape (rows,)."""

    @classmethod
    def of(cls, values: Sequence[T]) -> "EncodedColumn[T]":
        """Encodes a sequence of values, one per row."""
        import numpy as np

        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        return cls.encoded(
            tuple(places), np.fromiter(map(places.__getitem__, values), dtype=np.int32, count=len(values))
        )

    @classmethod
    def encoded(cls, values: tuple[T, ...], codes: "npt.NDArray[np.integer[Any]]") -> "EncodedColumn[T]":
        """Makes a column whose codes have the smallest integer type that can hold them.

        Args:
            values: The distinct values.
            codes: The index into `values` for each row; shape (rows,).
        """
        import numpy as np

        return cls(values, codes.astype(np.min_scalar_type(max(len(values) - 1, 0))))

    def rows(self, first: int, last: int) -> Iterator[T]:
        """The values of the rows from `first` up to, not including, `last`."""
        return map(self.values.__getitem__, self.codes[first:last].tolist())

    def at(self, rows: Any) -> "EncodedColumn[T]":  # noqa: ANN401  any index that numpy accepts
        """The column restricted to some rows."""
        return EncodedColumn(self.values, self.codes[rows])

    def mapped(self, change: Callable[[T], T]) -> "EncodedColumn[T]":
        """The column after a function is applied to every distinct value."""
        return EncodedColumn(tuple(map(change, self.values)), self.codes)


@dataclass(frozen=True, eq=False, repr=False)
class Judgements(Sequence[Judgement]):
    """An immutable sequence of judgements, stored in columns. It equals any sequence of the same judgements."""

    hypothesis_ids: EncodedColumn[str]
    """`Judgement.hypothesis_id` of every row."""
    prompt_ids: EncodedColumn[str]
    """`Judgement.prompt_id` of every row."""
    verdicts: EncodedColumn[Verdict]
    """`Judgement.verdict` of every row."""
    judges: EncodedColumn[str]
    """`Judgement.judge` of every row."""
    shown_first: EncodedColumn[Side | None]
    """`Judgement.shown_first` of every row."""
    replies: EncodedColumn[str | None]
    """`Judgement.reply` of every row."""
    in_scope: EncodedColumn[bool]
    """`Judgement.in_scope` of every row."""
    per_word: EncodedColumn[Side | None]
    """`Judgement.per_word` of every row."""
    chances_a: EncodedColumn[float | None]
    """`Judgement.chance_a` of every row."""

    @classmethod
    def of(cls, judgements: Iterable[Judgement]) -> "Judgements":
        """Encodes judgements into columns; a `Judgements` object is returned unchanged."""
        if isinstance(judgements, cls):
            return judgements
        rows = list(judgements)
        return cls(
            EncodedColumn.of([row.hypothesis_id for row in rows]),
            EncodedColumn.of([row.prompt_id for row in rows]),
            EncodedColumn.of([row.verdict for row in rows]),
            EncodedColumn.of([row.judge for row in rows]),
            EncodedColumn.of([row.shown_first for row in rows]),
            EncodedColumn.of([row.reply for row in rows]),
            EncodedColumn.of([row.in_scope for row in rows]),
            EncodedColumn.of([row.per_word for row in rows]),
            EncodedColumn.of([row.chance_a for row in rows]),
        )

    @property
    def columns(self) -> tuple[EncodedColumn[Any], ...]:
        """All columns, in the order of the fields of `Judgement`."""
        return (
            self.hypothesis_ids,
            self.prompt_ids,
            self.verdicts,
            self.judges,
            self.shown_first,
            self.replies,
            self.in_scope,
            self.per_word,
            self.chances_a,
        )

    def of_hypothesis(self, hypothesis_id: str) -> "Judgements":
        """The verdicts on one hypothesis, in order; an empty sequence if it has none."""
        return self._at(self._rows_by_hypothesis.get(hypothesis_id, slice(0, 0)))

    def with_judges(self, change: Callable[[str], str]) -> "Judgements":
        """The same verdicts after a function is applied to every judge's name."""
        return Judgements(
            self.hypothesis_ids,
            self.prompt_ids,
            self.verdicts,
            self.judges.mapped(change),
            self.shown_first,
            self.replies,
            self.in_scope,
            self.per_word,
            self.chances_a,
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

    def _at(self, rows: Any) -> "Judgements":  # noqa: ANN401  see `EncodedColumn.at`
        return Judgements(*(column.at(rows) for column in self.columns))

    @cached_property
    def _rows_by_hypothesis(self) -> Mapping[str, "Places"]:
        """The row numbers of each hypothesis, in order."""
        import numpy as np

        codes = self.hypothesis_ids.codes
        order = np.argsort(codes, kind="stable").astype(np.int32)
        ends = np.cumsum(np.bincount(codes, minlength=len(self.hypothesis_ids.values))).tolist()
        spans = zip(self.hypothesis_ids.values, [0, *ends], ends, strict=False)
        return {hypothesis_id: order[first:last] for hypothesis_id, first, last in spans}
