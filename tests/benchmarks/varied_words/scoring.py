"""Scores a report against the properties that are counted in the held-out responses themselves."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffing import metrics
from diffing.types import Finding, Report, Side
from tests.benchmarks.varied_words.worlds import World
from tests.servers.varied import meaning_of
from tests.servers.varied_words import PROPERTIES, VariedProperty

SIGNIFICANT = 0.05
"""The largest p of a property that differs."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the held-out responses say of one property, counted without an LLM."""

    name: str
    """The property."""
    owner: Side
    """The side that has it in more pairs in which one side alone has it."""
    k_for: int
    """Pairs in which the owner alone has it."""
    k_against: int
    """Pairs in which the other side alone has it."""
    p: float
    """One-sided p of the sign test."""


@dataclass(frozen=True, slots=True)
class Score:
    """How a run compares with the truth."""

    differing: tuple[str, ...]
    """Properties that differ on held-out at p <= .05."""
    confirmable: tuple[str, ...]
    """Properties that Benjamini-Hochberg confirms on held-out if exactly the true statements are tested: one for each
    property that differs in all responses of the world, on train and held-out prompts together, at p <= .05."""
    stated: tuple[str, ...]
    """Properties that differ and are the content of a hypothesis of the right direction."""
    confirmed: tuple[str, ...]
    """Properties that differ and that are confirmed."""
    hypotheses: int
    """Hypotheses stated, true or not."""
    findings_confirmed: int
    """Confirmed findings."""
    wrong: tuple[str, ...]
    """Confirmed findings that say what does not differ, or say it of the wrong model."""

    @property
    def unconfirmed(self) -> list[str]:
        """Properties that differ, and were not confirmed."""
        return [name for name in self.differing if name not in self.confirmed]

    @property
    def missed(self) -> list[str]:
        """Properties that could be confirmed, and were not."""
        return [name for name in self.confirmable if name not in self.confirmed]

    @property
    def unstated(self) -> list[str]:
        """Properties that differ, and were not stated."""
        return [name for name in self.differing if name not in self.stated]


def truth_of(texts: Sequence[tuple[str, str]], each: VariedProperty) -> Truth:
    """Counts one property in the two responses to each held-out prompt."""
    marks = [tuple(each.mark.search(text) is not None for text in pair) for pair in texts]
    counts = {"a": marks.count((True, False)), "b": marks.count((False, True))}
    owner: Side = "a" if counts["a"] >= counts["b"] else "b"
    k_for, k_against = counts[owner], counts["b" if owner == "a" else "a"]
    return Truth(each.name, owner, k_for, k_against, metrics.sign_test(k_for, k_against))


def truths(world: World) -> list[Truth]:
    """All properties of a world, counted on its held-out prompts."""
    texts = world.texts("heldout")
    return [truth_of(texts, each) for each in PROPERTIES]


def confirmable(world: World, heldout: Sequence[Truth]) -> tuple[str, ...]:
    """The properties that are confirmed if exactly the true statements are tested, one for each property.

    What is true is counted in all responses: among those chosen by p <= .05 on held-out alone, Benjamini-Hochberg
    would confirm every one.
    """
    texts = [*world.texts("train"), *world.texts("heldout")]
    everywhere = {each.name: each for each in (truth_of(texts, each) for each in PROPERTIES)}
    true = [each for each in heldout if everywhere[each.name].p <= SIGNIFICANT]
    ps = [each.p if each.owner == everywhere[each.name].owner else 1.0 for each in true]
    qs = metrics.benjamini_hochberg(ps)
    return tuple(each.name for each, q in zip(true, qs, strict=True) if q <= metrics.FALSE_DISCOVERY_RATE)


def claim_of(finding: Finding) -> tuple[str, str]:
    """The property of which a finding speaks, and the side of which it says that it has it."""
    meaning = meaning_of(finding.hypothesis.text)
    direction = finding.hypothesis.direction
    if meaning is None:
        return finding.hypothesis.text, direction
    name, half = meaning
    return name, direction if half != "lacks" else "b" if direction == "a" else "a"


def score(report: Report, world: World) -> Score:
    """Compares what a report states and confirms with the truth."""
    counted = truths(world)
    differing = [each for each in counted if each.p <= SIGNIFICANT]
    owners = {each.name: each.owner for each in differing}
    true = [finding for finding in report.findings if owners.get(claim_of(finding)[0]) == claim_of(finding)[1]]
    confirmed = [finding for finding in report.findings if finding.confirmed]
    sides = {each.name: each for each in counted}

    def wrong(finding: Finding) -> bool:
        name, side = claim_of(finding)
        return name not in sides or sides[name].owner != side

    return Score(
        differing=tuple(owners),
        confirmable=confirmable(world, counted),
        stated=tuple(name for name in owners if name in {claim_of(finding)[0] for finding in true}),
        confirmed=tuple(
            name for name in owners if name in {claim_of(finding)[0] for finding in true if finding.confirmed}
        ),
        hypotheses=len(report.findings),
        findings_confirmed=len(confirmed),
        wrong=tuple(
            f"{finding.hypothesis.text} ({finding.hypothesis.direction})" for finding in confirmed if wrong(finding)
        ),
    )
