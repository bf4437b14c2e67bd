"""A method, a backend and an output are added by a folder and one line each: nothing else has to change."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from diffing import registry
from diffing.methods.plan import method_plans
from tests.cli import recordings

METHOD = '''
from dataclasses import replace
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import StageEstimate
from diffing.methods.plan import MethodPlan
from diffing.settings import Setting, Settings
from diffing.types import Stage
from diffing.types import Discovery, Hypothesis, Judgement, Usage, Verdict

SPOT = Stage("spot", "Spotting", "pair of responses")


@validated(frozen=True)
class ToySettings(Settings):
    spotted: Annotated[str, Setting("The toy method", "Word to spot")] = "question"
    """The word that is looked for."""
    spots: Annotated[int, Setting("The toy method"), Field(ge=1, le=9)] = 3
    """Nothing that matters."""


class Toy:
    name = "toy"
    models = ()

    def __init__(self, word):
        self.word = word

    def find_hypotheses(self, pairs, on_progress):
        on_progress(SPOT, len(pairs), len(pairs))
        text = f"<MODEL> says the word {self.word}"
        found = Hypothesis(id="toy-1", text=text, direction="b", method="toy", category="style", train_effect=1.0)
        return Discovery((found,), tables={"words": ({"word": self.word},)}, usage=(Usage(SPOT, "toy", 0, 0, 0),))

    def measure(self, hypotheses, pairs):
        verdicts = {(False, True): Verdict.B, (True, False): Verdict.A}
        return [
            Judgement("toy-1", pair.prompt.id, verdicts.get(
                (self.word in pair.a.text, self.word in pair.b.text), Verdict.NEITHER
            ), "measured")
            for _ in hypotheses
            for pair in pairs
        ]


class ToyPlan(MethodPlan):
    name = "toy"
    title = "Toy"
    hint = "Spots one word."
    heading = "Spotted by the toy"
    settings = ToySettings
    stages = (SPOT,)

    def estimate(self, config, prompts, lengths):
        return [StageEstimate(SPOT, "toy", len(prompts), 0, 0, 0.0, 0.0)]

    def build(self, config, tools):
        return Toy(config.of(ToySettings).spotted)


TOY = ToyPlan()
'''
BACKEND = """
from diffing.models.scripted import ScriptedModel

OPENING = {"plain": "", "praises": "Great question! "}


def load(ref, options):
    opening = OPENING[ref.name]
    return ScriptedModel(ref.name, lambda conversation, sampling: opening + "As for " + conversation[-1].content)
"""
OUTPUT = """
from diffing.outputs.formats import DownloadFormat

COUNT = DownloadFormat("count", "Count", "Number of findings.", lambda report, _: str(len(report.findings)).encode())
"""
DRIVER = """
import json, sys
from dataclasses import replace
from pathlib import Path

from diffing import registry

registry.METHODS["toy"] = "toy.plan:TOY"
registry.BACKENDS["toy"] = "toy.backend:load"
registry.OUTPUTS["count"] = "toy.output:COUNT"

from diffing.cli.commands import app, main
from diffing.config import DiffConfig
from diffing.outputs.card import section
from diffing.outputs.dataset import dataset_files
from diffing.outputs.html import render
from diffing.report import load_report
from diffing.view.page_query import PageAddress
from diffing.view.progress import progress_html as progress
from diffing.view.runs import EarlyHypothesis, VisitorRules, RunState
from diffing.view.start import form_parsing as reading, start_html as made

folder, prompts = sys.argv[1:]
told = {}
models = ["toy:plain", "toy:praises", "--prompts", prompts, "--train", "40", "--heldout", "20"]
flags = ["--method", "toy", "--spotted", "Great"]
try:
    main(["run", *models, *flags, "--spots", "10"])
except SystemExit as ended:
    told["refused"] = ended.code
for command in (
    ["run", *models, *flags, "--out", f"{folder}/out", "--cache", f"{folder}/cache"],
    ["estimate", *models, *flags],
    ["export", f"{folder}/out", "--format", "count", "--out", f"{folder}/count"],
):
    try:
        app(args=command)
    except SystemExit as ended:
        assert ended.code == 0, command
report = load_report(f"{folder}/out")
told["ids"] = [report.model_a.id, report.model_b.id]
told["settings"] = dict(report.settings)
told["confirmed"] = [[f.hypothesis.method, f.hypothesis.text] for f in report.findings if f.confirmed]
told["usage"] = [usage.stage for usage in report.usage]
told["page"] = render(report)
ids = {model: replace(getattr(report, model), id=f"lab/{model}@" + 40 * "0") for model in ("model_a", "model_b")}
report = replace(report, **ids)  # what only lies here has no card
told["card"] = section(report, of="lab/model_b", dataset=None)
told["dataset"] = dataset_files(report, "me/diff")["README.md"].decode()
context = made.PageContext(VisitorRules(public=False), signed_in=False, can_sign_in=False)
told["form"] = made.form(PageAddress("start", ""), context)
config = reading.read_form({
    "model_a": "toy:plain", "model_b": "toy:praises", "method": ["toy"], "spotted": "owls"
}).config
told["read"] = [config.methods, config.model_a, config.spotted]
early = EarlyHypothesis("toy", "<MODEL> is", "b", "style")
run = progress.RunView("x", config, RunState("running", found=(early,)))
told["progress"] = progress.page(run)
print("\\n" + json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What each place says, once the three lines are there."""
    folder = tmp_path_factory.mktemp("toys")
    toy = folder / "toy"
    toy.mkdir()
    for name, text in (("__init__", ""), ("plan", METHOD), ("backend", BACKEND), ("output", OUTPUT)):
        (toy / f"{name}.py").write_text(text, encoding="utf-8")
    prompts = recordings.write(folder / "prompts.jsonl", [{"prompt": r["prompt"]} for r in recordings.rows("", "")])
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), str(prompts)],
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[1]}", "HF_HUB_OFFLINE": "1",
             "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    found: dict[str, object] = json.loads(lines[-1])
    return found | {"printed": "\n".join(lines[:-1]), "errors": done.stderr, "count": (folder / "count").read_text()}


def test_a_method_is_a_folder_and_one_line(told: dict[str, object]) -> None:
    assert told["refused"] == 2
    assert "diffing: --spots is 10: expected 1 to 9" in str(told["errors"])
    assert told["confirmed"] == [["toy", "<MODEL> says the word Great"]]
    assert told["settings"]["spotted"] == "Great"  # type: ignore[index]
    assert "spot" in told["usage"]  # type: ignore[operator]
    assert "Spotting" not in str(told["printed"])
    assert "spot " in str(told["printed"])  # the estimate, by the stage's name in the usage
    assert told["read"] == [["toy"], "toy:plain", "owls"]
    for place, words in {
        "form": 'name="method" value="toy"',
        "progress": "Spotted by the toy",
        "page": "says the word Great",
        "card": "says the word Great",
        "dataset": "says the word Great",
    }.items():
        assert words in str(told[place]), place
    assert 'name="spotted"' in str(told["form"])
    assert "The word that is looked for." in str(told["form"])
    assert "Toy: looking for differences" in str(told["progress"])


def test_a_backend_is_one_line(told: dict[str, object]) -> None:
    assert told["ids"] == ["scripted:plain", "scripted:praises"]


def test_an_output_is_one_line(told: dict[str, object]) -> None:
    assert told["count"] == "1"


def test_every_line_names_a_plan_of_that_name() -> None:
    assert [plan.name for plan in method_plans().values()] == list(registry.METHODS)
