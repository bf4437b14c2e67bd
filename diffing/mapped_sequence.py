"""`MappedSequence`: items that are made whenever they are read, so that thousands of long texts take no memory."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

Given = TypeVar("Given")
Made = TypeVar("Made")


class MappedSequence(Sequence[Made], Generic[Given, Made]):
    """The results of a function for the items of another sequence; a result is not kept.

    Args:
        function: Makes an item; it gives the same each time.
        given: What the items are made of.
    """

    def __init__(self, function: Callable[[Given], Made], given: Sequence[Given]) -> None:
        self._function = function
        self._given = given

    def __len__(self) -> int:
        return len(self._given)

    @overload
    def __getitem__(self, index: int) -> Made: ...

    @overload
    def __getitem__(self, index: slice) -> "MappedSequence[Given, Made]": ...

    def __getitem__(self, index: int | slice) -> "Made | MappedSequence[Given, Made]":
        if isinstance(index, slice):
            return MappedSequence(self._function, self._given[index])
        return self._function(self._given[index])
