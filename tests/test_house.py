"""The house is as its papers and pyproject say: light imports, the file tree, the requirements."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from functools import cache
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


def tree() -> list[str]:
    """The paths in the file tree for contributors."""
    block = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Files", 1)[1].split("```")[1]
    paths, folders = [], {}
    for line in block.strip().splitlines():
        name = line.split("  #")[0].split(" # ")[0].rstrip()
        depth = (len(name) - len(name.lstrip())) // 2
        folders[depth] = name.strip()
        paths.append("".join(folders[i] for i in range(depth + 1)))
    return paths


def test_readme_is_short_and_every_link_of_the_papers_leads_somewhere() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) < 250
    pictures = re.findall(r"!\[[^\]]{20,}\]\(([^)]+\.png)\)", readme)
    assert len(pictures) == 2
    assert readme.index(pictures[1]) < readme.index("## ")
    assert all((ROOT / each).stat().st_size < 200_000 for each in pictures)
    for paper in ("README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md", "tests/benchmarks/README.md"):
        text = (ROOT / paper).read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
        assert [link for link in links if not (ROOT / paper).parent.joinpath(link).exists()] == [], paper


def test_every_command_of_the_evidence_is_there() -> None:
    text = (ROOT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"python -m (tests[\w.]+\w)", text))
    assert len(named) > 8
    places = {name: ROOT / Path(*name.split(".")) for name in named}
    assert [name for name, at in places.items() if not (at.with_suffix(".py").exists() or at.is_dir())] == []


def test_the_file_tree_is_true() -> None:
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


_KINDS = "openai", "providers", "recorded", "scripted", "local"
_READS = "split", "rsplit", "partition", "rpartition", "startswith", "removeprefix", "find", "rfind", "index", "count"
_OTHER_STRINGS = {
    "diffing/annotate/annotator.py": "a dataset at a commit",
    "diffing/cli/card.py": "a dataset at a revision",
    "diffing/cli/reuse_and_jobs.py": "a dataset at a commit",
    "diffing/methods/sae/sae_files.py": "an SAE at a commit, or with the hash of its files",
    "diffing/outputs/card/text_diff.py": "added lines of a diff",
    "diffing/outputs/dataset/staleness.py": "an SAE, and prompts of a dataset at a commit",
    "diffing/prompts/hub.py": "a dataset at a commit",
    "diffing/view/published_diffs.py": "a dataset at a commit",
    "diffing/view/csrf.py": "the host of a URL",
    "diffing/view/share/share_handlers.py": "a dataset at a revision",
}
"""Modules that read or print such a sign in other strings, and in which."""


def _means_a_model(text: object) -> bool:
    """Whether a literal is a sign or a prefix of model strings."""
    return text in ("@", "+", "#") or text in [f"{kind}:" for kind in _KINDS]


def _reads_a_model(node: ast.AST) -> bool:
    """Whether a call splits a text at such a sign, or looks for such a prefix."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=sought), *_]) if name in _READS:
            return _means_a_model(sought)
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.JoinedStr(values=parts), *_]) if name in _READS:
            return any("ModelPlace" in ast.unparse(each) for each in parts)
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.Tuple(elts=several), *_]) if name in _READS:
            return any(isinstance(each, ast.Constant) and _means_a_model(each.value) for each in several)
    return False


def _seeks_a_model(node: ast.AST) -> bool:
    """Whether a pattern begins with a prefix of model strings."""
    match node:
        case ast.Call(func=ast.Attribute(attr="compile"), args=[ast.Constant(value=str(pattern)), *_]):
            return bool(re.match(rf"[\^(?:]*({'|'.join(_KINDS)})[|:)]", pattern))
    return False


def _glues_a_model(node: ast.AST) -> bool:
    """Whether an f-string is a prefix and names, two names with such a sign between, or adds how a model is loaded."""
    if not isinstance(node, ast.JoinedStr):
        return False
    texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
    if any(re.fullmatch(r"#\w+=", str(text)) for text in texts):
        return True
    glue = [text for text in texts if _means_a_model(text)]
    return bool(glue) and all(len(str(text)) == 1 or _means_a_model(text) for text in texts)


def test_only_one_module_reads_and_prints_model_strings() -> None:
    found = []
    for path in sorted((ROOT / "diffing").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith("diffing/model_ref/"):
            nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            found += [
                f"{name}:{node.lineno}"
                for node in nodes
                if any(test(node) for test in (_reads_a_model, _seeks_a_model, _glues_a_model))
            ]
    assert [each for each in found if each.split(":")[0] not in _OTHER_STRINGS] == []
    assert {each.split(":")[0] for each in found} == set(_OTHER_STRINGS)


@cache
def definitions() -> list[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every class and function of the package, with the file and line where it begins."""
    found = []
    for path in sorted((ROOT / "diffing").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.append((f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node))
    return found


def test_no_two_classes_share_a_name() -> None:
    """Whoever reads or hears a class's name knows which one is meant, without its module."""
    places: dict[str, list[str]] = {}
    for place, node in definitions():
        if isinstance(node, ast.ClassDef):
            places.setdefault(node.name.lstrip("_"), []).append(place)
    assert len(places) > 500
    assert {name: several for name, several in places.items() if len(several) > 1} == {}


def test_files_and_functions_are_short() -> None:
    """Files have fewer than 300 lines, functions at most 50; half of the functions have fewer than 10."""
    files = [path.relative_to(ROOT) for path in (ROOT / "diffing").rglob("*.py")]
    assert [str(path) for path in files if len((ROOT / path).read_text(encoding="utf-8").splitlines()) >= 300] == []
    lengths = {
        f"{place} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for place, node in definitions()
        if not isinstance(node, ast.ClassDef)
    }
    assert {name: lines for name, lines in lengths.items() if lines > 50} == {}
    assert statistics.median(lengths.values()) < 10
