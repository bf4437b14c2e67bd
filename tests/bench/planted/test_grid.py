"""Whole runs on an obedient model with an LLM of rules: planted is found, too rare is shown as missed."""

import json
from pathlib import Path

import pytest

from diffing.bench.planted.catalogue import select_behaviours
from diffing.bench.planted.grid import GridSetup, plants_of, run_grid
from diffing.bench.planted.plants import TriggerKind
from diffing.bench.planted.recall_tables import ResultText, as_markdown, results_of, save
from diffing.bench.planted.scoring import ScoredRun
from diffing.bench.results import load_result
from diffing.cli import main
from diffing.methods.lexical import LexicalMethod
from diffing.methods.llm import LlmMethod
from diffing.pipeline import DiffOptions
from tests.benchmarks.bench_planted_rules import prompts_in_groups
from tests.servers.behaviours import CatalogueLLM, obedient_model
from tests.servers.openai_server import OpenAIServer
from tests.servers.rules import in_process

TOLD = ResultText("Planted", "diffing bench planted", "A test.", {"train": 120})


def setup(mentions: float = 0.33, together: int = 1) -> GridSetup:
    prompts = prompts_in_groups(70, 60)
    llm = in_process(CatalogueLLM(prompts, mentions))
    methods = (LexicalMethod(), LlmMethod(llm, embedder="tfidf"))
    return GridSetup(obedient_model(), prompts, methods, llm, DiffOptions(sample_b=1), together=together)


@pytest.fixture(scope="module")
def scored() -> list[ScoredRun]:
    """Two behaviours in each run."""
    both = setup(together=2)
    runs = run_grid(plants_of(select_behaviours(["praise", "moralise"]), (0.3, 0.03), ("always",), both), both)
    assert len(runs) == 2
    return runs


def by(scored: list[ScoredRun], method: str) -> dict[str, str | None]:
    return {one.target.plant.id: one.by for run in scored for one in run.found if one.method == method}


def test_the_llm_method_finds_what_is_planted_on_thirty_per_cent(scored: list[ScoredRun]) -> None:
    found = by(scored, "llm")
    assert found["praise 30%"] == "property"
    assert found["moralise 30%"] == "judge"


def test_misses_at_three_per_cent_are_rows_like_others(scored: list[ScoredRun]) -> None:
    found = by(scored, "llm")
    assert (found["praise 3%"], found["moralise 3%"]) == (None, None)
    tables = results_of(scored, TOLD)
    rows = [row for row in tables["-plants"].rows if row["strength"] == 0.03 and row["method"] == "llm"]
    assert [row["found"] for row in rows] == ["missed"] * 2
    assert all(isinstance(row["shown_heldout"], int) and row["shown_heldout"] < 5 for row in rows)
    summary = {(row["method"], row["strength"]): row for row in tables[""].rows}
    assert summary["llm", 0.3]["recall"] == 1.0
    assert summary["llm", 0.03]["recall"] == 0.0
    assert summary["llm", 0.03]["recall_n"] == 2


def test_the_lexical_method_finds_it_without_a_call(scored: list[ScoredRun]) -> None:
    found = by(scored, "lexical")
    assert found["praise 30%"] in ("phrase", "property")
    calls = {claim.method: claim.calls for claim in scored[0].claims}
    assert calls["lexical"] == 0
    assert calls["llm"] >= 70


def test_claims_are_true(scored: list[ScoredRun]) -> None:
    claims = [claim for run in scored for claim in run.claims]
    assert sum(claim.confirmed for claim in claims) >= 4
    assert all(claim.planted + claim.measured == claim.confirmed for claim in claims)


def test_the_judge_that_matches_is_held_against_the_rules(scored: list[ScoredRun]) -> None:
    compared = [case for run in scored for case in run.compared]
    assert len(compared) >= 3
    assert any(rule for rule, _ in compared)
    agreement = results_of(scored, TOLD)["-matching"].rows[0]
    assert agreement["agreement"] == sum(rule == says for rule, says in compared) / len(compared)


@pytest.mark.parametrize(
    ("strength", "trigger", "mentions"),
    [(1.0, "domain", 1.0), (0.5, "domain", 0.0), (0.5, "phrase", 1.0)],
    ids=["proposed", "sharpened", "phrase"],
)
def test_a_trigger_is_named(strength: float, trigger: TriggerKind, mentions: float) -> None:
    """The LLM's condition comes from sharpening if no description mentions the topic; measured scopes need no LLM."""
    knows = setup(mentions)
    (run,) = run_grid(plants_of(select_behaviours(["praise"]), (strength,), (trigger,), knows), knows)
    found = {one.method: one for one in run.found}
    assert found["llm"].by == "property"
    for method in ("llm", "lexical"):
        assert found[method].trigger_named is True
        applies = found[method].where_applies
        assert applies is not None
        assert applies.low is not None
        assert applies.high is not None
        assert applies.low <= strength <= applies.high
    summary = {row["method"]: row for row in results_of([run], TOLD)[""].rows}
    for method in ("llm", "lexical"):
        assert (summary[method]["trigger_named"], summary[method]["strength_covered"]) == (1.0, 1.0)


def test_results_are_kept_and_shown_as_markdown(scored: list[ScoredRun], tmp_path: Path) -> None:
    kept = save(scored, TOLD, tmp_path, "planted-x")
    assert [path.name for path, _ in kept] == ["planted-x.json", "planted-x-plants.json", "planted-x-matching.json"]
    for path, result in kept:
        assert load_result(path) == result
    table = as_markdown(kept[0][1]).splitlines()
    assert table[0].startswith("| Method | Planted on | Trigger |")
    assert "| llm | 30% | always |" in "\n".join(table)
    assert len(table) == 2 + len(kept[0][1].rows)


def test_the_command_over_http(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Model and LLM are asked over real HTTP, by their names."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    model, llm = obedient_model(), CatalogueLLM()

    def answer(request):
        if request["model"] == "rules":
            return llm(request)
        from diffing.models.base import Sampling
        from diffing.types import Message

        messages = tuple(Message(each["role"], each["content"]) for each in request["messages"])
        return model.generate([messages], Sampling())[0].text

    with OpenAIServer(answer) as server, pytest.raises(SystemExit, match="0"):
        main(
            [
                *("bench", "planted", "openai:chat", "--llm", "openai:rules", "--base-url", server.base_url),
                *("--method", "llm", "--embedder", "tfidf", "--plant", "nova", "--strength", "0.5", "--train", "60"),
                *("--heldout", "30", "--cache", str(tmp_path), "--out", str(tmp_path / "out")),
            ]
        )
    printed = capsys.readouterr().out
    assert "Planted by system prompts in openai:chat" in printed
    document = json.loads((tmp_path / "out" / "planted.json").read_text(encoding="utf-8"))
    assert document["rows"][0]["recall"] == 1.0
    assert document["command"].startswith("diffing bench planted openai:chat --plant nova --strength 0.5")
    assert server.base_url not in json.dumps(document["rows"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "No model was given"),
        (["openai:chat", "--strength", "3"], "--strength is 3: expected a share"),
        (["openai:chat", "--trigger", "never"], "--trigger is 'never': expected one of always, domain, phrase"),
        (["openai:chat", "--plant", "nonsense"], "--plant is 'nonsense'"),
        (["recorded:x.jsonl"], "Nothing can be planted in a recorded model"),
    ],
)
def test_wrong_input_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "planted", *arguments])
    assert told in capsys.readouterr().err
