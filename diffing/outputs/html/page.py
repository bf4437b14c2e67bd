"""Collects the data that the HTML page of a report shows: entries, examples, claims and the map by kind of prompt.

The templates turn it into markup.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from diffing.outputs.asked_words import answer_of as asked_answer
from diffing.outputs.asked_words import family_of, question_of
from diffing.outputs.blocks import ShownBlock, lines_by_block, title_of
from diffing.outputs.examples import EXAMPLES_SHOWN, Group, PairExample, examples
from diffing.outputs.finding_results import sentence
from diffing.outputs.html.answer import PageAnswer, answer_of
from diffing.outputs.html.investigation_story import StoryRound, story_of
from diffing.outputs.html.judge_checks import CheckView, checks_of
from diffing.outputs.html.kind_map import KindMap, kind_map_of
from diffing.outputs.html.planted_checklist import PlantedView, checklist_of
from diffing.outputs.html.stability_section import StabilityView, stability_of
from diffing.outputs.phrasing import pieces
from diffing.outputs.prompt_kinds import Place, kinds_of, places_of, shows_in
from diffing.report.grouped_list import ListEntry, ListMember
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.report.verdict_counts import NeitherCounts
from diffing.types import Finding, Report, Side, Split

RESPONSE_BUDGET = 3_000_000
"""Number of characters of responses in one page; this keeps pages of ordinary text under 5 MB."""
LONGEST, SHORTEST = 6_000, 400
"""Largest and smallest number of characters of one response; the budget decides between them."""
PROMPT_SHOWN = 600
"""Maximum number of characters of the prompt at the top of the page."""
FEW_LINES = 6
"""With at most this number of lines, the list has no filters."""
MEMBERS_SHOWN = 4
"""Number of further findings of a line that are shown without a click."""
TURNS, TURN_LENGTH, VALUE_LENGTH = 3, 2_000, 2_000
"""Maximum number of messages of a prompt (the last ones), of characters per message, and of characters of a setting."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding as the page shows it."""

    number: int
    """Its number from 1: the leads of all entries first, then the other members."""
    finding: Finding
    """The finding itself."""
    pieces: tuple[tuple[str, Side | None], ...]
    """Its hypothesis as `phrasing.pieces` splits it."""
    sentence: str
    """Its result in words, from `finding_results.sentence`."""
    examples: Mapping[Group, tuple[PairExample, ...]]
    """The example pairs by kind of verdict."""
    counts: Mapping[Group, int]
    """The number of verdicts of each kind, on both splits together."""
    unreadable: int
    """The number of unreadable verdicts, on both splits together."""
    reasons: Mapping[Split, NeitherCounts]
    """The number of verdicts for neither side by their reason, where it is known; per split."""

    @property
    def counted(self) -> str:
        """All counts in words, such as "14 for, 2 against, 31 neither"; both splits together."""
        known = self.reasons["train"] + self.reasons["heldout"]
        unknown = self.counts["neither"] - known.total
        shown = (
            (self.counts["for"], "for", True),
            (self.counts["against"], "against", True),
            (known.same, "both alike", False),
            (known.not_shown, "not shown", False),
            (known.outside, "outside its scope", False),
            (unknown, "neither", not known.total),
            (self.unreadable, "unreadable", False),
        )
        return ", ".join(f"{number} {name}" for number, name, always in shown if always or number > 0)


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry of the grouped list as the page shows it: findings that say the same."""

    lead: FindingView
    """The finding that represents the entry."""
    members: tuple[tuple[ListMember, FindingView], ...]
    """The other findings, each with the evidence that it says the same."""
    opposite: FindingView | None
    """The strongest of the other findings that speaks for the other model."""
    places: tuple[int, ...]
    """The indices of the places in which its lead shows; empty in a brief page."""

    def among(self, field: str) -> tuple[str, ...]:
        """Returns the distinct values of a hypothesis field, `method` or `category`, over all its findings."""
        views = (self.lead, *(view for _, view in self.members))
        return tuple(sorted({getattr(view.finding.hypothesis, field) for view in views}))


@dataclass(frozen=True, slots=True)
class BlockView:
    """One part of the list, with a title for its fold."""

    key: ShownBlock
    """The part."""
    title: str
    """Its title, with the number of its lines."""
    entries: tuple[EntryView, ...]
    """Its lines in order."""


@dataclass(frozen=True, slots=True)
class AskedView:
    """Something that a user asked after the run, as the page shows it."""

    question: str
    """The question."""
    answer: str
    """The result in words."""
    judge: str
    """The id of the judge."""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """Everything that the template shows in addition to the report's own fields."""

    names: ModelNames
    """The short names of the two models."""
    entries: tuple[EntryView, ...]
    """The grouped list of findings in its order."""
    findings: tuple[FindingView, ...]
    """All findings, by their numbers."""
    map: KindMap
    """The map of differences by kind of prompt."""
    places: tuple[Place, ...]
    """The places by which the list can be filtered."""
    answer: PageAnswer
    """What stands at the top of the page."""
    checks: tuple[CheckView, ...]
    """The checks of the judge."""
    planted: tuple[PlantedView, ...]
    """What was planted in the models of an example, and as what it was found."""
    story: tuple[StoryRound, ...]
    """The rounds of an investigation by the agent method; empty without one."""
    stability: StabilityView | None
    """What repeats with other seeds say; None if the run was not repeated."""
    asked: tuple[AskedView, ...]
    """What users asked after the run."""
    asked_family: str
    """What of it was tested together, and when a result counts."""

    @property
    def tells_apart(self) -> bool:
        """Whether the reason of any verdict for neither side is known."""
        return any(reasons.total for view in self.findings for reasons in view.reasons.values())

    @property
    def blocks(self) -> tuple[BlockView, ...]:
        """The parts of the list: differences, then what is folded; a part without lines is left out."""
        index = index_of(self.answer.report)
        of = {entry.lead.number: entry for entry in self.entries}
        blocks = (
            BlockView(block, title_of(block, index), tuple(of[entry.number] for entry in lines))
            for block, lines in lines_by_block(index).items()
        )
        return tuple(block for block in blocks if block.entries)


def page_of(report: Report, *, brief: bool = False) -> ReportPage:
    """Collects the data of a report's page.

    Args:
        report: The report to show.
        brief: Leaves out examples, which take long to choose in a report with many prompts.
    """
    index = index_of(report)
    kinds = kinds_of(index)
    places = places_of(index, kinds)
    longest = RESPONSE_BUDGET // (2 * sum(EXAMPLES_SHOWN.values()) * max(len(report.findings), 1))
    longest = min(max(longest, SHORTEST), LONGEST)

    def view(number: int, finding: Finding) -> FindingView:
        return FindingView(
            number=number,
            finding=finding,
            pieces=tuple(pieces(finding)),
            sentence=sentence(finding, index.names),
            examples={} if brief else examples(finding, index.verdicts_on(finding.hypothesis.id), index, longest),
            counts=_counts(finding),
            unreadable=finding.train.unreadable + finding.heldout.unreadable,
            reasons={split: index.neither(finding.hypothesis.id, split) for split in ("train", "heldout")},
        )

    def entry_view(entry: ListEntry) -> EntryView:
        members = tuple((each, view(each.number, each.finding)) for each in entry.members)
        opposite = next((of for each, of in members if each == entry.opposite), None)
        shown = () if brief else tuple(at for at, place in enumerate(places) if shows_in(entry.lead, place, index))
        return EntryView(view(entry.number, entry.lead), members, opposite, shown)

    entries = tuple(entry_view(entry) for entry in index.entries)
    views = (*(entry.lead for entry in entries), *(one for entry in entries for _, one in entry.members))
    return ReportPage(
        names=index.names,
        entries=entries,
        findings=views,
        map=kind_map_of(index, kinds),
        places=places,
        answer=answer_of(report),
        checks=checks_of(report),
        planted=checklist_of(index),
        story=story_of(report),
        stability=stability_of(report),
        asked=tuple(
            AskedView(question_of(each), asked_answer(each, index.names), each.asked.judge) for each in index.asked
        ),
        asked_family=family_of(index.asked),
    )


def _counts(finding: Finding) -> dict[Group, int]:
    both = (finding.train, finding.heldout)
    return {
        "for": sum(split.k_for for split in both),
        "against": sum(split.k_against for split in both),
        "neither": sum(split.k_neither for split in both),
    }
