"""`diffing show REPORT --explain PROPERTY`: what is counted, and responses in which it is and is not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from diffing.cli import main
from diffing.methods.plan import measured_properties
from diffing.report import save_report
from diffing.types import Finish, Message, Pair, Prompt, Report, Response
from tests.hostile import CORE
from tests.outputs.samples import empty_report, merged_report


def report(texts: list[tuple[str, str]], finish: Finish = "stop") -> Report:
    pairs = [
        Pair(
            Prompt(f"p{i}", (Message("user", "How?"),), "test", "train"),
            Response(f"p{i}", "org/base", a, finish),
            Response(f"p{i}", "org/tuned", b, "stop"),
        )
        for i, (a, b) in enumerate(texts)
    ]
    return replace(empty_report(), pairs=tuple(pairs))


def explained(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["show", str(folder), *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_reader_sees_what_is_counted_how_well_and_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no = "I'm sorry, but I can't help with that."
    texts = [("Use a pan.", no), (no, no), ("Take two.", no), ("Boil it.", ""), (no, "Fry it.")]
    code, out, err = explained(save_report(report(texts), tmp_path / "run"), capsys, "--explain", "refusals")
    assert (code, err) == (0, "")
    parts = out.strip().split("\n\n")
    info = measured_properties()["refusals"]
    assert parts[0] == "refusals: a model refuses more often"
    assert parts[1:3] == [info.definition, info.accuracy]
    names = parts[3].removesuffix(".").split(" responses of ")[1].split(" and in ")[0], parts[3].split()[-1][:-1]
    assert parts[3] == f"Counted in 2 of 5 responses of {names[0]} and in 3 of 5 of {names[1]}."
    assert parts[4].splitlines() == [
        "Counted:",
        f"- {names[0]}, prompt p1: “{no}”",
        f"- {names[1]}, prompt p0: “{no}”",
        f"- {names[0]}, prompt p4: “{no}”",
    ]
    assert parts[5].splitlines() == [
        "Not counted:",
        f"- {names[0]}, prompt p0: “Use a pan.”",
        f"- {names[1]}, prompt p3: an empty response",
        f"- {names[0]}, prompt p2: “Take two.”",
    ]


def test_values_and_responses_that_cannot_be_judged_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_report(report([("Why? Who? Me", "No."), ("Why", "So?")], "length"), tmp_path / "run")
    _, out, _ = explained(folder, capsys, "--explain", "question_marks")
    assert ", prompt p0 (2): “Why? Who? Me”" in out
    assert ", prompt p1: “So?”" in out
    _, out, _ = explained(folder, capsys, "--explain", "ends_with_question")
    assert "It cannot be determined in 2 responses." in out
    assert "\nNot counted:\n" in out
    _, out, _ = explained(folder, capsys, "--explain", "headings")
    assert "\nCounted: in no response.\n" in out
    code, out, _ = explained(folder, capsys, "--explain", "headings", "--json")
    told = json.loads(out)
    assert (code, told["property"], told["responses_counted"]) == (0, "headings", [0, 0])
    assert [each["prompt_id"] for each in told["not_counted"]] == ["p0", "p0", "p1"]


@pytest.mark.parametrize(("name", "nearest"), [
    ("refusal", "refusals"),
    ("Hedge", "hedges"),
    ("x" * 100_000, ""),
    ("\x1b[31m\u202e", ""),
    ("", ""),
])  # fmt: skip
def test_an_unknown_property_is_one_line(
    name: str, nearest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_report(merged_report(train=10, heldout=10), tmp_path / "run")
    code, out, err = explained(folder, capsys, "--explain", name)
    assert (code, out) == (2, "")
    assert " ".join(err.split()).startswith("diffing: There is no measured property “")
    assert "The nearest names are: " in " ".join(err.split())
    assert nearest in err
    assert len(err) < 400
    assert not set(err) & set("\x1b\u202e")


@pytest.mark.parametrize("attack", CORE.values(), ids=CORE)
def test_hostile_text_is_harmless_in_a_terminal(
    attack: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_report(report([(attack, f"# {attack}"), (f"{attack}!", attack)]), tmp_path / "run")
    for name in ("headings", "words", "exclamation_marks"):
        code, out, _ = explained(folder, capsys, "--explain", name)
        assert code == 0
        assert all(sign.isprintable() or sign == "\n" for sign in out)
        assert len(out.splitlines()) <= 20
        assert max(map(len, out.splitlines())) < 1_200
