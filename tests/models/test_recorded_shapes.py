"""Responses in the shapes that people have them in: read as what they are, with the same report as in our own shape."""

import logging
from dataclasses import replace

import pytest

from diffing.config import DiffConfig
from diffing.models.base import Sampling
from diffing.models.cache import Store
from diffing.models.recorded import RecordedModel
from diffing.models.recorded.shapes import SHAPES as TABLE
from diffing.models.recorded.shapes.helm import HELM
from diffing.report import save_report
from diffing.run import run
from diffing.types import Completion, Message
from tests.fewer import fewer
from tests.models.written import SHAPES, lines, only


def rows(model="lab/plain", opening="", count=24):
    """Prompts with what trips readers up: quotes, separators, line breaks, other scripts; B opens with praise."""
    return [
        {
            "id": f"p{i:02d}",
            "prompt": f'Tell me, "please";\tof [number] {i},\n    indented — 数 {i}.',
            "response": f"{opening}{i} is known,\nfor {i + 2} hundred years; it's \\{i}, {{{i}}}.",
            "model": model,
            "domain": "numbers",
            "finish": "length" if i % 5 == 0 else "stop",
        }
        for i in range(count)
    ]


def needs(name):
    if "Zstandard" in name:
        pytest.importorskip("zstandard", reason="needs the extra inspect")


def report_of(folder, specs):
    """The files of a run's report, but for what the two files are called."""
    config = DiffConfig("recorded:a", "recorded:b", train=16, heldout=8)
    models = [RecordedModel.open(spec) for spec in specs]
    for model, name in zip(models, ("lab/plain", "lab/praises"), strict=True):
        assert model.id == name or model.id.startswith("recorded:")
        model.id = name
    folder.mkdir()
    report = run(config, store=Store(folder / "kept.sqlite"), models=tuple(models))
    assert any(finding.confirmed for finding in report.findings)
    save_report(replace(report, notes=()), folder / "report")
    return {path.name: path.read_bytes() for path in sorted((folder / "report").iterdir())}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Reports of the same rows in our own shape, by the columns that a shape keeps."""
    made = {}

    def report(keeps):
        if keeps not in made:
            folder = tmp_path_factory.mktemp("own")
            sides = [
                lines(folder / f"{name}.jsonl", only(each, "prompt", "response", *keeps))
                for name, each in (("a", rows()), ("b", rows("lab/praises", "Great question! ")))
            ]
            made[keeps] = report_of(folder / "out", sides)
        return made[keeps]

    return report


@pytest.mark.parametrize("name", fewer(SHAPES, list(SHAPES)[::5]))
def test_every_shape_gives_the_report_of_our_own(tmp_path, own, name):
    needs(name)
    specs = []
    for side, each in (("a", rows()), ("b", rows("lab/praises", "Great question! "))):
        (tmp_path / side).mkdir()
        specs.append(SHAPES[name].write(tmp_path / side, each))
    made, expected = report_of(tmp_path / "out", specs), own(SHAPES[name].keeps)
    assert made.keys() == expected.keys()
    assert [file for file in made if made[file] != expected[file]] == []


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_named_and_keeps_what_it_holds(tmp_path, caplog, name):
    needs(name)
    caplog.set_level(logging.INFO, "diffing")
    given = rows(count=10)
    model = RecordedModel.open(source := SHAPES[name].write(tmp_path, given))
    assert [record.getMessage() for record in caplog.records] == [f"{source}: read as {SHAPES[name].read_as}"]
    keeps = SHAPES[name].keeps
    assert model.prompts() == [
        (
            row["id"] if "id" in keeps else None,
            (Message("user", row["prompt"]),),
            "numbers" if "domain" in keeps else None,
        )
        for row in given
    ]
    made = model.generate([(Message("user", row["prompt"]),) for row in given], Sampling())
    assert made == [Completion(row["response"], row["finish"] if "finish" in keeps else "stop") for row in given]
    assert model.id == "lab/plain" if "model" in keeps else model.id.startswith("recorded:")


def test_every_shape_of_the_table_is_written_by_a_test():
    assert {shape.name for shape in TABLE} == {written.read_as for written in SHAPES.values()}


@pytest.mark.parametrize("result", [[1], "broken", 7, None])
def test_a_result_of_helm_that_is_no_object_is_a_failed_answer(result):
    (answer,) = HELM.read({"request_states": [{"request": {"prompt": "Hello?"}, "result": result}]}, {})
    assert answer.completion.finish == "error"
