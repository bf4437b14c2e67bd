"""Collects the data of the page's section on features: table rows, example passages and the findings that use them.

The templates turn it into markup.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from diffing.report.index import ReportIndex, index_of
from diffing.report.sae_tables import FeaturePassage, ListedFeature, marked, measured_latents, method_with_features
from diffing.types import Category, FeatureMeasure, Finding, Prompt, Report, Side

FEATURE_ROWS = 100
"""Maximum number of features in the table."""
PASSAGES, PASSAGE_LENGTH, PROMPT_LENGTH = 3, 500, 240
"""Maximum number of passages per feature, of characters per passage, and of characters of its prompt."""
LABEL_LENGTH = 300
"""Maximum number of characters of a label, its source, the top tokens or a URL."""
_LINK = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")
"""An https URL without user name, made only of characters that RFC 3986 allows unescaped."""


GROUPS: Mapping[str, tuple[Category, ...]] = {
    "Capability": ("capability", "reasoning", "knowledge and stance"),
    "Safety": ("safety and alignment",),
    "Response pattern": ("style", "format", "language"),
}
"""Kinds of behaviour as arXiv 2602.11729 groups them, with the categories of hypotheses in each."""
_GROUP_OF: Mapping[Category, str] = {category: name for name, each in GROUPS.items() for category in each}
UNKNOWN = "Unknown"
"""The kind of a feature that no LLM labelled and no measured property goes with."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """How many confirmed findings on features are of one kind of behaviour."""

    name: str
    """The kind of behaviour."""
    more_in_a: int
    """The number of findings whose features are active more often in A's responses."""
    more_in_b: int
    """The same for B."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage with the tokens at which the feature is active."""

    passage: FeaturePassage
    """The passage as the report stores it."""
    prompt: Prompt | None
    """The prompt of the response, if the report still has it."""
    pieces: tuple[tuple[str, bool], ...]
    """Pieces of text, each with whether the feature is active there; cut to `PASSAGE_LENGTH`."""
    cut: bool
    """Whether the passage was cut."""


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One row of the feature table."""

    feature: ListedFeature
    """The feature as the report stores it."""
    link: str | None
    """Its public page, if that is a plain https URL."""
    findings: tuple[tuple[int, Finding], ...]
    """The findings that rest on the feature, each with its number in the report."""
    passages: tuple[PassageView, ...]
    """Its strongest passages."""
    passage_count: int
    """The number of passages that the report has."""


@dataclass(frozen=True, slots=True)
class FeatureSection:
    """The data of the section."""

    rows: tuple[FeatureView, ...]
    """The listed features, the largest difference first."""
    total: int
    """The number of features that differ or are internal, listed or not."""
    listed: frozenset[int]
    """The indices of the listed features."""
    method: str
    """The method whose features they are."""
    names: Mapping[int, str]
    """What hypotheses call the listed features, by index."""
    groups: tuple[GroupRow, ...]
    """The confirmed findings on features by kind of behaviour; empty if none is confirmed."""
    numbers: Mapping[str, int]
    """The indices of all features with names of their own, by name."""

    @property
    def has_internal(self) -> bool:
        """Whether a listed feature is internal."""
        return any(row.feature.internal for row in self.rows)

    def of(self, finding: Finding) -> tuple[int, ...]:
        """Returns the indices of the listed features that a finding rests on."""
        return tuple(index for index in measured_latents(finding, self.numbers) if index in self.listed)


def features_in(report: Report) -> FeatureSection | None:
    """Collects the section's data; returns None if no method of the run has features.

    If there are more than `FEATURE_ROWS` features, those of confirmed findings are kept first, then those that were
    followed up, then those with the largest differences.

    Args:
        report: The report to show.
    """
    method = method_with_features(report)
    if method is None:
        return None
    index = index_of(report)
    numbers = {feature.name: feature.index for feature in index.features if method != "sae"}
    findings: dict[int, list[tuple[int, Finding]]] = {}
    for finding in report.findings:
        for latent in measured_latents(finding, numbers):
            findings.setdefault(latent, []).append((index.numbers[finding.hypothesis.id], finding))

    def rank(feature: ListedFeature) -> tuple[bool, bool, bool]:
        confirmed = any(finding.confirmed for _, finding in findings.get(feature.index, ()))
        return not confirmed, not feature.chosen, feature.internal

    listed = {feature.index for feature in sorted(index.features, key=rank)[:FEATURE_ROWS]}
    rows = (
        FeatureView(
            feature=feature,
            link=feature.url if feature.url and _LINK.fullmatch(feature.url) else None,
            findings=tuple(findings.get(feature.index, ())),
            passages=tuple(_passage(one, index) for one in index.passages.get(feature.index, ())[:PASSAGES]),
            passage_count=len(index.passages.get(feature.index, ())),
        )
        for feature in index.features
        if feature.index in listed
    )
    names = {feature.index: feature.name for feature in index.features if feature.index in listed}
    groups = _groups(report, {feature.name for feature in index.features if feature.agrees_with})
    return FeatureSection(tuple(rows), len(index.features), frozenset(listed), method, names, groups, numbers)


def _groups(report: Report, agreeing: Collection[str]) -> tuple[GroupRow, ...]:
    """Counts the confirmed findings that features of trained dictionaries measure, by kind of behaviour.

    Args:
        report: The report.
        agreeing: The names of the features that decide as a measured property does.
    """
    found: Counter[tuple[str, Side]] = Counter()
    for finding in report.findings:
        measure = finding.hypothesis.measure
        if finding.confirmed and isinstance(measure, FeatureMeasure):
            known = measure.in_words or any(each.name in agreeing for each in measure.features)
            kind = _GROUP_OF[finding.hypothesis.category] if known else UNKNOWN
            found[kind, finding.hypothesis.direction] += 1
    names = (*GROUPS, UNKNOWN) if any(kind == UNKNOWN for kind, _ in found) else tuple(GROUPS)
    return tuple(GroupRow(name, found[name, "a"], found[name, "b"]) for name in names) if found else ()


def _passage(passage: FeaturePassage, index: ReportIndex) -> PassageView:
    pair = index.pairs.get(passage.prompt_id)
    prompt, response = (pair.prompt, pair.response(passage.side).text) if pair else (None, "")
    pieces, left = [], PASSAGE_LENGTH
    for text, active in marked(passage.text, response):
        if left > 0:
            pieces.append((text[:left], active))
        left -= len(text)
    return PassageView(passage, prompt, tuple(pieces), left < 0)
