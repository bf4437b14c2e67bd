"""`diffing family`: several recordings, compared with each other."""

import json
from pathlib import Path

import pytest

from diffing.cli import main
from diffing.report import load_report
from tests.cli import recordings

STAGES = ("pretrained", "sft-2.5k", "sft-7k", "rlhf-2k")


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFFING_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_three_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = recordings.pair(tmp_path)
    c = f"recorded:{recordings.write(tmp_path / 'c.jsonl', recordings.rows('lab/greets', 'Great question! Hello! '))}"
    assert called("family", a, b, c, "--out", "out", "--json", "--method", "lexical") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(Path("out/family.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in told["models"]] == ["plain", "praises", "greets"]
    assert told["unique"][0]
    assert all(load_report(f"out/pair-{pair}").findings for pair in ("1-2", "1-3", "2-3"))
    assert 'href="pair-1-2/report.html"' in Path("out/family.html").read_text(encoding="utf-8")
    assert called("push", "out", "alice/family", "--dry-run") == 0
    shown = capsys.readouterr()
    assert "# How 3 models differ" in shown.out
    assert "pairs/pairs.parquet" in shown.err
    assert called("push", "out", "alice/family", "--collection") == 2
    assert "--collection and --dictionary are for a report of two models. Leave them out" in capsys.readouterr().err


@pytest.mark.parametrize(("models", "told"), [
    (["a/x"], "1 different models were given: expected 2 to 12"),
    (["a/x", "a/x"], "1 different models were given"),
    ([f"a/{i}" for i in range(13)], "13 different models were given: expected 2 to 12"),
])  # fmt: skip
def test_too_few_or_too_many(models: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("family", *models) == 2
    assert told in capsys.readouterr().err


def test_a_report_of_files_that_are_elsewhere_is_no_model_of_the_hub(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings.pair(tmp_path)
    assert called("run", "recorded:a.jsonl", "recorded:b.jsonl", "--out", "run", "--method", "lexical") == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    capsys.readouterr()
    assert called("family", "../run", "--out", "out") == 2
    assert "keeps only the name 'recorded:a.jsonl' of a file or folder" in capsys.readouterr().err


def test_the_folder_of_a_report_stands_for_its_two_models(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings.pair(tmp_path)
    files = ("recorded:a.jsonl", "recorded:b.jsonl")  # a report keeps only the names of files
    assert called("run", *files, "--out", "run", "--method", "lexical") == 0
    assert called("family", "run", "--out", "out", "--method", "lexical") == 0
    assert "plain and praises: told apart in " in " ".join(capsys.readouterr().out.split())
    assert load_report("out/pair-1-2").findings == load_report("run").findings
    capsys.readouterr()
    assert called("family", "run", "--out", "out", "--method", "lexical", "--train", 30) == 2
    assert "out/pair-1-2 contains the report of a run with other settings" in capsys.readouterr().err


@pytest.mark.slow
def test_the_tree_of_the_recorded_stages_follows_the_lineage(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pretrained, then two checkpoints of SFT, then RLHF: the two are closest, and the ends are the farthest apart."""
    models = [f"recorded:{shared_data}/responses/pythia12b-{stage}.sample0.jsonl" for stage in STAGES]
    assert called("family", *models, "--out", "out", "--json", "--method", "lexical") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["order"] == [0, 1, 2, 3]
    assert (told["tree"][0]["left"], told["tree"][0]["right"]) == ([1], [2])
    assert told["triples_in_the_order_given"] == [3, 4]
    farthest = max(told["pairs"], key=lambda pair: pair["told_apart"]["value"])
    assert farthest["models"] == [0, 3]
