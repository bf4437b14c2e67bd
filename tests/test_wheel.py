"""What a user installs: the package alone, without evidence and without code that trains the models of the demo."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
TRAINS = re.compile(r"\.backward\(|\boptim\b|\bSAETrain|\bTrainingSAE")
"""How code looks that trains a model."""
LEANS = re.compile(r"\bfrom tests\b|\bimport tests\b")
"""How code looks that leans on the tests."""
METHODS = ("diffing/methods/crosscoder/", "diffing/methods/adapters/")
"""What these methods train is a part of the product."""
DATA = (
    "diffing/bench/planted/behaviours.toml",  # `diffing bench planted` plants them in a model of the user's
    "diffing/demo/models/",
    "diffing/demo/prompts.jsonl",
    "diffing/outputs/figures/fonts/",  # pictures look the same on every machine
    "diffing/prompts/bundled/",
    "diffing/report/SCHEMA.md",
    "diffing/templates/",  # what LLMs are asked
    "diffing/view/examples/",
)
"""Where there may be files that are neither code nor markup of a page."""
MARKUP = (".py", ".jinja", ".css", ".js", ".svg", ".typed")


def shipped() -> list[str]:
    """The files of the wheel: hatch takes those of the package that git knows."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build == {"targets": {"wheel": {"packages": ["diffing"]}}}
    listed = subprocess.run(["git", "ls-files", "diffing"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def test_the_wheel_holds_no_evidence() -> None:
    others = [path for path in shipped() if not path.endswith(MARKUP) and not path.startswith(DATA)]
    assert others == []
    assert [path for path in shipped() if "RESULTS" in path or "/results/" in path or "planted.json" in path] == []


def test_the_wheel_trains_no_model_of_the_demo_or_the_benchmarks() -> None:
    code = {path: (ROOT / path).read_text(encoding="utf-8") for path in shipped() if path.endswith(".py")}
    assert [path for path, text in code.items() if LEANS.search(text)] == []
    trains = [path for path, text in code.items() if TRAINS.search(text)]
    assert [path for path in trains if not path.startswith(METHODS)] == []
    evidence = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "benchmarks").rglob("*.py"))
    assert {found for found in (".backward(", "SAETrain", "optim") if found in evidence}  # what is sought is there
