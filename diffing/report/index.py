"""`ReportIndex`: look-ups in a report (names, findings by id, verdicts, entries), each computed once and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from diffing.judgements import Judgements
from diffing.report.asked_tables import AskedResult, asked_of, asked_results
from diffing.report.grouped_list import ListEntry, entries_of
from diffing.report.model_names import ModelNames, names_between
from diffing.report.sae_tables import FeaturePassage, ListedFeature, features_of, passages_of
from diffing.report.verdict_counts import NeitherCounts, neither_counts
from diffing.types import Block, Finding, Judgement, KnownBy, Pair, Report, Split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_KEY = "index"


@dataclass(frozen=True)
class ReportIndex:
    """The look-ups of one report. Each is computed when it is first used, and then kept."""

    report: Report
    """The report that is indexed."""

    @cached_property
    def names(self) -> ModelNames:
        """Short names of the two models."""
        return names_between(self.report.model_a, self.report.model_b)

    @cached_property
    def pairs(self) -> Mapping[str, Pair]:
        """The pairs by prompt id."""
        return {pair.prompt.id: pair for pair in self.report.pairs}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The position of each pair in the report, by prompt id."""
        return {pair.prompt.id: place for place, pair in enumerate(self.report.pairs)}

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """The findings by hypothesis id."""
        return {finding.hypothesis.id: finding for finding in self.report.findings}

    @cached_property
    def confirmed(self) -> tuple[Finding, ...]:
        """The confirmed findings, in the report's order."""
        return tuple(finding for finding in self.report.findings if finding.confirmed)

    @cached_property
    def tested(self) -> tuple[Finding, ...]:
        """The findings that were tested on held-out prompts, in the report's order."""
        return tuple(finding for finding in self.report.findings if finding.heldout.p is not None)

    @cached_property
    def entries(self) -> tuple[ListEntry, ...]:
        """The grouped list of findings, in order; if nothing was grouped, every finding is an entry of its own."""
        return entries_of(self.report, self.findings)

    @cached_property
    def leads(self) -> tuple[Finding, ...]:
        """The lead finding of each entry of the grouped list, in order; if nothing was grouped, all findings."""
        if not self.report.merged:
            return self.report.findings
        return tuple(self.findings[entry.lead] for entry in self.report.merged)

    def _confirmed(self, block: Block) -> tuple[ListEntry, ...]:
        return tuple(entry for entry in self.entries if entry.block == block and entry.lead.confirmed)

    @cached_property
    def differences(self) -> tuple[ListEntry, ...]:
        """The confirmed lines that are not folded, in order; their number is the report's number of differences."""
        return self._confirmed("behaviours")

    @cached_property
    def wording(self) -> tuple[ListEntry, ...]:
        """The confirmed lines of words and phrases, which are folded."""
        return self._confirmed("wording")

    @cached_property
    def bare_features(self) -> tuple[ListEntry, ...]:
        """The confirmed lines of internal features without words, which are folded."""
        return self._confirmed("features")

    @cached_property
    def lines(self) -> Mapping[str, tuple[ListEntry, KnownBy]]:
        """Every finding's line, and why it belongs to it, by its hypothesis id."""
        leads: dict[str, tuple[ListEntry, KnownBy]] = {e.lead.hypothesis.id: (e, "lead") for e in self.entries}
        members = ((member, entry) for entry in self.entries for member in entry.members)
        return leads | {member.finding.hypothesis.id: (entry, member.known_by) for member, entry in members}

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Every finding's number by its hypothesis id: leads in the grouped list's order, then the members."""
        leads = {entry.lead.hypothesis.id: entry.number for entry in self.entries}
        members = (member for entry in self.entries for member in entry.members)
        return leads | {member.finding.hypothesis.id: member.number for member in members}

    @cached_property
    def judgements(self) -> Judgements:
        """All verdicts, in columns."""
        return Judgements.of(self.report.judgements)

    def verdicts_on(self, hypothesis_id: str) -> Judgements:
        """Returns the verdicts on one hypothesis, in the report's order; empty for an id that is not in the report."""
        return self.judgements.of_hypothesis(hypothesis_id)

    @cached_property
    def _neither_counts(self) -> Mapping[tuple[str, Split], NeitherCounts]:
        return neither_counts(self.judgements, self.report.pairs)

    def neither(self, hypothesis_id: str, split: Split) -> NeitherCounts:
        """Counts, by their reason, the verdicts on one hypothesis for one split's pairs that are for neither side."""
        return self._neither_counts.get((hypothesis_id, split), NeitherCounts())

    def verdict(self, hypothesis_id: str, prompt_id: str) -> Judgement | None:
        """Returns the verdict on one hypothesis for one pair, or None if that pair was not judged."""
        return next((each for each in self.verdicts_on(hypothesis_id) if each.prompt_id == prompt_id), None)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The domains of the prompts, sorted."""
        return tuple(sorted({pair.prompt.domain for pair in self.report.pairs if pair.prompt.domain is not None}))

    def domain_codes(self, prompt_ids: tuple[str, ...]) -> "npt.NDArray[np.int64]":
        """Codes the kind of each prompt as a number, to count verdicts quickly.

        Args:
            prompt_ids: The ids of prompts; the codes for those of `judgements` are computed once and kept.

        Returns:
            For each held-out prompt the position of its domain in `domains`, or their number if it has none; for each
            train prompt one more than their number; shape (prompts,).
        """
        judged = self.judgements.prompt_ids.values
        return self._judged_domain_codes if prompt_ids is judged else self._domain_codes(prompt_ids)

    @cached_property
    def _judged_domain_codes(self) -> "npt.NDArray[np.int64]":
        return self._domain_codes(self.judgements.prompt_ids.values)

    def _domain_codes(self, prompt_ids: tuple[str, ...]) -> "npt.NDArray[np.int64]":
        import numpy as np

        code = {domain: place for place, domain in enumerate((*self.domains, None))}
        prompts = (self.pairs[prompt_id].prompt for prompt_id in prompt_ids)
        codes = (code[prompt.domain] if prompt.split == "heldout" else len(code) for prompt in prompts)
        return np.fromiter(codes, dtype=np.int64, count=len(prompt_ids))

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The names of the methods that produced findings, sorted."""
        return tuple(sorted({finding.hypothesis.method for finding in self.report.findings}))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories of the findings, sorted."""
        return tuple(sorted({finding.hypothesis.category for finding in self.report.findings}))

    @cached_property
    def asked(self) -> tuple[AskedResult, ...]:
        """What users asked of the report after the run, in the order in which it was asked."""
        return asked_results(asked_of(self.report))

    @cached_property
    def features(self) -> tuple[ListedFeature, ...]:
        """The SAE features whose rates differ, the largest difference first; empty without the SAE method."""
        return features_of(self.report)

    @cached_property
    def passages(self) -> Mapping[int, tuple[FeaturePassage, ...]]:
        """The passages in which each SAE feature is active, the strongest first, by the feature's index."""
        return passages_of(self.report)


def index_of(report: Report) -> ReportIndex:
    """Returns the index of a report; it is created once and then kept with the report.

    Args:
        report: The report to look things up in.
    """
    return cast(ReportIndex, report.derived.setdefault(_KEY, ReportIndex(report)))
