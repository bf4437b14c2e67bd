"""A report is looked through once, and everybody who looks something up in it shares the result."""

from dataclasses import replace

from diffing.report.index import index_of
from diffing.report.model_names import names_between
from diffing.types import ModelInfo
from tests.outputs.samples import merged_report, quiet_report


def test_the_index_is_made_once_per_report() -> None:
    report = replace(merged_report(), notes=("another object",))
    assert index_of(report) is index_of(report)
    assert index_of(report).findings is index_of(report).findings
    changed = replace(report, findings=report.findings[:1], merged=())
    assert index_of(changed) is not index_of(report)
    assert index_of(changed).leads == report.findings[:1]
    assert report == replace(report)  # what was looked up is no part of it
    assert "derived" not in repr(report)


def test_verdicts_are_found_by_finding_and_pair() -> None:
    report = quiet_report()
    index = index_of(report)
    hypothesis, prompt = report.findings[1].hypothesis.id, report.pairs[7].prompt.id
    own = [judgement for judgement in report.judgements if judgement.hypothesis_id == hypothesis]
    assert index.verdicts_on(hypothesis) == own
    assert index.verdict(hypothesis, prompt) == own[[judgement.prompt_id for judgement in own].index(prompt)]
    assert index.verdict(hypothesis, "nowhere") is None
    assert index.verdicts_on("nothing") == ()
    assert index.places[prompt] == 7
    assert index.pairs[prompt] is report.pairs[7]


def test_what_was_tested_and_confirmed_is_in_the_reports_order() -> None:
    report = merged_report()
    index = index_of(report)
    assert index.confirmed == tuple(finding for finding in report.findings if finding.confirmed)
    assert index.tested == report.findings
    assert [finding.hypothesis.id for finding in index.leads] == [entry.lead for entry in report.merged]
    assert tuple(entry.lead for entry in index.entries) == index.leads
    assert (index.methods, len(index.domains)) == (("lexical", "llm"), 9)


def test_long_names_share_what_both_begin_with() -> None:
    def named(a: str, b: str) -> tuple[str, str, str]:
        names = names_between(ModelInfo(a, "model_a"), ModelInfo(b, "model_b"))
        return names.brief.a, names.brief.b, names.same_start

    whole = "SmolLM2-135M-Instruct-Q4_1"
    assert named(whole, f"{whole}-pruned-30") == ("SmolLM2-135M…Q4_1", "SmolLM2-135M…pruned-30", "SmolLM2-135M")
    assert named(whole, "gemma-3-270m-Q4_K_M") == ("SmolLM2-135M…Q4_1", "gemma-3-270m-Q4_K_M", "")
    assert named("base", "tuned") == ("base", "tuned", "")
