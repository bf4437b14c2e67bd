"""Divides a report's list into the differences and the folded parts below them, each part with a title."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from diffing.outputs.phrasing import count, prompts_in
from diffing.report.grouped_list import ListEntry
from diffing.report.index import ReportIndex
from diffing.report.run_pairs import PROBES

ShownBlock: TypeAlias = Literal["differences", "wording", "features", "unconfirmed"]
"""A part of the list: confirmed behaviours; confirmed words and phrases; confirmed internal features without words; all
lines that are not confirmed."""


def lines_by_block(index: ReportIndex) -> Mapping[ShownBlock, tuple[ListEntry, ...]]:
    """Returns the lines of each part, in order.

    Args:
        index: The index of a report.
    """
    return {
        "differences": index.differences,
        "wording": index.wording,
        "features": index.bare_features,
        "unconfirmed": tuple(entry for entry in index.entries if not entry.lead.confirmed),
    }


def block_of(index: ReportIndex, number: int) -> ShownBlock:
    """Returns the part in which a finding stands, as a lead or as a member of a line.

    Args:
        index: The index of a report.
        number: The number of an existing finding.
    """
    return next(block for block, lines in lines_by_block(index).items() if any(number in numbers(e) for e in lines))


def numbers(entry: ListEntry) -> tuple[int, ...]:
    """The numbers of all findings of a line, that of its lead first."""
    return entry.number, *(member.number for member in entry.members)


def title_of(block: ShownBlock, index: ReportIndex) -> str:
    """Returns the title of a part, such as "13 confirmed differences" or "and 9 words and phrases".

    Args:
        block: The part.
        index: The index of a report.
    """
    lines = len(lines_by_block(index)[block])
    joint = "and " if index.differences else ""
    match block:
        case "differences":
            return count(lines, "confirmed difference")
        case "wording":
            return f"{joint}{count(lines, 'word or phrase', 'words and phrases')}"
        case "features":
            return f"{joint}{count(lines, 'internal feature')} without words"
        case "unconfirmed" if index.report.tables.get(PROBES):  # the agent method has prompts of its own
            ideas = count(lines, "idea")
            return f"Not confirmed: {ideas} that looked promising at first, but did not hold up when tested"
        case "unconfirmed":
            train, heldout = prompts_in(index.report, "train"), prompts_in(index.report, "heldout")
            return (
                f"Not confirmed: {count(lines, 'idea')} that looked promising on the first {count(train, 'prompt')}, "
                f"but did not hold up on the {heldout:,} held-out ones"
            )
