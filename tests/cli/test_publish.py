"""Two people at a Hub on loopback: models pushed, compared, published, found again, computed by a job; no token shown.

One Hub and one run for all of it.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import huggingface_hub.constants
import pytest
from huggingface_hub import CommitOperationAdd

from diffing.demo.config import FOLDER
from diffing.hub import hub_api
from diffing.report import load_report, save_report
from tests.cli.test_wrong_input import assert_one_line
from tests.hub import Job, LocalHub
from tests.starter import Starter

SETTINGS = ("--dtype", "float32", "--train", "24", "--heldout", "24", "--max-new-tokens", "24", "--temperature", "0.8")
RUN = ("run", "alice/base", "bob/tuned", *SETTINGS)
CONFIGS = ("findings", "responses", "judgements", "prompts")
LOAD = """
import json, sys
from datasets import load_dataset
default = load_dataset("alice/diff")
loaded = {name: load_dataset("alice/diff", name) for name in sys.argv[1].split()}
assert default["findings"][:] == loaded["findings"]["findings"][:]
print(json.dumps({name: {split: rows[:] for split, rows in splits.items()} for name, splits in loaded.items()}))
"""


@dataclass
class Two:
    """Alice and Bob, with a machine."""

    hub: LocalHub
    starter: Starter
    folder: Path
    tokens: dict[str, str]
    said: list[str] = field(default_factory=list)
    """All that was printed."""

    def env(self, user: str | None) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "OPENAI_", "DIFFING_"))}
        own = {"HF_TOKEN": self.tokens[user]} if user else {}
        return clean | own | {
            "HF_ENDPOINT": self.hub.endpoint, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HOME": str(self.folder / "hf"), "DIFFING_CACHE": str(self.folder / "cache"), "COLUMNS": "160",
        }  # fmt: skip

    def run(self, *args: object, user: str | None = "alice") -> subprocess.CompletedProcess[str]:
        result = self.starter.run([str(arg) for arg in args], self.env(user))
        self.said += [result.stdout, result.stderr]
        return result

    def commits(self, name: str = "alice/diff") -> int:
        return len(self.hub.repo(name, "dataset").commits("main"))


@pytest.fixture(scope="module")
def two(starter: Starter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with LocalHub() as hub, pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
        folder = tmp_path_factory.mktemp("two")
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder / "here"))
        patch.setenv("HF_ENDPOINT", hub.endpoint)
        made = Two(hub, starter, folder, {name: hub.add_user(name) for name in ("alice", "bob")})
        for user, name in (("alice", "base"), ("bob", "tuned")):
            push_model(hub_api(made.tokens[user]), f"{user}/{name}", FOLDER / "models" / name)
        result = made.run(*RUN, "--out", folder / "out", "--reuse", "--push", "alice/diff")
        assert result.returncode == 0, result.stderr
        assert "no published diff of these models, commits and settings: computing it" in result.stderr
        yield made


@pytest.fixture
def by_job(two: Two) -> Iterator[str]:
    """The name of a second dataset of the same diff; other tests find one alone."""
    yield "alice/by-job"
    assert_no_token(two)  # while it is there
    hub_api(two.tokens["alice"]).delete_repo("alice/by-job", repo_type="dataset")


@pytest.fixture(autouse=True)
def no_token_is_written(two: Two) -> Iterator[None]:
    """After each test, failures included, no token is in any file, in what was printed, or at the Hub."""
    yield
    assert_no_token(two)


def assert_no_token(two: Two) -> dict[str, bytes]:
    """Looks for every token in files, what was printed, and what the Hub holds and was asked, and returns all that."""
    texts = {str(path): path.read_bytes() for path in two.folder.rglob("*") if path.is_file()}
    for repository in two.hub.repositories:
        texts |= {f"{repository.id}/{path}": content for path, content in repository.files("main").items()}
        texts[f"{repository.id} log"] = repr(repository.commits("main")).encode()
    texts["printed"] = "\n".join(two.said).encode()
    texts["asked"] = "\n".join(f"{each.path}?{each.query}" for each in two.hub.requests).encode()
    texts["jobs"] = "\n".join(json.dumps([job.as_json(), job.lines]) for job in two.hub.jobs).encode()
    for token in two.tokens.values():
        assert [name for name, text in texts.items() if token.encode() in text] == []
    return texts


def push_model(api: object, name: str, folder: Path) -> None:
    api.create_repo(name)  # type: ignore[attr-defined]
    files = [CommitOperationAdd(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]
    api.create_commit(name, files, commit_message="The model")  # type: ignore[attr-defined]


def test_every_configuration_loads_with_datasets(two: Two) -> None:
    done = two.run("-c", LOAD, " ".join(CONFIGS), user=None)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    report = load_report(two.folder / "out")
    assert loaded["findings"]["findings"]["id"] == [finding.hypothesis.id for finding in report.findings]
    for split in ("train", "heldout"):
        pairs = [pair for pair in report.pairs if pair.prompt.split == split]
        assert loaded["prompts"][split]["id"] == [pair.prompt.id for pair in pairs]
        assert loaded["responses"][split]["text"] == [each.text for pair in pairs for each in (pair.a, pair.b)]
        assert loaded["judgements"][split]["prompt_id"]


def test_the_published_report_is_the_local_one(two: Two) -> None:
    report = load_report(two.folder / "out")
    assert load_report("alice/diff", False) == report
    assert report.model_a.id == f"alice/base@{two.hub.repo('alice/base', 'model').commits('main')[0].sha}"
    shown = [two.run("show", source, "--json").stdout for source in ("alice/diff", two.folder / "out")]
    assert shown[0] == shown[1]
    assert json.loads(shown[0])["model_b"].startswith("bob/tuned@")


def test_the_same_run_again_makes_no_commit(two: Two) -> None:
    before = two.commits()
    result = two.run(*RUN, "--out", two.folder / "out", "--push", "alice/diff")
    assert result.returncode == 0, result.stderr
    assert "Already published, nothing has changed" in result.stderr
    assert two.run("push", two.folder / "out", "alice/diff", "--collection").returncode == 0
    assert two.commits() == before
    assert len(two.hub.collections) == 2


def test_a_published_diff_is_downloaded_instead_of_computed(two: Two, tmp_path: Path) -> None:
    asked = len(two.hub.requests)
    result = two.run(*RUN, "--out", tmp_path / "copy", "--reuse", user="bob")
    assert result.returncode == 0, result.stderr
    assert "reused alice/diff at commit" in result.stderr
    assert load_report(tmp_path / "copy") == load_report(two.folder / "out")
    assert not any("safetensors" in each.path and each.method == "GET" for each in two.hub.requests[asked:])


def test_published_diffs_are_listed(two: Two) -> None:
    rows = json.loads(two.run("list", "--model", "bob/tuned", "--json", user=None).stdout)
    assert [row["dataset"] for row in rows] == ["alice/diff"]
    assert "alice/diff" in two.run("list", user=None).stdout
    assert json.loads(two.run("list", "--model", "bob/none", "--json").stdout) == []


def machine(two: Two) -> Callable[[Job], None]:
    """Does what the job's machine would: the same command, in a process with the job's environment."""

    def run(job: Job) -> None:
        job.log("\x1b[31minstalling")
        words = job.command[job.command.index("diffing") + 1 :]
        words[words.index("--out") + 1] = str(two.folder / "job")
        done = two.starter.run(words, two.env(None) | job.environment)
        two.said += [done.stdout, done.stderr]
        for line in done.stderr.splitlines():
            job.log(line)
        assert done.returncode == 0

    return run


def test_a_job_computes_it_and_the_report_comes_back(two: Two, by_job: str, tmp_path: Path) -> None:
    two.hub.jobs.runner = machine(two)
    where = ("--on", "jobs", "--flavor", "a100-large", "--push", by_job, "--package", "diffing[local]")
    done = two.run(*RUN, *where, "--out", tmp_path / "back")
    assert done.returncode == 0, done.stderr
    job = two.hub.jobs[-1]
    assert job.command[:6] == ["uv", "run", "--python", "3.12", "--with", "diffing[local]"]
    assert (job.spec["flavor"], job.spec["timeoutSeconds"]) == ("a100-large", 6 * 3600)
    assert job.spec["secrets"] == {"HF_TOKEN": two.tokens["alice"]}
    assert two.tokens["alice"] not in json.dumps({**job.spec, "secrets": None})
    assert "Published: " in done.stderr  # a line of the job's
    assert "\x1b" not in done.stderr
    assert load_report(tmp_path / "back") == load_report(two.folder / "out")
    assert two.commits(by_job) == two.commits("alice/diff")


def test_a_job_that_fails_is_one_line_with_its_address(two: Two, tmp_path: Path) -> None:
    def fails(job: Job) -> None:
        job.log("out of memory")
        raise RuntimeError("exit status 1")

    two.hub.jobs.runner = fails
    result = two.run(*RUN, "--on", "jobs", "--push", "alice/failed", "--out", tmp_path / "back")
    assert result.returncode == 2
    *printed, last = result.stderr.strip().splitlines()
    assert last.startswith("diffing: The job ended as ERROR: see its logs at ")
    assert two.hub.jobs[-1].id in last
    assert "out of memory" in printed
    assert not (tmp_path / "back" / "report.json").exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--on", "jobs"), ("--on jobs needs --push",)),
        (("--on", "moon", "--push", "alice/x"), ("--on moon", "expected jobs")),
        (("--flavor", "a100-large"), ("--flavor", "--on jobs")),
        (("--private",), ("--private", "--push")),
        (("--push", "bob/x"), ("'bob/x'", "one of your names", "alice/diff")),
        (("--push", "x"), ("'x'", "alice/diff")),
        (("--on", "jobs", "--push", "alice/x", "--prompts", str(FOLDER / "prompts.jsonl")), ("--prompts", "file")),
    ],
)
def test_options_that_cannot_be(two: Two, tmp_path: Path, args: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_one_line(two.run(*RUN, *args, "--out", tmp_path / "out"), *words)


def test_publishing_needs_an_account(two: Two, tmp_path: Path) -> None:
    asked = len(two.hub.requests)
    assert_one_line(two.run(*RUN, "--push", "alice/x", "--out", tmp_path / "o", user=None), "hf auth login", "HF_TOKEN")
    assert len(two.hub.requests) == asked  # before anything was computed


def test_a_dry_run_sends_nothing(two: Two) -> None:
    asked = len(two.hub.requests)
    result = two.run("push", two.folder / "out", "alice/new", "--dry-run")
    assert result.returncode == 0
    assert "model-diff:bob/tuned" in result.stdout
    assert "findings/findings.parquet" in result.stderr
    assert len(two.hub.requests) == asked


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500, "path": "whoami"}, ("500",)),
        ({"status": 403, "path": "/commit/"}, ("403", "write access")),
        ({"status": 413, "path": "/commit/"}, ("413",)),
        ({"status": 400, "path": "/preupload/"}, ("400",)),
        ({"status": 500, "path": "/api/datasets/alice/diff", "body": ["?"]}, ("alice/diff",)),
    ],
)
def test_failures_of_a_push_are_one_line(two: Two, fault: Mapping[str, object], words: tuple[str, ...]) -> None:
    report = load_report(two.folder / "out")
    save_report(replace(report, notes=("Another run.",)), two.folder / "other-run")
    two.hub.faults.add(times=20, **fault)
    try:
        if fault["path"] == "whoami":
            result = two.run(*RUN, "--push", "alice/diff", "--out", two.folder / "out")
        else:
            result = two.run("push", two.folder / "other-run", "alice/diff")
        assert_one_line(result, *words)
    finally:
        two.hub.faults.clear()


def test_a_wrong_token_is_one_line_too(two: Two, tmp_path: Path) -> None:
    two.tokens["wrong"] = "hf_" + "w" * 34
    for command in (("push", two.folder / "out", "alice/diff"), (*RUN, "--push", "alice/x", "--out", tmp_path / "o")):
        assert_one_line(two.run(*command, user="wrong"), "token", "401")


def test_no_token_was_written_anywhere(two: Two) -> None:
    """By the models' uploads and the run; the other tests look for theirs in the same places."""
    texts = assert_no_token(two)
    assert any("completions.sqlite" in name for name in texts)
    assert {"alice/diff log", "bob/tuned log", "alice/diff/findings/findings.parquet"} <= texts.keys()
    assert b"computing it" in texts["printed"]
    assert b"/api/datasets/alice/diff" in texts["asked"]
