"""The house is as README and pyproject say: light imports, the file tree, the requirements."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "torch",
    "transformers",
    "gradio",
    "sklearn",
    "scipy",
    "datasets",
    "pandas",
    "umap",
    "resvg_py",
    "model2vec",
    "peft",
)


@pytest.mark.parametrize("code", ["import diffing", "import diffing.cli; diffing.cli.main(['--help'])"])
def test_nothing_heavy_is_imported(code: str) -> None:
    script = f"import sys, contextlib\nwith contextlib.suppress(SystemExit):\n    {code}\n"
    script += "print(sorted(sys.modules), file=sys.stderr)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'(\w+)'", result.stderr))
    assert "diffing" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_public_names_exist() -> None:
    import diffing

    for name in diffing.__all__:
        assert getattr(diffing, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = diffing.nothing


def tree() -> list[str]:
    """The paths in README's file tree."""
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("## Files", 1)[1].split("```")[1]
    paths, folders = [], {}
    for line in block.strip().splitlines():
        name = line.split("  #")[0].split(" # ")[0].rstrip()
        depth = (len(name) - len(name.lstrip())) // 2
        folders[depth] = name.strip()
        paths.append("".join(folders[i] for i in range(depth + 1)))
    return paths


def test_file_tree_of_readme_is_true() -> None:
    listed = tree()
    missing = [path for path in listed if not (ROOT / path).exists()]
    assert missing == []
    tracked = subprocess.run(["git", "ls-files", "diffing"], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = {path for path in tracked.stdout.split() if path.endswith(".py")}
    open_folders = {
        path for path in listed if path.endswith("/") and any(p != path and p.startswith(path) for p in listed)
    }
    expected = {path for path in modules if f"{path.rsplit('/', 1)[0]}/" in open_folders}
    unlisted = sorted(path for path in expected if path not in listed and not path.endswith("__init__.py"))
    assert unlisted == []


def test_requirements_are_those_of_pyproject() -> None:
    """A Space installs requirements.txt: the base, and all that the extra `all` stands for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def expand(lines: list[str]) -> set[str]:
        found: set[str] = set()
        for line in lines:
            named = re.fullmatch(r"diffing\[(.+)\]", line)
            found |= set().union(*(expand(extras[name]) for name in named[1].split(","))) if named else {line}
        return found

    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").split("\n")
    assert {line for line in lines if line and not line.startswith("#")} == expand(project["dependencies"]) | expand(
        extras["all"]
    )


def test_every_dependency_is_bounded_and_has_its_reason() -> None:
    """Above: by the next major version, below 1.0 where there is none yet. Other parts of ours need neither."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    part = text.split("\ndependencies = [")[1].split("[project.scripts]")[0]
    lines = [line.strip() for line in part.splitlines() if line.strip().startswith('"')]
    named = [line for line in lines if not line.startswith('"diffing[')]
    assert len(named) > 30
    assert [line for line in named if not re.fullmatch(r'"[\w\[\],-]+>=[\w.]+,<[\d.]+",  # .+', line)] == []


def test_the_lowest_versions_are_those_that_pyproject_names() -> None:
    found = subprocess.run([sys.executable, ROOT / ".ci" / "lowest.py"], capture_output=True, text=True, check=True)
    named = {line for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"}
    lowest = {re.sub(r"==(.*)", r">=\1", line) for line in found.stdout.splitlines()}
    assert lowest == {line.split(",<")[0] for line in named if not line.startswith("torch>")}
