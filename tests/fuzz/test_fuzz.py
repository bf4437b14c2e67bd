"""A few of every kind in the default suite; `python -m tests.benchmarks.fuzz` tries a million."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings

from diffing.errors import SettingError
from diffing.paths import existing, path_of
from tests.fuzz.cards import cards, check_card, made_card
from tests.fuzz.reports import Change, check_report, made_report
from tests.fuzz.strings import check_string, made_string, model_strings

few = settings(
    max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


@few
@given(model_strings())
@example("a" * 256)
@example("recorded:" + "a/" * 3_000)
@example("~nouser1/x")
@example("~\x00")
@example("recorded:\ud800")
@example("openai:x@http://[::1")
@example("runs/\udcff")
@example("./" + "a" * 5_200)  # longer than any name, of a form that a dataset could have
def test_any_text_may_be_a_name(text: str) -> None:
    check_string(text)


@few
@given(cards())
@example(b"---\na: 2001-99-99\n---\n")
@example(b"---\na: !!bool x\n---\n")
def test_any_bytes_may_be_a_card(content: bytes) -> None:
    check_card(content)


@pytest.mark.parametrize("seed", range(40))
def test_any_folder_may_be_a_report(seed: int) -> None:
    check_report(made_report(Random(seed)))


@pytest.mark.parametrize(
    "content", [None, b"/", b"", b"[" * 100_000, b'{"schema_version": 2}', b'{"schema_version": 2, "files": {"a": {}}}']
)
def test_a_report_without_its_document(content: bytes | None) -> None:
    check_report(Change("report.json", content, known=False))


def test_generators_are_reproducible() -> None:
    for make in (made_string, made_card, made_report):
        assert [make(Random(5)) for _ in range(2)] == [make(Random(5))] * 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 256, "at most 255 bytes between two slashes"),
        ("é" * 128, "at most 255 bytes between two slashes"),
        ("x/" * 2_048, "at most 4,095 bytes"),
        ("~nouser1/x", "no home folder is known"),
        ("~\x00", r"a control character (\x00)"),
        ("a\nb", r"a control character (\n)"),
        ("\ud800", r"a byte that is not UTF-8 (\ud800)"),
        ("\udcff.jsonl", r"a byte that is not UTF-8 (\udcff)"),
    ],
)
def test_what_no_file_can_be_named_is_said(name: str, words: str) -> None:
    with pytest.raises(SettingError) as refused:
        path_of(name)
    assert words in str(refused.value)
    assert len(str(refused.value)) < 300
    assert existing(name) is None


def test_what_a_file_can_be_named_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a" * 255, "é" * 127, "with space", "中文 🧪", "-x", "a+b@c:d"):
        (tmp_path / name).mkdir()
        assert existing(f"~/{name}") == tmp_path / name
    assert path_of("~/nothing") == tmp_path / "nothing"
    assert existing("~/nothing") is None
    assert existing("") is None


def test_the_benchmark_finds_what_is_not_caught(tmp_path: Path) -> None:
    """With a kind that raises where a number is odd."""
    code = (
        "from tests.benchmarks import fuzz\nimport sys, types\n"
        "odd = types.ModuleType('tests.fuzz.odd')\n"
        "odd.make = lambda draw: draw.randrange(1000)\n"
        "def check(number):\n    1 / (1 - number % 2)\n"
        "odd.check = check\nsys.modules['tests.fuzz.odd'] = odd\n"
        "fuzz.KINDS = (fuzz.Kind('odd', 'odd', 'check', 1.0, make='make'),)\n"
        "sys.argv = ['fuzz', '--inputs', '200']\nsys.exit(fuzz.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 1, done.stderr
    first, second, third = done.stdout.splitlines()[:3]
    assert first.startswith("odd: 200 inputs")
    assert "ZeroDivisionError" in second
    assert int(third) < 100
