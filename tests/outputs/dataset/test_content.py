"""What is published of a report: the configurations, the card, the picture. All without a Hub."""

import io
import re
from dataclasses import fields, replace
from xml.dom import minidom

import pyarrow.parquet
import pytest
import yaml
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from diffing.config import DiffConfig, settings_of
from diffing.hub import metadata_of
from diffing.methods.features.feature_evidence import FeatureEvidence
from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.llm.difference import Difference
from diffing.methods.llm.report_tables import rows_of_differences
from diffing.metrics import metrics_of
from diffing.model_ref import read_ref
from diffing.outputs.dataset import dataset_files, identity_of
from diffing.outputs.dataset.configs import DIFFERENCES, FEATURES
from diffing.outputs.dataset.identity import identity_in
from diffing.outputs.dataset.reproduce import command_of
from diffing.report.index import index_of
from diffing.types import Report
from tests.outputs.samples import HOSTILE, empty_report, hostile_report, medium_report, merged_report

SPLIT = re.compile(r"\w+(\.\w+)*")


def table(files: dict[str, bytes], path: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pyarrow.parquet.read_table(io.BytesIO(files[path])).to_pylist()
    return rows


def with_method_tables() -> Report:
    difference = {"prompt_id": "p", "owner": "a", "behaviour": "<MODEL> greets", "condition": "", "hypothesis_id": None}
    feature = {"index": 7, "direction": "b", "rate_a": 0.1, "rate_b": 0.4, "label": None, "chosen": True}
    return replace(
        medium_report(train=10, heldout=12), tables={"llm_differences": (difference,), "sae_features": (feature,)}
    )


@pytest.mark.parametrize("make", [empty_report, hostile_report])
def test_the_same_report_gives_the_same_bytes(make: object) -> None:
    assert callable(make)
    assert dataset_files(make(), "user/name") == dataset_files(make(), "user/name")


def test_every_row_of_the_report_is_in_its_split() -> None:
    report = merged_report()
    files = dataset_files(report, "user/name")
    findings = table(files, "findings/findings.parquet")
    assert [row["id"] for row in findings] == [finding.hypothesis.id for finding in report.findings]
    leads = {finding.hypothesis.id for finding in index_of(report).leads}
    assert {row["id"] for row in findings if row["leads"]} == leads
    assert 0 < len(leads) < len(findings)
    assert [row["heldout_q"] for row in findings] == [finding.heldout.q for finding in report.findings]
    for split in ("train", "heldout"):
        pairs = [pair for pair in report.pairs if pair.prompt.split == split]
        assert [row["id"] for row in table(files, f"prompts/{split}.parquet")] == [pair.prompt.id for pair in pairs]
        responses = table(files, f"responses/{split}.parquet")
        assert [row["text"] for row in responses] == [each.text for pair in pairs for each in (pair.a, pair.b)]
        assert {row["prompt"] for row in responses} == {pair.prompt.text for pair in pairs}
        ids = {pair.prompt.id for pair in pairs}
        expected = [j.verdict.value for j in report.judgements if j.prompt_id in ids]
        assert [row["verdict"] for row in table(files, f"judgements/{split}.parquet")] == expected


def test_tables_that_a_run_does_not_have_are_left_out() -> None:
    folders = {path.split("/")[0] for path in dataset_files(empty_report(), "user/name") if "/" in path}
    assert folders == {"responses", "prompts", "report"}
    files = dataset_files(with_method_tables(), "user/name")
    assert table(files, "differences/train.parquet")[0]["behaviour"] == "<MODEL> greets"
    assert table(files, "features/train.parquet")[0]["rate_b"] == 0.4


@pytest.mark.parametrize("make", [empty_report, hostile_report, with_method_tables])
def test_the_configurations_name_the_files_there_are(make: object) -> None:
    assert callable(make)
    files = dataset_files(make(), "user/name")
    configs = metadata_of(files["README.md"])["configs"]
    named = [entry["path"] for config in configs for entry in config["data_files"]]
    assert sorted(named) == sorted(p for p in files if p.endswith(".parquet") and not p.startswith("report/"))
    assert [config.get("default") for config in configs] == [True, *[None] * (len(configs) - 1)]
    assert all(SPLIT.fullmatch(entry["split"]) for config in configs for entry in config["data_files"])
    assert all(config["config_name"] != "data" for config in configs)


def test_the_card_says_what_was_compared_and_how_to_get_it() -> None:
    report = medium_report()
    card = DatasetCard(dataset_files(report, "user/name")["README.md"].decode())
    assert card.data.tags == ["model-diff", "model-diff:acme-lab/tern-1b-base", "model-diff:acme-lab/tern-1b-chat"]
    assert (card.data.license, card.data.language, card.data.size_categories) == ("other", ["en"], ["1K<n<10K"])
    for told in (
        report.model_a.id, report.model_b.id, "load_dataset(\"user/name\", \"responses\")  # train, heldout",
        'load_report("user/name")', "diffing show user/name", "arxiv.org/abs/2602.10371", "chart.svg",
        "writes longer responses (in words) than", "## Limits", "## Licence",
    ):  # fmt: skip
        assert told in card.text
    assert identity_in(metadata_of(dataset_files(report, "user/name")["README.md"])) == identity_of(report)


def test_hostile_text_stays_text() -> None:
    files = dataset_files(hostile_report(), "user/name")
    text = files["README.md"].decode()
    front, _, body = text[4:].partition("\n---\n")
    assert yaml.safe_load(front)["license"] == "other"
    html = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(body)
    visible = re.sub(r"<code[^>]*>.*?</code>", "", html, flags=re.DOTALL)
    assert not re.search(r"<(script|img src=x|svg|iframe|meta|b>|a href=.javascript)", visible)
    links = set(re.findall(r'(?:href|src)="([^"]*)"', html))
    assert links <= {"chart.svg", "#how-it-was-made", *(each for each in links if each.startswith("https://arxiv.org"))}
    picture = minidom.parseString(files["chart.svg"])
    assert not any(picture.getElementsByTagName(tag) for tag in ("script", "image", "foreignObject", "a"))
    assert any(attack in picture.documentElement.toxml() or "&lt;script" in picture.toxml() for attack in HOSTILE)


def test_the_command_makes_the_same_settings_again() -> None:
    config = DiffConfig(
        "org/base", "org/tuned@main", train=30, method=("lexical", "llm"), llm="providers:org/judge",
        system_prompt_b="Be brief. It's $HOME", both_orders=True, temperature=0.7,
    )  # fmt: skip
    report = medium_report()
    sha_a, sha_b = "a" * 40, "b" * 40
    report = replace(
        report,
        settings=settings_of(config),
        model_a=replace(report.model_a, id=f"org/base@{sha_a}"),
        model_b=replace(report.model_b, id=f"org/tuned@{sha_b}"),
    )
    command = command_of(report)
    assert command is not None
    assert command.startswith(f"diffing run org/base@{sha_a} org/tuned@{sha_b} ")
    pinned = replace(config, model_a=f"org/base@{sha_a}", model_b=f"org/tuned@{sha_b}", prompts="bundled@2")
    assert parsed(command) == pinned


@pytest.mark.parametrize(("prompts", "expected"), [
    (None, "bundled@1"), ("bundled", "bundled@1"), ("org/chats:en", "org/chats:en"), ("mine.jsonl", "mine.jsonl"),
])  # fmt: skip
def test_a_report_of_before_draws_its_prompts_as_it_did_then(prompts: str | None, expected: str) -> None:
    config = DiffConfig("org/base", "org/tuned", prompts=prompts)
    stored = {key: value for key, value in settings_of(config).items() if key not in ("balance", "prompts")}
    stored |= {"prompts": prompts} if prompts else {}
    command = command_of(replace(medium_report(), settings=stored))
    assert command is not None
    again = parsed(command)
    assert (again.prompts, again.balance) == (expected, "none")


def test_a_report_of_recordings_or_of_written_prompts_names_no_set() -> None:
    for given in ({"model_a": "recorded:a.jsonl"}, {"suspect": "x"}):
        stored = {"model_a": "org/base", "model_b": "org/tuned", "train": 10, **given}
        command = command_of(replace(medium_report(), settings=stored))
        assert command is not None
        assert "bundled" not in command


def parsed(command: str) -> DiffConfig:
    """The config that the command line makes of a command."""
    import shlex

    import typer

    from diffing.cli.flags import build, with_flags

    app, made = typer.Typer(), []

    @app.command()
    @with_flags(DiffConfig)
    def run(**values: object) -> None:
        made.append(build(DiffConfig, values))

    app(args=shlex.split(command)[2:], standalone_mode=False)
    return made[0]  # type: ignore[no-any-return]


def test_what_was_not_made_of_settings_has_no_command() -> None:
    assert command_of(empty_report()) is None


@pytest.mark.parametrize(
    ("model_id", "expected"),
    [
        ("org/name@abc", ("org/name",)),
        ("org/base@abc+org/adapter@def#4bit", ("org/base", "org/adapter")),
        ("providers:org/name:groq@abc", ("org/name",)),
        ("folder@0123", ()),
        ("openai:org/name@http://127.0.0.1:8000/v1", ()),
        ("recorded:answers.jsonl@0123", ()),
    ],
)
def test_the_models_that_a_dataset_is_found_by(model_id: str, expected: tuple[str, ...]) -> None:
    assert read_ref(model_id).repositories == expected


@pytest.mark.parametrize("change", ["settings", "version", "commit"])
def test_another_run_has_another_identity(change: str) -> None:
    report = medium_report()
    other = {
        "settings": replace(report, settings={**report.settings, "train": 7}),
        "version": replace(report, versions={**report.versions, "diffing": "9"}),
        "commit": replace(report, model_a=replace(report.model_a, id="acme-lab/tern-1b-base@" + "0" * 40)),
    }[change]
    assert identity_of(other) != identity_of(report)
    assert identity_of(other).same_pair(identity_of(report))


@pytest.mark.parametrize(
    "card", [b"", b"# no YAML", b"---\n{\n---\n", b"---\n- 3\n---\n", b"---\ntags: [model-diff]\n---\n", b"\xff\xfe"]
)
def test_a_card_that_is_not_ours(card: bytes) -> None:
    assert identity_in(metadata_of(card)) is None


def test_every_column_of_the_methods_tables_is_documented() -> None:
    difference = Difference("p", "a", "<MODEL> greets.", "", None, None, None)
    (row,) = rows_of_differences([difference], {})
    assert set(row) <= set(DIFFERENCES)  # which also describe columns that only other versions write
    feature = FeatureEvidence(ScreenedLatent(*[0] * len(fields(ScreenedLatent))), ())  # type: ignore[arg-type]
    assert set(feature.row(None, True)) == set(FEATURES)


def test_no_address_of_a_server_is_published() -> None:
    report = merged_report()
    address = "127.0.0.1:8000/v1"
    judge = f"openai:judge-70b@{address}"
    report = replace(
        report,
        model_b=replace(report.model_b, id=f"openai:tuned@{address}"),
        pairs=tuple(replace(pair, b=replace(pair.b, model=f"openai:tuned@{address}")) for pair in report.pairs),
        notes=(f"The judge {judge} prefers the response shown first.", f"{judge}: no answer of http://{address}/x"),
        tables={"judge_checks": ({"judge": judge, "value": 0.5},)},
        settings={**report.settings, "judge": f"openai:judge-70b@http://{address}", "base_url": f"http://{address}"},
        findings=tuple(
            replace(each, rating=each.rating and replace(each.rating, replies=((judge, 3, 4),)))
            for each in report.findings
        ),
    )
    files = dataset_files(report, "user/name")
    told = [content.decode() for path, content in files.items() if not path.endswith(".parquet")]
    told += [repr(table(files, path)) for path in files if path.endswith(".parquet")]
    assert [text for text in told if "127.0.0.1" in text] == []
    card = files["README.md"].decode()
    assert all(name in card for name in ("`openai:tuned`", "The judge openai:judge-70b prefers", "`openai:judge-70b`"))
    assert {row["judge"] for row in table(files, "judgements/train.parquet")} == {"measured", "openai:judge-70b"}
    assert b"base_url" not in files["README.md"]


def test_the_card_says_what_was_tested_and_what_was_not() -> None:
    report = medium_report()
    first, *others = report.findings
    untested = replace(first, heldout=metrics_of(0, 0, 0), confirmed=False)
    report = replace(report, findings=(untested, *others), settings={**report.settings, "judging": "thrift"})
    card = dataset_files(report, "user/name")["README.md"].decode()
    confirmed = [finding for finding in others if finding.confirmed]
    assert f"**{len(confirmed)} confirmed differences**" in card.replace("\N{NO-BREAK SPACE}", " ")
    assert "All 12 findings, confirmed or not, are in the configuration `findings`." in card
    assert "corrected for all 11 tested ones" in card
    assert "its verdicts on train prompts alone decide how many held-out prompts a hypothesis gets" in card
    full = dataset_files(replace(report, settings={**report.settings, "judging": "full"}), "user/name")["README.md"]
    assert b"judges with early stopping" not in full
    assert "tend to be somewhat too large" in card
    assert all(f"`{name} {version}`" in card for name, version in report.versions.items())
