"""The folder of the Space is what a Space needs: header, requirements, a short app, no package named like PyPI's."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub.repocard import REGEX_YAML_BLOCK

ROOT = Path(__file__).parents[2]
SPACE = ROOT / "spaces" / "annotator"


def header_of(folder: Path) -> dict[str, Any]:
    found = REGEX_YAML_BLOCK.search((folder / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    return yaml.safe_load(found.group(2))


def test_header() -> None:
    header, whole = header_of(SPACE), header_of(ROOT)
    assert (header["sdk"], header["python_version"], header["app_file"]) == ("gradio", "3.12.12", "app.py")
    assert header["sdk_version"] == whole["sdk_version"], "one Gradio for all Spaces"
    assert header["license"] == "apache-2.0"
    assert len(header["short_description"]) <= 60
    assert (SPACE / header["app_file"]).exists()


def test_requirements_are_those_of_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def expand(line: str) -> set[str]:
        named = re.fullmatch(r"diffing\[(.+)\]", line)
        if named is None:
            return {line}
        return {each for name in named[1].split(",") for inner in extras[name] for each in expand(inner)}

    lines = (SPACE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    needed = expand("diffing[local,llm,sae,annotate]")
    assert {line for line in lines if not line.startswith("#")} == set(project["dependencies"]) | needed


def test_it_shadows_nothing_and_is_short() -> None:
    assert not list((ROOT / "spaces").glob("**/__init__.py"))
    assert len((SPACE / "app.py").read_text(encoding="utf-8").splitlines()) <= 10
