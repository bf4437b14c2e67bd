"""What the page says of the SAE's features: which are listed, their passages, the findings on them. Knows no markup."""

import re
from dataclasses import dataclass

from diffing.report.index import ReportIndex, index_of
from diffing.report.sae_tables import FEATURES, Feature, Passage, marked, measured_latents
from diffing.types import Finding, Prompt, Report

FEATURE_ROWS = 100
"""Features in the table."""
PASSAGES, PASSAGE_LENGTH, PROMPT_LENGTH = 3, 500, 240
"""Passages per feature; characters of each; characters of its prompt."""
LABEL_LENGTH = 300
"""Characters of a label, its source, the tokens or an address."""
_LINK = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9._~:/?#@!$&()*+,;=%-]*)?")
"""An https address of characters that need no escaping in one (RFC 3986), without a user's name."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """A passage with the tokens at which the feature is active."""

    passage: Passage
    """Its row."""
    prompt: Prompt | None
    """What was asked, where the report still has it."""
    pieces: tuple[tuple[str, bool], ...]
    """Text, and whether the feature is active there; cut to `PASSAGE_LENGTH`."""
    cut: bool
    """Whether something was."""


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One row of the table."""

    feature: Feature
    """Its row."""
    link: str | None
    """Its public page, where that is an https address."""
    findings: tuple[tuple[int, Finding], ...]
    """The findings that rest on it, with their numbers."""
    passages: tuple[PassageView, ...]
    """The strongest."""
    passage_count: int
    """All that the report has."""


@dataclass(frozen=True, slots=True)
class Features:
    """The section."""

    rows: tuple[FeatureView, ...]
    """The largest difference first."""
    total: int
    """Features that differ, listed or not."""
    listed: frozenset[int]
    """Indices of the rows."""

    def of(self, finding: Finding) -> tuple[int, ...]:
        """The listed features that a finding rests on."""
        return tuple(index for index in measured_latents(finding) if index in self.listed)


def features_in(report: Report) -> Features | None:
    """The section's data, None where the SAE method was not part of the run.

    Of more than `FEATURE_ROWS` features those that confirmed findings rest on come first, then those that were followed
    up, then the largest differences.

    Args:
        report: What is shown.
    """
    if FEATURES not in report.tables:
        return None
    index = index_of(report)
    findings: dict[int, list[tuple[int, Finding]]] = {}
    for finding in report.findings:
        for latent in measured_latents(finding):
            findings.setdefault(latent, []).append((index.numbers[finding.hypothesis.id], finding))

    def rank(feature: Feature) -> tuple[bool, bool]:
        confirmed = any(finding.confirmed for _, finding in findings.get(feature.index, ()))
        return not confirmed, not feature.chosen

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
    return Features(tuple(rows), len(index.features), frozenset(listed))


def _passage(passage: Passage, index: ReportIndex) -> PassageView:
    pair = index.pairs.get(passage.prompt_id)
    prompt, response = (pair.prompt, pair.response(passage.side).text) if pair else (None, "")
    pieces, left = [], PASSAGE_LENGTH
    for text, active in marked(passage.text, response):
        if left > 0:
            pieces.append((text[:left], active))
        left -= len(text)
    return PassageView(passage, prompt, tuple(pieces), left < 0)
