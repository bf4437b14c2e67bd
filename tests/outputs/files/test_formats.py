"""What can be taken away of a report: complete, the same every time, and readable by the programs it is meant for."""

import csv
import io
import math
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas
import pyarrow.parquet
import pytest

from diffing.errors import SettingError
from diffing.outputs.address_removal import public_report
from diffing.outputs.downloads import FORMATS
from diffing.outputs.figures import preview
from diffing.outputs.files.csv_table import LENGTH, safe_text
from diffing.outputs.formats import safe_name
from diffing.report import load_report
from diffing.report.index import index_of
from diffing.types import ModelInfo, Report
from tests.outputs.samples import empty_report, medium_report, merged_report, quiet_report

STEM = "tern-1b-base-vs-tern-1b-chat"
REPORT = merged_report(train=20, heldout=40)
ADDRESS = "127.0.0.1:8000"


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def unzipped(report: Report, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(FORMATS["zip"].content(report))) as zipped:
        zipped.extractall(folder)
    (top,) = folder.iterdir()
    return top


@pytest.mark.parametrize("key", FORMATS)
def test_the_same_report_gives_the_same_file_whole_and_under_its_name(key: str, tmp_path: Path) -> None:
    written = FORMATS[key].write(REPORT, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"{STEM}.{key}"]
    assert written.read_bytes() == FORMATS[key].content(REPORT)
    assert FORMATS[key].write(REPORT, tmp_path) == written


@pytest.mark.parametrize("key", FORMATS)
def test_no_address_of_a_server_is_taken_away(key: str) -> None:
    address = f"openai:tuned@{ADDRESS}/v1"
    report = replace(REPORT, model_b=ModelInfo(address, "model_b"), notes=(f"No answer of http://{ADDRESS}/v1",))
    content = FORMATS[key].content(report)
    parts = [content]
    if key == "zip":
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            parts = [zipped.read(name) for name in zipped.namelist()]
    tables = (repr(pandas.read_parquet(io.BytesIO(p)).values.tolist()) for p in parts if p[:4] == b"PAR1")
    told = [*(part.decode(errors="replace") for part in parts), *tables]
    assert [text for text in told if ADDRESS in text] == []
    assert key == "png" or any("tuned" in text for text in told)  # a picture's text is pixels
    assert ADDRESS.encode() not in preview(public_report(report))


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"Cannot write .*\.csv: No such file or directory\. Give a file"):
        FORMATS["csv"].write(REPORT, tmp_path / "absent")


@pytest.mark.parametrize("make", [quiet_report, empty_report])
def test_the_zip_is_the_report_again_with_its_page(make: object, tmp_path: Path) -> None:
    assert callable(make)
    report = make()
    folder = unzipped(report, tmp_path)
    assert folder.name == safe_name(report)
    loaded = load_report(folder)
    assert [f.hypothesis.id for f in loaded.findings] == [f.hypothesis.id for f in report.findings]
    assert [p.a.text for p in loaded.pairs] == [p.a.text for p in report.pairs]
    assert (folder / "report.html").read_bytes() == FORMATS["html"].content(report)
    told = (folder / "README.txt").read_text()
    assert f"diffing show {folder.name}" in told
    assert all(path.name in told or path.name == "README.txt" for path in folder.iterdir())


def test_the_zips_members_are_plain_files_without_times() -> None:
    with zipfile.ZipFile(io.BytesIO(FORMATS["zip"].content(REPORT))) as zipped:
        for member in zipped.infolist():
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.external_attr >> 16 == 0o644
            assert member.filename.startswith(f"{STEM}/")
            assert member.filename.count("/") == 1


@pytest.mark.parametrize("make", [lambda: REPORT, quiet_report, empty_report], ids=["merged", "quiet", "empty"])
def test_both_tables_hold_every_finding(make: object) -> None:
    assert callable(make)
    report: Report = make()
    table = pyarrow.parquet.read_table(io.BytesIO(FORMATS["parquet"].content(report)))
    sheet = rows_of(FORMATS["csv"].content(report))
    assert table["id"].to_pylist() == [row["id"] for row in sheet] == [f.hypothesis.id for f in report.findings]
    leads = {finding.hypothesis.id for finding in index_of(report).leads}
    assert table["leads"].to_pylist() == [f.hypothesis.id in leads for f in report.findings]
    for finding, row, full in zip(report.findings, sheet, table.to_pylist(), strict=True):
        assert row.keys() == full.keys()
        net = finding.heldout.net_difference
        ends = [row[f"heldout_net_difference{end}"] for end in ("", "_low", "_high")]
        assert [float(end) for end in ends] == [net.value, net.low, net.high]
        assert [full[f"heldout_net_difference{end}"] for end in ("", "_low", "_high")] == [net.value, net.low, net.high]
        assert row["confirmed"] == str(finding.confirmed).upper()
        measure = finding.hypothesis.measure
        assert (row["measure"], row["measured"]) == (("property", measure.name) if measure else ("", ""))


def test_every_column_says_what_it_holds() -> None:
    schema = pyarrow.parquet.read_schema(io.BytesIO(FORMATS["parquet"].content(REPORT)))
    assert [field.name for field in schema if not (field.metadata or {}).get(b"doc")] == []


def test_pandas_reads_the_sheet_with_its_types() -> None:
    read = pandas.read_csv(io.BytesIO(FORMATS["csv"].content(REPORT)))
    full = pandas.read_parquet(io.BytesIO(FORMATS["parquet"].content(REPORT)))
    assert list(read.columns) == list(full.columns)
    assert read["confirmed"].dtype == bool
    assert read["heldout_n"].tolist() == full["heldout_n"].tolist()
    assert read["train_net_difference_low"].tolist() == full["train_net_difference_low"].tolist()
    assert any(value < 0 for value in read["train_net_difference_low"])  # numbers below 0 stay numbers


def test_a_value_that_is_none_is_an_empty_cell() -> None:
    findings = tuple(replace(f, heldout=undefined(f.heldout)) for f in REPORT.findings[:1])
    report = replace(REPORT, findings=findings, merged=())
    (row,) = rows_of(FORMATS["csv"].content(report))
    assert [row["heldout_accuracy"], row["heldout_p"], row["heldout_frequency_low"]] == ["", "", ""]


def undefined(metrics):
    none = replace(metrics.accuracy, value=None, low=math.inf, high=math.nan)
    return replace(metrics, p=None, q=None, accuracy=none, frequency=none)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("\t =cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\r\n@SUM(1)", "'@SUM(1)"),
        ("-5", "'-5"),
        ("\u200b+5", "'\u200b+5"),
        ("＝1", "'＝1"),
        ('"=1"', "'\"=1\""),
        ("a;=1;  \"-2", "a;'=1;' \"-2"),
        ("a; b = c - d", "a; b = c - d"),
        ("2=2, a@b", "2=2, a@b"),
        ("two\r\nlines\x00and\u202emore", "two lines\ufffdand\ufffdmore"),
        ("می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"),
        ("x" * LENGTH, "x" * LENGTH),
        ("x" * 99_999, "x" * LENGTH + "…"),
        ("", ""),
    ],
)  # fmt: skip
def test_no_text_of_a_sheet_is_a_formula(text: str, expected: str) -> None:
    assert safe_text(text) == expected


def test_the_text_tells_findings_intervals_examples_settings_and_what_was_not_tested() -> None:
    text = FORMATS["md"].content(merged_report()).decode()
    for told in (
        f"# How {STEM.replace('-vs-', ' and ')} differ",
        "## 5 confirmed differences\n",
        "| 1 | **confirmed** | tern-1b-chat writes longer responses (in words) than tern-1b-base | +58 | +46 to +67 |",
        "### 1. tern-1b-chat writes longer responses",
        "(says the same: it shows in the same pairs, agreement 94%).\n",
        "Example against it (held-out prompt): tern-1b-base fits better, judged by openai:judge-70b.",
        "The response of tern-1b-chat:\n\n```\n",
        "## What was not tested",
        "- In llm: 212 differences that fit no cluster",
        "| `prompts` | `bundled` |",
        "- Note: The judge preferred the response shown first in 54",
    ):
        assert told in text.replace("\N{NO-BREAK SPACE}", " ")
    assert text.endswith(".\n")


def test_a_long_response_is_cut_in_the_text_and_says_so() -> None:
    report = medium_report(train=10, heldout=12)
    pairs = tuple(replace(pair, a=replace(pair.a, text="word " * 2000)) for pair in report.pairs)
    text = FORMATS["md"].content(replace(report, pairs=pairs)).decode().replace("\N{NO-BREAK SPACE}", " ")
    assert "The response of tern-1b-base (of 10,000 characters the 1,200 after the first 0):" in text
    assert len(text) < 200_000


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("org/base@abc", "org/tuned", "base-vs-tuned"),
        ("../../etc/passwd", "C:\\Windows\\system32", "passwd-vs-C-Windows-system32"),
        ("..", "...", "model-vs-model"),
        ("CON.x", ".hidden", "CON-.x-vs-hidden"),
        ("nul", "aux", "nul-vs-aux"),
        ("<script>alert(1)</script>", "a\u202eb\x00c\nd", "script-vs-a-b-c-d"),
        ("模型", "modèle", "model-vs-mod-le"),
        ("-rf", "--out", "rf-vs-out"),
        ("x" * 400, "y/z.gguf", "x" * 31 + "-" + "x" * 16 + "-vs-z"),
    ],
)
def test_names_of_files_are_safe_on_every_system(a: str, b: str, expected: str) -> None:
    report = replace(REPORT, model_a=ModelInfo(a, "model_a"), model_b=ModelInfo(b, "model_b"))
    assert safe_name(report) == expected
