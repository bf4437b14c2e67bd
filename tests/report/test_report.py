"""Saved reports come back equal, byte-identical, whole or not at all."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffing.errors import SettingError
from diffing.estimates import Estimate
from diffing.report import load_report, report_summary, save_report
from diffing.report.findings_rows import finding_row
from diffing.report.index import index_of
from diffing.report.schema import SCHEMA_VERSION, TABLES, arrow_schema
from diffing.report.schema_document import schema_markdown
from diffing.report.verdict_counts import NeitherCounts
from diffing.types import (
    Evidence,
    FeatureAbove,
    FeatureMeasure,
    LatentMeasure,
    Measure,
    PhraseMeasure,
    PropertyMeasure,
    Report,
    Response,
    Stage,
    Usage,
    Verdict,
)
from tests.outputs.samples import SAMPLES, empty_report, hostile_report, medium_report, quiet_report, scoped_report
from tests.regenerate import golden

EXTREME_ROWS = (
    {"text": "", "count": 0, "share": 0.0, "flag": True, "none": None,
     "mixed": 1, "big": 2**70, "exact": 1, "two words": "\x00"},
    {"text": "1 MB" * 2**18, "count": -(2**63), "share": None, "flag": None, "none": None,
     "mixed": "1", "big": 1, "exact": 0.5, "two words": "\u2028"},
    {"text": None, "count": 2**63 - 1, "share": -0.0, "flag": False, "none": None,
     "mixed": True, "big": None, "exact": None, "two words": "\U0001f9ea"},
)  # fmt: skip


EARLIER = Path(__file__).parent / "version_2"
"""A report as diffing saved it at schema version 2: two SAE features, a property, a phrase and a judged finding."""
BEFORE_SCOPES = Path(__file__).parent / "version_3"
"""The same report as diffing saved it at schema version 3."""
ENTRY = {"lead": "x", "members": ["x"], "known_by": ["lead"], "agreement": [{"value": 1, "low": 1, "high": 1, "n": 1}]}


def with_rows(*rows: dict) -> Report:
    return replace(empty_report(), tables={"llm_rows": rows})


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", ["medium", "merged", "scoped", "lines", "quiet", "empty"])
def test_a_loaded_report_equals_the_saved_one(name: str, tmp_path: Path) -> None:
    report = SAMPLES[name]()
    assert save_report(report, tmp_path / "run") == tmp_path / "run"
    assert load_report(tmp_path / "run") == report


@pytest.mark.parametrize("version", [1, 2])
def test_reports_of_earlier_schema_versions_load(version: int, tmp_path: Path) -> None:
    """Their document held the findings, and a measure was a text in its method's notation; the first had no list."""
    shutil.copytree(EARLIER, tmp_path, dirs_exist_ok=True)
    old = json.loads((tmp_path / "report.json").read_text())
    if version == 1:
        edit(tmp_path, schema_version=1, merged=[])
    report = load_report(tmp_path)
    stored = [each["hypothesis"] for each in old["findings"]]
    assert [(each["id"], each["text"]) for each in stored] == [
        (finding.hypothesis.id, finding.hypothesis.text) for finding in report.findings
    ]
    assert {
        each["measure"]: finding.hypothesis.measure for each, finding in zip(stored, report.findings, strict=True)
    } == {
        None: None,
        "words": PropertyMeasure("words"),
        "phrase: in conclusion": PhraseMeasure("in conclusion"),
        "features active: 7": LatentMeasure((7,)),
        "features active: 3, 17": LatentMeasure((3, 17)),
    }
    same = medium_report(train=8, heldout=12)
    assert (report.pairs, len(report.judgements), len(report.merged)) == (same.pairs, 100, 4 if version == 2 else 0)
    for finding in report.findings:
        told = next(each for each in same.findings if each.hypothesis.id == finding.hypothesis.id)
        assert replace(finding, hypothesis=told.hypothesis) == told
        assert finding.hypothesis.evidence == told.hypothesis.evidence
    assert load_report(save_report(report, tmp_path)) == report
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == SCHEMA_VERSION


def test_a_report_of_schema_version_3_loads_as_one_without_scopes(tmp_path: Path) -> None:
    shutil.copytree(BEFORE_SCOPES, tmp_path, dirs_exist_ok=True)
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == 3
    report = load_report(tmp_path)
    assert report == load_report(EARLIER)
    assert {(each.hypothesis.scope, each.heldout_in_scope) for each in report.findings} == {(None, None)}
    assert all(judgement.in_scope for judgement in report.judgements)
    assert [row["scale"] for row in report.tables["judge_checks"]] == ["share", "share", "kappa"]
    assert load_report(save_report(report, tmp_path)) == report
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == SCHEMA_VERSION


@pytest.mark.parametrize("version", [3, SCHEMA_VERSION])
def test_tables_of_another_version_than_the_document_says_are_refused(version: int, tmp_path: Path) -> None:
    if version == 3:
        save_report(quiet_report(), tmp_path)
    else:
        shutil.copytree(BEFORE_SCOPES, tmp_path, dirs_exist_ok=True)
    edit(tmp_path, schema_version=version)
    with pytest.raises(SettingError, match=r"findings\.parquet has other columns than the schema says"):
        load_report(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scope_kind": "word"}, "there is no scope 'word' of 'when asked about health or money'"),
        ({"scope_kind": None}, "there is no scope None of 'when asked about health or money'"),
        ({"scope": None}, "there is no scope 'stated' of None"),
        ({"scope_kind": None, "scope": None}, "the counts in the scope of 'llm-.*' contradict each other"),
        ({"heldout_in_scope_k_for": 7}, "the counts in the scope of 'llm-.*' contradict each other"),
        ({"heldout_in_scope_unreadable": 2**40}, "the counts in the scope of 'llm-.*' contradict each other"),
        ({"heldout_in_scope_n": None}, "the counts in the scope of 'llm-.*' contradict each other"),
    ],
)
def test_a_scope_that_cannot_be_is_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    report = scoped_report(train=6, heldout=9)
    first = next(finding for finding in report.findings if "health or money" in finding.hypothesis.text)
    assert first.heldout_in_scope
    assert first.heldout_in_scope.n == 6
    save_report(replace(report, findings=(first, *(each for each in report.findings if each != first))), tmp_path)
    put_table(tmp_path, "findings", **changes)
    with pytest.raises(SettingError, match=rf"is damaged \(findings: {message}\)") as raised:
        load_report(tmp_path)
    assert "\n" not in str(raised.value)


def test_verdicts_for_neither_side_are_counted_by_their_reason() -> None:
    report = scoped_report(train=30, heldout=40)
    index = index_of(report)
    for finding in report.findings:
        for split in ("train", "heldout"):
            verdicts = [
                each
                for each in report.judgements
                if each.hypothesis_id == finding.hypothesis.id and index.pairs[each.prompt_id].prompt.split == split
            ]
            counts = index.neither(finding.hypothesis.id, split)
            assert counts.same == sum(each.verdict is Verdict.SAME for each in verdicts)
            assert counts.outside == sum(not each.in_scope for each in verdicts)
            assert counts.not_shown == sum(each.verdict is Verdict.NOT_SHOWN and each.in_scope for each in verdicts)
    scoped = next(finding for finding in report.findings if finding.hypothesis.scope)
    assert scoped.heldout_in_scope
    assert index.neither(scoped.hypothesis.id, "heldout").outside == scoped.heldout.n - scoped.heldout_in_scope.n > 0
    assert index_of(empty_report()).neither("llm-x", "train") == NeitherCounts()


def test_an_llm_wrote_the_sentences_on_latents_of_an_earlier_report_if_it_took_part(tmp_path: Path) -> None:
    shutil.copytree(EARLIER, tmp_path, dirs_exist_ok=True)
    edit(tmp_path, others=[{"id": "org/llm", "role": "labeller", "settings": {}}])
    measures = [finding.hypothesis.measure for finding in load_report(tmp_path).findings]
    assert LatentMeasure((3, 17), in_words=True) in measures
    edit(tmp_path, findings=[{}])
    with pytest.raises(SettingError, match=r"is damaged \(findings: 0: hypothesis is missing\)"):
        load_report(tmp_path)


def test_hostile_text_comes_back_equal_but_for_lone_surrogates(tmp_path: Path) -> None:
    """UTF-8 cannot hold them: they are saved as U+FFFD, everywhere alike."""
    report = hostile_report()
    loaded = load_report(save_report(report, tmp_path / "run"))
    assert repr(loaded) == repr(report).replace("\\ud800", "\ufffd")
    assert load_report(save_report(loaded, tmp_path / "again")) == loaded


def test_every_scalar_of_a_methods_table_comes_back_equal_with_its_type(tmp_path: Path) -> None:
    loaded = load_report(save_report(with_rows(*EXTREME_ROWS), tmp_path)).tables["llm_rows"]
    assert loaded == EXTREME_ROWS
    kinds = [[type(value) for value in row.values()] for row in loaded]
    # integers beside floats become floats; all else keeps its type
    expected = [
        [float if key == "exact" and value is not None else type(value) for key, value in row.items()]
        for row in EXTREME_ROWS
    ]
    assert kinds == expected
    assert math.copysign(1, loaded[2]["share"]) == -1


def test_nan_is_not_none(tmp_path: Path) -> None:
    rows = ({"x": math.nan, "mixed": math.nan}, {"x": None, "mixed": "text"}, {"x": math.inf, "mixed": -math.inf})
    report = replace(with_rows(*rows), settings={"nan": math.nan, "inf": -math.inf, "none": None})
    loaded = load_report(save_report(report, tmp_path))
    assert repr(loaded) == repr(report)


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path / "one")
    save_report(medium_report(), tmp_path / "two")
    first = files_of(tmp_path / "one")
    assert first == files_of(tmp_path / "two")
    save_report(load_report(tmp_path / "one"), tmp_path / "one")
    assert files_of(tmp_path / "one") == first


def test_saving_replaces_the_old_report_and_nothing_else(tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path)
    (tmp_path / "mine.parquet").write_text("a user's file")
    (tmp_path / ".saving-killed").mkdir()
    (tmp_path / ".saving-killed" / "prompts.parquet").write_text("half")
    save_report(quiet_report(), tmp_path)
    save_report(empty_report(), tmp_path)
    assert load_report(tmp_path) == empty_report()
    assert sorted(files_of(tmp_path)) == sorted(
        ["mine.parquet", "report.json", *(f"{name}.parquet" for name in TABLES)]
    )


def test_a_save_that_was_cut_off_between_files_is_told(tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path / "old")
    save_report(quiet_report(), tmp_path / "new")
    (tmp_path / "new" / "judgements.parquet").replace(tmp_path / "old" / "judgements.parquet")
    with pytest.raises(SettingError, match=r"judgements\.parquet is not the file that was saved with report\.json"):
        load_report(tmp_path / "old")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "report.json").unlink(), "is not a report: expected a folder with report.json"),
        (lambda f: (f / "report.json").write_text("{"), "report.json is damaged: expected JSON"),
        (lambda f: (f / "report.json").write_text("[1]"), "expected a schema_version of 6, got None"),
        (lambda f: (f / "report.json").write_bytes(b"\xff\xfe\x00"), "report.json is damaged: expected JSON"),
        (lambda f: edit(f, schema_version=7), "has schema version 7, but this diffing reads only up to 6. Update"),
        (lambda f: edit(f, schema_version="1"), "expected a schema_version of 6, got '1'"),
        (lambda f: edit(f, findings=[{}]), r"is damaged \('findings' is not known\)"),
        (lambda f: put_table(f, "findings", direction="c"), r"is damaged \(findings: there is no direction 'c'\)"),
        (lambda f: put_table(f, "findings", category="c"), r"is damaged \(findings: there is no category 'c'\)"),
        (lambda f: put_table(f, "findings", measure="latents", measured="1, x"), "no measure 'latents' of '1, x'"),
        (lambda f: put_table(f, "findings", measure="phrase", measured=None), "no measure 'phrase' of None"),
        (lambda f: put_table(f, "findings", id="x"), "there is no hypothesis_id"),
        (lambda f: put_table(f, "ratings", hypothesis_id="x"), r"\(ratings: there is no hypothesis_id 'x'\)"),
        (lambda f: put_table(f, "judgements", verdict="C"), r"\(judgements: there is no verdict 'C'\)"),
        (lambda f: edit(f, settings=[]), r"is damaged \(settings: expected an object, got a list\)"),
        (lambda f: edit(f, model_a={"id": {}, "role": "a"}), r"\(model_a: id: expected text, got an object\)"),
        (lambda f: edit(f, notes=[[["x"] * 900]]), r"is damaged \(notes: 0: expected text, got a list\)"),
        (lambda f: edit(f, usage=[{"stage": "x"}]), r"is damaged \(usage: 0: model is missing\)"),
        (lambda f: edit(f, left_out={"x": {"y": True}}), r"\(left_out: x: y: expected a whole number, got True\)"),
        (lambda f: edit(f, more=1), r"is damaged \('more' is not known\)"),
        (lambda f: edit(f, tables=["../x"]), r"is damaged \(the table \.\./x is not among the report's files\)"),
        (lambda f: put(f, "prompts.parquet", b"PAR1 half of a file PAR1"), "is damaged"),
        (lambda f: put_table(f, "responses", side="c"), r"is damaged \(responses: there is no side 'c'\)"),
        (lambda f: put_table(f, "prompts", messages=[]), r"is damaged \(prompts: 'p0000' has no messages\)"),
        (lambda f: put_table(f, "judgements", prompt_id="x"), r"is damaged \(judgements: there is no prompt_id 'x'\)"),
        (lambda f: put_table(f, "lexical_properties", property=[1]), "of the unexpected type"),
        (lambda f: edit(f, merged=[ENTRY]), "the merged list does not hold every finding exactly once"),
        (lambda f: edit(f, files={"../../secret.parquet": ""}), "no table can be named '../../secret.parquet'"),
        (lambda f: (f / "prompts.parquet").unlink(), "is not complete: prompts.parquet is missing"),
        (lambda f: (f / "evidence.parquet").write_bytes(b"PAR1"), "evidence.parquet is not the file that was saved"),
    ],
)  # fmt: skip
def test_damage_is_one_clear_line(damage: Callable[[Path], object], message: str, tmp_path: Path) -> None:
    save_report(quiet_report(), tmp_path)
    damage(tmp_path)
    with pytest.raises(SettingError, match=message) as raised:
        load_report(tmp_path)
    assert "\n" not in str(raised.value)


def put(folder: Path, name: str, content: bytes) -> None:
    """Another file, of which the document says that it belongs there."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "report.json").read_text())["files"]
    edit(folder, files=files | {name: hashlib.sha256(content).hexdigest()})


def put_table(folder: Path, name: str, **changes: object) -> None:
    """A table with other values in its first row; in all of them, where the type of its column changes."""
    table = pq.read_table(folder / f"{name}.parquet")
    rows = table.to_pylist()
    rows[0] |= changes
    sink = pa.BufferOutputStream()
    if any(isinstance(value, list) and value for value in changes.values()):
        pq.write_table(pa.Table.from_pylist([row | changes for row in rows]), sink)
    else:
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), sink)
    put(folder, f"{name}.parquet", sink.getvalue().to_pybytes())


def edit(folder: Path, **changes: object) -> None:
    document = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**document, **changes}))


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(SettingError, match=r"Cannot save the report in .*: File exists"):
        save_report(empty_report(), tmp_path / "run")
    with pytest.raises(SettingError, match="is not a report"):
        load_report(tmp_path / "run")
    with pytest.raises(SettingError, match="is not a report"):
        load_report(tmp_path / "nowhere")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_is_one_line_and_keeps_the_old_report(tmp_path: Path) -> None:
    import resource
    import signal

    save_report(quiet_report(), tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(SettingError, match=r"Cannot save the report in .*: File too large"):
            save_report(medium_report(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert load_report(tmp_path) == quiet_report()
    assert not list(tmp_path.glob(".saving-*"))


@pytest.mark.parametrize("name", ["../llm_x", "prompts", "LLM_x", "llm_x.parquet", ""])
def test_a_tables_name_never_becomes_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected tables named <method>_<table>"):
        save_report(replace(empty_report(), tables={name: ({"x": 1},)}), tmp_path)


def test_broken_promises_are_bugs(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the same columns, at least one, in every row of table llm_rows"):
        save_report(with_rows({"x": 1}, {"y": 1}), tmp_path)
    with pytest.raises(TypeError, match=r"truth value or None in llm_rows\.x, got list"):
        save_report(with_rows({"x": [1]}), tmp_path)
    report = quiet_report()
    pair = report.pairs[0]
    strayed = replace(report, pairs=(replace(pair, a=Response("other", "m", "t", "stop")),))
    with pytest.raises(ValueError, match="expected a response to prompt 'p0000', got one to 'other'"):
        save_report(strayed, tmp_path)
    assert not (tmp_path / "report.json").exists()


def test_tables_are_what_the_schema_says(tmp_path: Path) -> None:
    report = medium_report()
    save_report(report, tmp_path)
    for name in TABLES:
        schema = pq.read_schema(tmp_path / f"{name}.parquet")
        assert schema.equals(arrow_schema(name))
        assert [field.metadata[b"doc"].decode() for field in schema] == [column.doc for column in TABLES[name].columns]
    properties = pq.read_schema(tmp_path / "lexical_properties.parquet")
    assert [str(kind) for kind in properties.types] == ["string", "double", "double", "double", "bool", "string"]


def test_the_table_of_findings_holds_every_finding_once(tmp_path: Path) -> None:
    report = medium_report()
    save_report(report, tmp_path)
    assert "findings" not in json.loads((tmp_path / "report.json").read_text())
    rows = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    assert rows == [finding_row(finding) for finding in report.findings]
    assert list(rows[0]) == [column.name for column in TABLES["findings"].columns]
    first, finding = rows[0], report.findings[0]
    net = finding.heldout.net_difference
    assert (first["confirmed"], first["heldout_n"]) == (finding.confirmed, finding.heldout.n)
    assert first["heldout_net_difference"] == net.value
    assert (first["heldout_net_difference_low"], first["heldout_net_difference_high"]) == (net.low, net.high)
    assert (first["heldout_q"], first["train_p"]) == (finding.heldout.q, finding.train.p)


@pytest.mark.parametrize(
    "measure",
    [
        PropertyMeasure("words"),
        PhraseMeasure("latents"),
        LatentMeasure((3, 17)),
        LatentMeasure((0,), True),
        FeatureMeasure("crosscoder", (FeatureAbove("17", 0.83), FeatureAbove("d4", 1e-9)), "1f0a"),
        FeatureMeasure("adapter", (FeatureAbove("2.17", 0.1 + 0.2),), "00", in_words=True),
    ],
)
def test_every_kind_of_measure_comes_back(measure: Measure, tmp_path: Path) -> None:
    report = quiet_report()
    finding = replace(report.findings[0], hypothesis=replace(report.findings[0].hypothesis, measure=measure))
    report = replace(report, findings=(finding, *report.findings[1:]))
    assert load_report(save_report(report, tmp_path)) == report


@pytest.mark.parametrize(
    ("kind", "measured"),
    [("crosscoder latents above", "17 > 0.83"), ("crosscoder latents above", "17 > nan of 1f"),
     ("adapter features above", "x17 > 0.1 of 1f"), ("crosscoder latents", "17 > 0.83 of 1f"), ("latents", "17 > 1"),
     ("property in words", "words")],
)  # fmt: skip
def test_a_measure_that_cannot_be_is_refused(kind: str, measured: str, tmp_path: Path) -> None:
    save_report(quiet_report(), tmp_path)
    put_table(tmp_path, "findings", measure=kind, measured=measured)
    with pytest.raises(SettingError, match=rf"is damaged \(findings: there is no measure {kind!r}"):
        load_report(tmp_path)


def test_a_report_of_schema_version_5_loads_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "version_5", tmp_path, dirs_exist_ok=True)
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == 5
    report = load_report(tmp_path)
    assert replace(report, versions={}) == replace(scoped_report(train=6, heldout=9), versions={})
    assert load_report(save_report(report, tmp_path)) == report
    assert json.loads((tmp_path / "report.json").read_text())["schema_version"] == SCHEMA_VERSION


def test_evidence_keeps_its_order(tmp_path: Path) -> None:
    report = medium_report()
    hypothesis = report.findings[0].hypothesis
    evidence = tuple(Evidence(f"p{n:04d}", side, f"{n}") for n in (3, 1, 2) for side in ("b", "a"))
    finding = replace(report.findings[0], hypothesis=replace(hypothesis, evidence=evidence))
    loaded = load_report(save_report(replace(report, findings=(finding, *report.findings[1:])), tmp_path))
    assert loaded.findings[0].hypothesis.evidence == evidence


def test_the_documented_schema_is_the_schema() -> None:
    document = Path(__file__).parents[2] / "diffing" / "report" / "SCHEMA.md"
    assert schema_markdown() == golden(document, schema_markdown())


@pytest.mark.parametrize("name", SAMPLES)
def test_the_summary_is_strict_json_in_the_promised_form(name: str) -> None:
    summary = json.loads(json.dumps(report_summary(SAMPLES[name]()), allow_nan=False))
    assert {"model_a", "model_b", "findings"} <= summary.keys()
    for finding in summary["findings"]:
        assert finding.keys() == {
            "id", "text", "method", "category", "direction", "scope", "accepted", "confirmed", "train", "heldout",
            "heldout_in_scope", "concentration", "levels",
        }  # fmt: skip
        keys = {"n", "k_for", "k_against", "accuracy", "frequency", "net_difference", "p", "q"}
        assert finding["heldout"].keys() == keys
        assert (finding["heldout_in_scope"] or finding["heldout"]).keys() == keys
        assert (finding["scope"] is None) == (finding["heldout_in_scope"] is None)
        assert finding["heldout"]["accuracy"].keys() == {"value", "low", "high"}
        if finding["concentration"]:
            assert finding["concentration"].keys() == {"scope", "inside", "outside", "p_differs", "q"}
            assert finding["concentration"]["inside"].keys() == finding["concentration"]["outside"].keys() == keys
        for level in finding["levels"]:
            assert level.keys() == {"split", "place", "side", "kind", "value", "low", "high", "n"}
    for line in summary["merged"]:
        assert line.keys() == {"lead", "block", "members"}
        assert all(member.keys() == {"id", "known_by", "agreement", "residual"} for member in line["members"])
    assert summary["confirmed"].keys() == {"behaviours", "wording", "features"}


def test_checks_of_the_judge_are_in_the_summary() -> None:
    row = {"check": "family", "judge": "x", "value": None, "low": math.nan, "high": 0.5, "n": 0, "meaning": "…"}
    report = replace(empty_report(), tables={"judge_checks": (row,)})
    assert report_summary(report)["judge_checks"] == [row | {"low": None}]


def test_undefined_numbers_are_null_in_the_summary() -> None:
    report = quiet_report()
    undefined = replace(report.findings[0].heldout, accuracy=Estimate(math.nan, None, math.inf, 0), p=math.nan)
    summary = report_summary(replace(report, findings=(replace(report.findings[0], heldout=undefined),)))
    heldout = summary["findings"][0]["heldout"]  # type: ignore[index]
    assert heldout["accuracy"] == {"value": None, "low": None, "high": None}
    assert heldout["p"] is None


def test_parquet_opens_with_pandas_and_keeps_types(tmp_path: Path) -> None:
    save_report(medium_report(), tmp_path)
    table = pq.read_table(tmp_path / "judgements.parquet")
    assert table.schema.field("verdict").type == pa.string()
    assert set(table.to_pandas()["verdict"]) == {"A", "B", "NEITHER", "UNREADABLE"}


def test_the_stage_of_an_earlier_report_is_read_by_its_name_whatever_it_is(tmp_path: Path) -> None:
    report = replace(empty_report(), usage=(Usage(Stage("a stage of old", "Old"), "m", 1, 2, 3),))
    save_report(report, tmp_path)
    (usage,) = load_report(tmp_path).usage
    assert (type(usage.stage), usage.stage) == (Stage, "a stage of old")
