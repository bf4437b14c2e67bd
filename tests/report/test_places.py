"""Measured scopes, both models' levels, the blocks of the list and coverage are saved, and checked when opened."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffing.errors import SettingError
from diffing.estimates import Concentration, Estimate
from diffing.metrics import metrics_of
from diffing.report import load_report, save_report
from diffing.report.findings_rows import finding_row
from diffing.report.json_document import check_coverage
from diffing.report.metrics_cells import check_estimate
from diffing.report.schema import SCHEMA_VERSION
from diffing.report.scope_cells import concentration_cells, concentration_from, scope_cells, scope_from
from diffing.scope import Scope, ScopeRule, Term
from diffing.types import SIDES, Level
from tests.outputs.samples import SCOPED, Planted, lines_report
from tests.report.test_report import edit, put_table

BEFORE_PLACES = Path(__file__).parent / "version_4"
"""The report of version_3 as diffing saved it at schema version 4, with two findings more that have a stated scope."""


def terms(count: int, kinds: tuple[str, ...] = ("domain", "part", "word", "form")) -> st.SearchStrategy:
    term = st.builds(Term, kind=st.sampled_from(kinds), value=st.text(st.characters(codec="utf-8"), min_size=1))
    return st.tuples(*[term] * count)


RULES = st.one_of(
    st.builds(ScopeRule, terms(1)),
    st.builds(ScopeRule, terms(2), st.sampled_from(("and", "or", "without"))),
    st.builds(ScopeRule, terms(3, ("domain",)), st.just("or")),
)
P = st.floats(0, 1)
COUNTS = st.sampled_from([metrics_of(0, 0, 0), metrics_of(0, 0, 0, 3), metrics_of(9, 9, 0), metrics_of(7, 2, 3, 1)])
CONCENTRATIONS = st.builds(
    Concentration, st.builds(Scope, st.just("measured"), st.text(), RULES), COUNTS, COUNTS, P, st.none() | P
)


@settings(max_examples=40, deadline=None)
@given(
    st.builds(Concentration, st.builds(Scope, st.just("measured"), st.text(), RULES), COUNTS, COUNTS, P, st.none() | P)
)
def test_every_concentration_comes_back(concentration: Concentration) -> None:
    row = concentration_cells(concentration)
    assert concentration_from(row, 99) == concentration
    scope = concentration.scope
    assert scope_from(*scope_cells(scope).values()) == scope
    verdicts = sum(m.n + m.unreadable for m in (concentration.inside, concentration.outside))
    if verdicts:
        with pytest.raises(ValueError, match=f"expected at most {verdicts - 1} verdicts inside and outside its scope"):
            concentration_from(row, verdicts - 1)


def test_without_a_concentration_all_its_cells_are_null() -> None:
    assert set(concentration_cells(None).values()) == {None}
    assert concentration_from(concentration_cells(None), 0) is None


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("[", "expected a rule, got '\\['"),
        ("[" * 50_000, "expected a rule, got"),
        (" " * 100_001, "expected a rule of at most 100,000 characters, got 100,001"),
        ('"word"', "expected an object, got 'word'"),
        ('{"terms": []}', "expected one or two terms"),
        ('{"terms": [{"kind": "domain", "value": "x"}], "more": 1}', "'more' is not known"),
        ('{"terms": [{"kind": "topic", "value": "x"}]}', "kind: expected one of domain, part, word, form, got 'topic'"),
        ('{"terms": [{"kind": "domain", "value": 1}]}', "value: expected text, got 1"),
        ('{"terms": [{"kind": "domain", "value": ""}]}', "expected terms with values"),
        ('{"terms": [{"kind": "domain", "value": "x"}], "junction": "and"}', "a junction between them"),
        ('{"terms": [{"kind": "word", "value": "x"}, {"kind": "word", "value": "y"}]}', "a junction between them"),
        (json.dumps({"terms": [{"kind": "word", "value": "x"}] * 3, "junction": "or"}), "or up to 3 domains"),
        (json.dumps({"terms": [{"kind": "domain", "value": "x"}] * 3, "junction": "and"}), "or up to 3 domains"),
        (json.dumps({"terms": [{"kind": "domain", "value": "x"}] * 4, "junction": "or"}), "or up to 3 domains"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(rule: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        scope_from("measured", "when asked", rule)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(("kind", "rule"), [("measured", None), ("stated", '{"terms": []}'), (None, "{}")])
def test_only_measured_scopes_have_a_rule(kind: str | None, rule: str | None) -> None:
    with pytest.raises(ValueError, match=rf"there is no scope {kind!r} of 'when asked' with(out)? a rule"):
        scope_from(kind, "when asked", rule)


def test_a_report_of_schema_version_4_loads_without_places(tmp_path: Path) -> None:
    """It knew stated scopes; the lines of its list were not in blocks, and nothing said what they leave open."""
    shutil.copytree(BEFORE_PLACES, tmp_path, dirs_exist_ok=True)
    document = json.loads((tmp_path / "report.json").read_text())
    assert document["schema_version"] == 4
    assert "coverage" not in document
    assert {key for entry in document["merged"] for key in entry} == {"lead", "members", "known_by", "agreement"}
    report = load_report(tmp_path)
    earlier = load_report(BEFORE_PLACES.with_name("version_3"))
    assert {each.hypothesis.id for each in earlier.findings} < {each.hypothesis.id for each in report.findings}
    scoped = {each.hypothesis.text: each for each in report.findings if each.hypothesis.scope}
    assert {text: each.hypothesis.scope for text, each in scoped.items()} == {
        planted.text: Scope("stated", _words(planted)) for planted in SCOPED
    }
    assert all(each.heldout_in_scope for each in scoped.values())
    assert {(each.concentration, each.levels) for each in report.findings} == {(None, ())}
    assert {(each.block, each.residual) for each in report.merged} == {("behaviours", ())}
    assert report.coverage is None
    assert load_report(save_report(report, tmp_path)) == report
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == SCHEMA_VERSION


def _words(planted: Planted) -> str:
    assert planted.scope
    return planted.scope


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small report whose first finding is concentrated, with levels inside and outside."""
    report = lines_report(train=12, heldout=30)
    first = report.findings[0]
    concentration = Concentration(
        Scope("measured", "when asked for advice", ScopeRule((Term("part", "advice"),))),
        metrics_of(10, 8, 0), metrics_of(20, 1, 1), 1e-3, 2e-3,
    )  # fmt: skip
    share = Estimate(0.5, 0.25, 0.75, 10)
    levels = tuple(Level("heldout", place, side, "share", share) for place in ("all", "inside") for side in SIDES)  # type: ignore[arg-type]
    first = replace(first, concentration=concentration, levels=levels)
    return save_report(replace(report, findings=(first, *report.findings[1:])), tmp_path_factory.mktemp("saved"))


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def test_the_saved_report_is_whole(folder: Path) -> None:
    report = load_report(folder)
    assert report.findings[0].concentration
    assert [level.place for level in report.findings[0].levels] == ["all", "all", "inside", "inside"]


Damage = Callable[[Path], object]


def _coverage(folder: Path, **changes: object) -> None:
    coverage = json.loads((folder / "report.json").read_text())["coverage"]
    edit(folder, coverage={**coverage, **changes})


def _line(folder: Path, **changes: object) -> None:
    merged = json.loads((folder / "report.json").read_text())["merged"]
    edit(folder, merged=[{**merged[0], **changes}, *merged[1:]])


def _estimate(value: object, low: object = None, high: object = None, n: object = 9) -> dict[str, object]:
    return {"value": value, "low": low, "high": high, "n": n}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: put_table(f, "findings", concentration=None), "it is concentrated is not complete"),
        (lambda f: put_table(f, "findings", concentration_p_differs=None), "it is concentrated is not complete"),
        (lambda f: put_table(f, "findings", concentration_outside_n=None), "the counts contradict each other"),
        (lambda f: put_table(f, "findings", concentration_inside_k_for=11), "the counts contradict each other"),
        (lambda f: put_table(f, "findings", concentration_inside_n=11), "expected at most 30 verdicts .* got 31"),
        (lambda f: put_table(f, "findings", concentration_p_differs=1.5), "p_differs: expected a number from 0 to 1"),
        (lambda f: put_table(f, "findings", concentration_q=float("nan")), "q: expected a number from 0 to 1, got nan"),
        (lambda f: put_table(f, "findings", concentration_inside_p=-1.0), "p: expected a number from 0 to 1, got -1"),
        (
            lambda f: put_table(f, "findings", concentration_inside_net_difference=float("inf")),
            "net_difference: expected finite numbers",
        ),
        (lambda f: put_table(f, "findings", concentration_rule="{}"), "expected a rule, got '{}': terms is missing"),
        (lambda f: put_table(f, "findings", scope_rule="{}"), "there is no scope None of None with a rule"),
        (lambda f: put_table(f, "levels", hypothesis_id="x"), "levels: there is no hypothesis_id 'x'"),
        (lambda f: put_table(f, "levels", split="test"), "levels: there is no split 'test'"),
        (lambda f: put_table(f, "levels", place="beside"), "levels: there is no place 'beside'"),
        (lambda f: put_table(f, "levels", side="c"), "levels: there is no side 'c'"),
        (lambda f: put_table(f, "levels", kind="mean"), "levels: there is no kind 'mean'"),
        (lambda f: put_table(f, "levels", side="b"), "has two levels for one split, place and side"),
        (lambda f: put_table(f, "levels", n=31), "levels: '.*': expected at most 30 observations, got 31"),
        (lambda f: put_table(f, "levels", split="train", n=13), "levels: '.*': expected at most 12 observations"),
        (lambda f: put_table(f, "levels", value=float("nan")), "levels: '.*': expected finite numbers"),
        (lambda f: put_table(f, "levels", value_high=1.5), "levels: '.*': expected numbers from 0 to 1"),
        (lambda f: put_table(f, "levels", value_low=0.75), "levels: '.*': the interval does not hold the estimate"),
        (lambda f: put_table(f, "judgements", in_scope=False, verdict="A"), "NOT SHOWN outside a scope, got A"),
        (lambda f: _coverage(f, everything=_estimate({"float": "nan"})), "everything: expected finite numbers"),
        (lambda f: _coverage(f, explained=_estimate({"float": "inf"})), "coverage: explained: expected finite numbers"),
        (lambda f: _coverage(f, lines=_estimate(1.2)), "coverage: lines: expected numbers from 0 to 1"),
        (lambda f: _coverage(f, findings=_estimate(0.7, 0.8)), "coverage: findings: the interval does not hold"),
        (lambda f: _coverage(f, open_pairs=_estimate(0.7, n=181)), "open_pairs: expected at most 30 observations"),
        (lambda f: _coverage(f, p=2), "coverage: p: expected a number from 0 to 1, got 2"),
        (lambda f: _coverage(f, more=2), "coverage: .*"),
        (lambda f: edit(f, coverage=[]), "coverage: .*"),
        (lambda f: _line(f, block="rest"), "block: expected one of behaviours, wording, features, got 'rest'"),
        (lambda f: _line(f, residual=[0.5] * 9), "the merged list does not hold every finding exactly once"),
        (
            lambda f: _line(f, residual=[{"float": "nan"}] * len(_members(f))),
            "the merged list has a residual that is not a finite number",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_one_clear_line(damage: Damage, message: str, folder: Path) -> None:
    damage(folder)
    with pytest.raises(SettingError, match=rf"is damaged \(.*{message}") as raised:
        load_report(folder)
    assert "\n" not in str(raised.value)


def _members(folder: Path) -> list[str]:
    members: list[str] = json.loads((folder / "report.json").read_text())["merged"][0]["members"]
    return members


def test_a_level_inside_needs_a_scope(folder: Path) -> None:
    put_table(folder, "findings", **dict.fromkeys(concentration_cells(None)))
    with pytest.raises(SettingError, match=r"levels: '.*' has no scope to be inside of"):
        load_report(folder)


def test_verdicts_outside_a_measured_scope_are_kept_as_not_shown(tmp_path: Path) -> None:
    report = lines_report(train=12, heldout=30)
    own = next(f.hypothesis for f in report.findings if f.hypothesis.scope and f.hypothesis.scope.kind == "measured")
    loaded = load_report(save_report(report, tmp_path))
    outside = [each for each in loaded.judgements if each.hypothesis_id == own.id and not each.in_scope]
    assert outside
    assert {each.verdict.value for each in outside} == {"NOT SHOWN"}
    row = finding_row(next(f for f in loaded.findings if f.hypothesis.id == own.id))
    assert (row["scope_kind"], row["scope"]) == ("measured", "when asked for advice")
    assert json.loads(str(row["scope_rule"])) == {"terms": [{"kind": "part", "value": "advice"}], "junction": None}


def test_explained_may_exceed_everything_and_shares_may_not() -> None:
    coverage = lines_report().coverage
    assert coverage
    check_coverage(replace(coverage, explained=Estimate(1.1, 0.9, 1.4, 180)), 180)
    check_coverage(None, 0)
    with pytest.raises(ValueError, match="coverage: everything: expected at most 179 observations, got 180"):
        check_coverage(coverage, 179)


def test_an_estimate_may_miss_its_interval_by_a_rounding_error_only() -> None:
    check_estimate("x", Estimate(0.1 + 0.2, 0.0, 0.3, 1), 1)
    check_estimate("x", Estimate(None, None, None, 0), 0)
    with pytest.raises(ValueError, match="x: expected at most 0 observations, got 1"):
        check_estimate("x", Estimate(None, None, None, 1), 0)
