"""The examples that ship say what their captions claim, name no folder of a machine, and are those of this version."""

import json
import re
from collections.abc import Callable

import pytest

from diffing.config import DiffConfig, settings_of
from diffing.demo.config import demo_config
from diffing.errors import SettingError
from diffing.outputs.html import render
from diffing.outputs.html.planted_checklist import TABLE, checklist_of
from diffing.outputs.phrasing import prompts_in
from diffing.report import load_report
from diffing.report.index import index_of
from diffing.report.schema import DOCUMENT, SCHEMA_VERSION
from diffing.run import model_ids
from diffing.run_settings import as_stored
from diffing.types import Report, Verdict
from diffing.view.examples import EXAMPLES, BundledExample, example_cards, example_folder
from diffing.view.result import result_html
from diffing.view.result.report_cache import OpenedReport
from tests.benchmarks.real_models import PACKAGES, SMOLLM2
from tests.demo.test_demo_run import PLANTED, TOO_RARE, evidence_for
from tests.view.examples import make
from tests.view.examples.cards import card_of
from tests.view.examples.checklist import checklist
from tests.view.examples.real import REAL
from tests.view.examples.stand_in import behaviours

KEYS = [example.key for example in EXAMPLES]
CONFIGS: dict[str, Callable[[], DiffConfig]] = {
    "planted": demo_config,
    "rules": make.rules_config,
    "itself": make.itself_config,
}
LOST = {"comfort"}
"""Planted, and shown on six held-out prompts; too few to be told from the verdicts that the rules misread."""
FOLDERS = re.compile(r"(?<![\w<>./])(?:file:/)?/[A-Za-z]\w*/[\w.]|[A-Z]:\\\\")
"""An absolute path."""


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {key: load_report(example_folder(key), token=False) for key in KEYS}


def test_each_example_has_a_maker_and_a_short_title() -> None:
    assert KEYS == [*make.MAKERS, *REAL]
    assert list(make.MAKERS) == list(CONFIGS)
    assert all(0 < len(example.title) <= 40 for example in EXAMPLES)
    assert all(example.caption.endswith(".") and ". " not in example.caption for example in EXAMPLES)


@pytest.mark.parametrize("key", ["", "nothing", "../examples/planted", "planted/", "<b>" + "x" * 1000])
def test_an_unknown_key_opens_nothing(key: str) -> None:
    with pytest.raises(
        SettingError, match=r"There is no example .*expected one of planted, rules, itself, two-prompts"
    ) as caught:
        example_folder(key)
    assert len(str(caught.value)) < 200


def test_they_are_small() -> None:
    files = [path for example in EXAMPLES for path in example.folder.iterdir()]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    assert {path.suffix for path in files} == {".json", ".parquet"}


def test_the_cards_of_the_start_page_say_what_the_reports_say(reports: dict[str, Report]) -> None:
    assert dict(example_cards()) == {key: card_of(report) for key, report in reports.items()}
    assert [len(card.bars) for card in example_cards().values()][:3] == [2, 2, 0]


@pytest.mark.parametrize("example", EXAMPLES[: len(CONFIGS)], ids=list(CONFIGS))
def test_they_are_of_this_version(example: BundledExample, reports: dict[str, Report]) -> None:
    """Made by this schema, with these settings, of the models that ship; else make them anew."""
    report, config = reports[example.key], CONFIGS[example.key]()
    assert json.loads((example.folder / DOCUMENT).read_text(encoding="utf-8"))["schema_version"] == SCHEMA_VERSION
    assert as_stored(report.settings) == settings_of(config)
    assert (report.model_a.id, report.model_b.id) == model_ids(config)


@pytest.mark.parametrize("key", REAL)
def test_what_is_said_of_real_models_is_said_of_files_that_are_named_exactly(
    key: str, reports: dict[str, Report]
) -> None:
    report, config = reports[key], REAL[key]
    assert json.loads((example_folder(key) / DOCUMENT).read_text(encoding="utf-8"))["schema_version"] == SCHEMA_VERSION
    assert as_stored(report.settings) == settings_of(config)
    for info, folder in ((report.model_a, config.model_a), (report.model_b, config.model_b)):
        assert re.fullmatch(rf"{re.escape(folder)}@[0-9a-f]{{12}}", info.id)
        assert info.ref.hub_page is None, "the Hub has other weights under this name"
        (note,) = [note for note in report.notes if note.startswith(f"{folder} is what")]
        packages = PACKAGES.get(folder, PACKAGES[SMOLLM2])
        assert len(re.findall(r"sha256 [0-9a-f]{64}\)", note)) == len(packages)
        assert all(package in note for package in packages)
        assert re.search(r"sha256 of model\.safetensors: [0-9a-f]{64}\.", note)
    assert prompts_in(report, "train") == config.train
    assert prompts_in(report, "heldout") == config.heldout


@pytest.mark.parametrize("key", KEYS)
def test_no_folder_of_a_machine_is_told(key: str, reports: dict[str, Report]) -> None:
    report = reports[key]
    told = [
        (example_folder(key) / DOCUMENT).read_text(encoding="utf-8"),
        *(str(row) for rows in report.tables.values() for row in rows),
        *(f"{pair.prompt} {pair.a} {pair.b}" for pair in report.pairs),
    ]
    assert FOLDERS.search("prompts of /home/me/prompts.jsonl")
    asked = "".join(pair.prompt.text for pair in report.pairs)  # one of the bundled prompts shows a traceback
    assert [found[0] for text in told for found in FOLDERS.finditer(text) if found[0] not in asked] == []


def test_thirteen_of_fourteen_planted_differences_are_confirmed(reports: dict[str, Report]) -> None:
    missed = {planted["id"] for planted in PLANTED if not evidence_for(planted, reports["planted"])}
    assert len(PLANTED) == 14
    assert missed == TOO_RARE
    assert any(f.confirmed for f in reports["planted"].findings if f.hypothesis.method == "sae")


def test_the_checklist_is_what_the_report_holds_and_is_shown(reports: dict[str, Report]) -> None:
    report = reports["planted"]
    assert report.tables[TABLE] == checklist(report), "made anew, it would say something else"
    views = checklist_of(index_of(report))
    assert [view.planted for view in views if view.number is None] == [
        planted["description"] for planted in PLANTED if planted["id"] in TOO_RARE
    ]
    for page in (render(report), result_html.findings(OpenedReport(report), "planted")):
        shown = page.partition('<details class="fold" id="planted">')[2].partition("</details>")[0]
        assert "and what was found: 13 of 14" in shown
        assert shown.count('<td><a href="#f') == 13
        assert "1 of the 214 answers of tuned to prompts kept aside shows it" in shown
    assert 'id="planted"' not in render(reports["itself"])


def test_rules_find_what_was_planted_and_say_that_they_are_rules(reports: dict[str, Report]) -> None:
    report = reports["rules"]
    confirmed = {f.hypothesis.text for f in report.findings if f.confirmed and f.hypothesis.method == "llm"}
    planted = {entry["id"] for entry in PLANTED}
    found = {name for name, known in behaviours().items() if confirmed & {known.hypothesis, *known.lacks}}
    assert found == planted - TOO_RARE - LOST
    (lost,) = LOST
    assert [f.confirmed for f in report.findings if f.hypothesis.text == behaviours()[lost].hypothesis] == [False]
    assert report.notes[1] == make.NOTE, "after what is said of the responses"
    assert make.NOTE.startswith("No LLM took part")
    assert {model.id.split(":")[0] for model in report.others} == {"scripted"}
    assert all("not-an-llm" in model.id for model in report.others)
    judges = {judgement.judge for judgement in report.judgements}
    assert judges == {"measured", "described", "scripted:rules-not-an-llm"}


def test_what_the_page_with_rules_shows_first_says_that_they_are_rules(reports: dict[str, Report]) -> None:
    shown = result_html.overview(OpenedReport(reports["rules"]), "rules")
    assert "No LLM took part in this result: a rule-based program took its place." in shown


def test_rules_bring_verdicts_ratings_checks_and_a_merged_list(reports: dict[str, Report]) -> None:
    report = reports["rules"]
    assert all(finding.rating and len(finding.rating.replies) == 2 for finding in report.findings)
    assert {"both orders", "second judge", "measured properties"} <= {
        row["check"] for row in report.tables["judge_checks"]
    }
    assert {"property", "judge", "verdicts"} <= {known for entry in report.merged for known in entry.known_by}
    verdicts = {judgement.verdict for judgement in report.judgements}
    assert verdicts == set(Verdict) - {Verdict.UNREADABLE}
    assert any(f.heldout.p is not None and not f.confirmed for f in report.findings)


def test_one_model_against_itself_confirms_nothing(reports: dict[str, Report]) -> None:
    report = reports["itself"]
    assert report.model_a.id == report.model_b.id
    assert (report.model_a.settings["sample"], report.model_b.settings["sample"]) == (0, 1)
    assert [finding for finding in report.findings if finding.confirmed] == []
    assert any(finding.heldout.p is not None for finding in report.findings), "something was tested"
    assert sum(pair.a.text != pair.b.text for pair in report.pairs) > len(report.pairs) / 2
