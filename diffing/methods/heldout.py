"""`HeldoutMethod`: a method that adds to its records once its hypotheses have been tested on held-out prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from diffing.methods.base import Method
from diffing.types import Hypothesis, OnProgress, Pair, Row


@dataclass(frozen=True, slots=True)
class HeldoutRecords:
    """What a method adds to its records after the test."""

    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """Tables; one of the same name as before replaces it."""
    notes: tuple[str, ...] = ()
    """Full sentences for the reader of the report."""


@runtime_checkable
class HeldoutMethod(Method, Protocol):
    """A method that looks at held-out pairs after the verdicts: none of its hypotheses changes by it."""

    def heldout_records(
        self, confirmed: Sequence[Hypothesis], pairs: Sequence[Pair], on_progress: OnProgress
    ) -> HeldoutRecords:
        """Returns what the method knows only from held-out pairs, such as how far its reading can be trusted.

        Args:
            confirmed: The method's confirmed hypotheses, the strongest first.
            pairs: The held-out pairs.
            on_progress: Called with the progress of its stages.
        """
