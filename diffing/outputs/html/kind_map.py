"""Collects the table of a report's page that shows how much each difference occurs on each kind of prompt."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing.outputs.prompt_kinds import KindCounts, PromptKind, counts_by_kind
from diffing.report.index import ReportIndex
from diffing.types import Side, other_side

MAP_ROWS = 13
"""Maximum number of lines in the map, the first ones."""
FEWEST_ROWS = 4
"""With fewer confirmed lines than this there is no map: the list says it all."""
SMALLEST = 0.03
"""Smaller net differences than this are shown as a dot."""


@dataclass(frozen=True, slots=True)
class KindCell:
    """One line on one kind of prompt."""

    kind: int
    """The index of the kind."""
    counts: KindCounts
    """The verdicts."""
    side: Side | None
    """The model that does it more on this kind; None if there are too few verdicts, or hardly any difference."""


@dataclass(frozen=True, slots=True)
class MapRow:
    """One line of the list on each kind of prompt."""

    number: int
    """The number of its lead."""
    cells: tuple[KindCell, ...]
    """Its cells, one for each kind."""


@dataclass(frozen=True, slots=True)
class KindMap:
    """The map of differences by kind of prompt."""

    kinds: tuple[PromptKind, ...]
    """The columns."""
    rows: tuple[MapRow, ...]
    """The rows: the first confirmed lines, in the order of the list; empty if there is nothing to compare."""
    of: int
    """The number of confirmed lines."""

    @property
    def has_few(self) -> bool:
        """Whether any cell rests on too few verdicts for a rate."""
        return any(cell.counts.net is None for row in self.rows for cell in row.cells)


def kind_map_of(index: ReportIndex, kinds: Sequence[PromptKind]) -> KindMap:
    """Builds the map.

    Args:
        index: The index of the report.
        kinds: The kinds of its prompts.
    """
    lines = index.differences
    if not kinds or len(lines) < FEWEST_ROWS:
        return KindMap(tuple(kinds), (), len(lines))
    rows = []
    for entry in lines[:MAP_ROWS]:
        counted = counts_by_kind(entry.lead, kinds, index)
        direction = entry.lead.hypothesis.direction
        rows.append(MapRow(entry.number, tuple(_cell(at, counts, direction) for at, counts in enumerate(counted))))
    return KindMap(tuple(kinds), tuple(rows), len(lines))


def _cell(kind: int, counts: KindCounts, direction: Side) -> KindCell:
    net = counts.net
    if net is None or abs(net) < SMALLEST:
        return KindCell(kind, counts, None)
    return KindCell(kind, counts, direction if net > 0 else other_side(direction))
