"""Methods compared over stored reports: the papers' numbers, who says the same, and tables that run nothing."""

from dataclasses import replace

import pytest

from diffing import metrics
from diffing.bench.compare import category_result, group_reports, method_result, overlap_result, same_result
from diffing.bench.compare.bootstrap import mean
from diffing.bench.results import load_results
from diffing.estimates import Estimate
from diffing.metrics import UNDEFINED
from diffing.metrics.kappa import kappa_of_ratings
from diffing.report import save_report
from diffing.types import Finding, Hypothesis, Judgement, Measure, Merged, PropertyMeasure, Rating, Report, Verdict
from tests.outputs.samples import medium_report, merged_report, pairs_of

SAID = {"command": "diffing bench compare x", "settings": {}}


def rows(result, *keys):
    return {tuple(row[key] for key in keys): row for row in result.rows}


def test_the_papers_table_is_the_mean_over_a_methods_hypotheses():
    report = medium_report()
    table = rows(method_result(group_reports([("run", report)]), **SAID), "method")
    assert set(table) == {("lexical",), ("llm",)}
    llm = [finding for finding in report.findings if finding.hypothesis.method == "llm"]
    row = table["llm",]
    assert (row["hypotheses"], row["accepted_n"]) == (len(llm), len(llm))
    assert row["accepted"] == sum(finding.accepted for finding in llm) / len(llm)
    assert row["confirmed"] == sum(finding.confirmed for finding in llm) / len(llm)
    accuracies = [finding.heldout.accuracy.value for finding in llm]
    assert row["accuracy"] == pytest.approx(sum(accuracies) / len(accuracies))
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert row["interestingness"] == pytest.approx(sum(f.rating.interestingness.value for f in llm) / len(llm))
    # rater two always says one more than rater one: they agree in order, not in level
    assert 0 < row["interestingness_agreement"] < 1
    assert table["lexical",]["interestingness"] is None
    assert table["lexical",]["interestingness_agreement"] is None


def test_overlap_is_counted_from_the_merged_list_per_method():
    report = merged_report()
    methods = {finding.hypothesis.id: finding.hypothesis.method for finding in report.findings}
    entries = [[methods[member] for member in entry.members] for entry in report.merged if len(entry.members) > 1]
    table = rows(overlap_result(group_reports([("run", report)]), **SAID), "method", "other")
    for method, other in (("lexical", "llm"), ("llm", "lexical")):
        expected = sum(entry.count(method) for entry in entries if other in entry)
        row = table[method, other]
        assert row["shared"] == pytest.approx(expected / list(methods.values()).count(method))
        assert row["shared_n"] == list(methods.values()).count(method)
    said = same_result(group_reports([("run", report)]), **SAID)
    assert len(said.rows) == sum(len({*entry}) > 1 for entry in entries)


def one_method(report: Report, method: str, change: str = "") -> Report:
    """The report of a run of one method alone, with other sentences where a change is given."""
    kept = [finding for finding in report.findings if finding.hypothesis.method == method]
    ids = {finding.hypothesis.id: f"{finding.hypothesis.id}{change}" for finding in kept}
    findings = tuple(
        replace(f, hypothesis=replace(f.hypothesis, id=ids[f.hypothesis.id], text=f"{f.hypothesis.text}{change}"))
        for f in kept
    )
    judgements = tuple(
        replace(j, hypothesis_id=ids[j.hypothesis_id]) for j in report.judgements if j.hypothesis_id in ids
    )
    return replace(report, findings=findings, judgements=judgements, merged=())


def test_runs_on_the_same_responses_are_one_group_and_a_method_twice_is_told_apart():
    report = medium_report()
    groups = group_reports([("a", one_method(report, "lexical")), ("b", one_method(report, "llm"))])
    (group,) = groups
    assert group.methods == ("lexical", "llm")
    assert len(group.findings) == len(report.findings)
    assert sorted(m for entry in group.merged for m in entry.members) == sorted(
        f.hypothesis.id for f in report.findings
    )

    twice = group_reports([("a", one_method(report, "llm")), ("b", one_method(report, "llm", " Again."))])
    assert twice[0].methods == ("llm (a)", "llm (b)")
    again = group_reports([("a", report), ("b", report)])  # the same run twice counts once
    assert [len(each.findings) for each in again] == [len(report.findings)]
    assert again[0].methods == group_reports([("a", report)])[0].methods
    other = medium_report(train=60, heldout=83)
    assert len(group_reports([("a", report), ("b", other)])) == 2


def measured(
    method: str, text: str, measure: Measure | None, verdicts: str, speaks_of: str | None = None
) -> tuple[Finding, list[Judgement]]:
    """A finding whose train and held-out verdicts are those of a string, one sign per pair."""
    hypothesis = Hypothesis(f"{method}-{text[:20]}", text, "b", method, "style", measure=measure, speaks_of=speaks_of)
    pairs = pairs_of(40, 20)
    meaning = {"f": Verdict.B, "a": Verdict.A, "-": Verdict.NEITHER}
    judged = [
        Judgement(hypothesis.id, pair.prompt.id, meaning[verdicts[at % len(verdicts)]], "measured")
        for at, pair in enumerate(pairs)
    ]
    train, heldout = (metrics.measure(part, "b") for part in (judged[:40], judged[40:]))
    return Finding(hypothesis, train, heldout, accepted=True, confirmed=True), judged


def test_what_a_judge_and_a_measurement_say_of_one_property_is_found_in_both():
    report = replace(medium_report(), pairs=pairs_of(40, 20), merged=())
    made = [
        measured("lexical", "<MODEL> uses emoji or emoticons more often", PropertyMeasure("emoji"), "ff-f-ff--a"),
        measured("llm", "<MODEL> uses more emoji than <OTHER MODEL>.", None, "ff-f-ff--a", speaks_of="emoji"),
        measured("llm", "<MODEL> refuses more.", None, "----f-----"),
    ]
    report = replace(report, findings=tuple(f for f, _ in made), judgements=tuple(j for _, js in made for j in js))
    groups = group_reports([("run", report)])
    table = rows(overlap_result(groups, **SAID), "method", "other")
    assert table["lexical", "llm"]["shared"] == 1.0
    assert table["llm", "lexical"]["shared"] == 0.5
    assert table["llm", "lexical"]["verdicts"] == 1.0
    (row,) = same_result(groups, **SAID).rows
    assert (row["known_by"], row["verdicts"]) == ("property", 1.0)
    categories = rows(category_result(groups, **SAID), "category", "method")
    assert categories["style", "llm"]["hypotheses"] == 2
    assert categories["style", "lexical"]["confirmed"] == 1.0


def test_means_have_intervals_and_undefined_values_are_no_zeros():
    assert mean([None, None]) == UNDEFINED
    assert mean([0.4, None]) == Estimate(0.4, None, None, 1)
    estimate = mean([0.0, None, 1.0, 0.0, 1.0])
    assert (estimate.value, estimate.n) == (0.5, 4)
    assert mean([0.0, None, 1.0, 0.0, 1.0]) == estimate  # drawn with a generator of its own
    assert 0 <= estimate.low < 0.5 < estimate.high <= 1


def test_agreement_of_raters():
    same = [[("x", k), ("y", k)] for k in (1, 3, 5, 2)]
    assert kappa_of_ratings(same).value == pytest.approx(1.0)
    opposite = [[("x", k), ("y", 6 - k)] for k in (1, 5)]
    assert kappa_of_ratings(opposite).value == pytest.approx(-1.0)
    # by hand: disagreement 1 of 4 at distance 1 against expected by chance
    one_off = [[("x", 1), ("y", 1)], [("x", 2), ("y", 2)], [("x", 3), ("y", 3)], [("x", 3), ("y", 4)]]
    observed = 1 / 4
    expected = sum((x - y) ** 2 for x in (1, 2, 3, 3) for y in (1, 2, 3, 4)) / 16
    assert kappa_of_ratings(one_off).value == pytest.approx(1 - observed / expected)
    assert kappa_of_ratings([[("x", 1), ("y", None)], [("x", 2), ("y", 3)]]).n == 1
    assert kappa_of_ratings([[("x", 3), ("y", 3)]] * 4) == UNDEFINED  # chance alone agrees fully
    assert kappa_of_ratings([[("x", 3)], [("x", 4)]]) == UNDEFINED


def test_the_command_makes_tables_sheets_and_a_page(tmp_path, capsys):
    from diffing.cli import main

    formula = Hypothesis("llm-x", '=HYPERLINK("http://x") | <b>', "a", "llm", "style")
    report = merged_report()
    lead = report.merged[0].lead
    renamed = {lead: formula.id}
    report = replace(
        report,
        findings=tuple(replace(f, hypothesis=formula) if f.hypothesis.id == lead else f for f in report.findings),
        judgements=tuple(
            replace(j, hypothesis_id=renamed.get(j.hypothesis_id, j.hypothesis_id)) for j in report.judgements
        ),
        merged=tuple(
            Merged(renamed.get(e.lead, e.lead), tuple(renamed.get(m, m) for m in e.members), e.known_by, e.agreement)
            for e in report.merged
        ),
    )
    save_report(report, tmp_path / "mine")
    with pytest.raises(SystemExit) as stopped:
        main(["bench", "compare", str(tmp_path / "mine"), "--out", str(tmp_path / "out")])
    assert stopped.value.code == 0
    assert "How the methods fared" in capsys.readouterr().out
    names = [name for name, _ in load_results(tmp_path / "out")]
    assert names == ["compare-1-methods", "compare-2-overlap", "compare-3-same", "compare-4-categories"]
    page = (tmp_path / "out" / "RESULTS.md").read_text()
    assert "diffing bench compare mine" in page
    assert str(tmp_path) not in page
    sheets = "".join(path.read_text() for path in (tmp_path / "out").glob("*.csv"))
    assert not [line for line in sheets.splitlines() for part in line.split(",") if part.strip('"').startswith("=")]


def test_ratings_of_one_rater_have_no_agreement():
    report = medium_report()
    alone = tuple(
        replace(
            f, rating=Rating(f.rating.interestingness, f.rating.abstraction, f.rating.replies[:1]) if f.rating else None
        )
        for f in report.findings
    )
    table = rows(method_result(group_reports([("run", replace(report, findings=alone))]), **SAID), "method")
    assert table["llm",]["interestingness"] is not None
    assert table["llm",]["interestingness_agreement"] is None


def test_further_signs_of_a_behaviour_do_not_say_the_same() -> None:
    report = merged_report()
    first, second, *rest = report.merged
    line = replace(
        first,
        members=(*first.members, *second.members),
        known_by=(*first.known_by, *("kin" for _ in second.members)),
        agreement=(*first.agreement, *second.agreement),
        residual=(None,) * len((*first.members, *second.members)),
    )
    (group,) = group_reports([("run", replace(report, merged=(line, *rest)))])
    entries = {member: entry for entry in group.merged for member in entry.members}
    assert entries[first.lead].members == first.members
    assert second.lead not in first.members
    assert second.lead in {entry.lead for entry in group.merged} | set(entries)
    assert sorted(entries) == sorted(finding.hypothesis.id for finding in report.findings)
