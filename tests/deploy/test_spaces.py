"""Each Space folder builds from its own requirements in a fresh environment, and starts as the Hub would start it.

Run with `pytest -m deploy tests/deploy`: takes minutes, and what pip fetches. The Hub cannot be reached from these
Spaces (a closed port stands for it): their pages must come up without. The Python is this one, not the Hub's 3.12.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from diffing.annotate.app import ROUTE
from tests.deploy.space import build, environment, started, upload
from tests.hub.login import Login

pytestmark = pytest.mark.deploy

NO_HUB = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_TELEMETRY": "1", "GRADIO_ANALYTICS_ENABLED": "False"}


TITLE = '"title":"diffing"'


def is_installed(python: Path, package: str) -> bool:
    return subprocess.run([str(python), "-m", "pip", "show", "-q", package], check=False).returncode == 0


class Environments:
    """Fresh environments, one for all Spaces with the very same requirements."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.built: dict[str, Path] = {}

    def python_of(self, space: Path) -> Path:
        """The Python of a Space's environment; the package is a folder in the Space, not installed."""
        lines = (space / "requirements.txt").read_text(encoding="utf-8").splitlines()
        key = "\n".join(line for line in lines if not line.startswith("#"))
        if key not in self.built:
            self.built[key] = build(space, self.folder / str(len(self.built)))
            assert not is_installed(self.built[key], "diffing")
        return self.built[key]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    folder = tmp_path_factory.mktemp("environments")
    yield Environments(folder)
    shutil.rmtree(folder)  # gigabytes


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, environments: Environments) -> tuple[Path, Path]:
    """The repository itself as a Space, and the Python of its environment."""
    space = tmp_path_factory.mktemp("repository")
    upload(".", space)
    return space, environments.python_of(space)


def test_the_repository_starts_as_a_space_with_sign_in(repository: tuple[Path, Path], tmp_path: Path) -> None:
    space, python = repository
    with Login({"alice": "hf_token_of_the_tests"}) as login, (tmp_path / "log").open("w") as log:
        variables = {
            **environment(tmp_path),
            **NO_HUB,
            **login.environment(),
            "DIFFING_SITE": str(tmp_path / "site"),
        }
        with started([str(python), "app.py"], space, variables, log) as url:
            page = httpx2.get(url, timeout=30.0)
            assert page.status_code == 200
            assert TITLE in page.text
            to_hub = httpx2.get(f"{url}/login/huggingface", timeout=30.0, follow_redirects=False)
            assert to_hub.status_code in (302, 307), "the button leads to the Hub"
            assert httpx2.get(f"{url}/gradio_api/info", timeout=30.0).status_code == 200
    assert (tmp_path / "site").is_dir()


def test_the_repository_starts_on_a_machine_of_ones_own(repository: tuple[Path, Path], tmp_path: Path) -> None:
    space, python = repository
    with (
        (tmp_path / "log").open("w") as log,
        started([str(python), "app.py"], space, {**environment(tmp_path), **NO_HUB}, log) as url,
    ):
        page = httpx2.get(url, timeout=30.0)
    assert page.status_code == 200
    assert TITLE in page.text


def test_the_annotator_starts_and_lets_nobody_in_without_its_secret(environments: Environments, tmp_path: Path) -> None:
    """Its requirements name no `diffing`: README has the package's folder uploaded beside the app, and so does this."""
    space = tmp_path / "space"
    upload("spaces/annotator", space)
    upload("diffing", space, into="diffing")
    python = environments.python_of(space)
    variables = {
        **environment(tmp_path),
        **NO_HUB,
        "SYSTEM": "spaces",
        "SPACE_ID": "alice/annotator",
        "HF_TOKEN": "hf_token_of_the_tests",
        "ANNOTATOR_SECRET": "sixteen characters and more",
        "ANNOTATOR_SETTINGS": '{"watch": ["alice/tuned"]}',
    }
    with (tmp_path / "log").open("w") as log, started([str(python), "app.py"], space, variables, log) as url:
        page = httpx2.get(url, timeout=30.0)
        assert page.status_code == 200
        assert '"title":"diffing annotator"' in page.text
        assert httpx2.post(f"{url}{ROUTE}", json={}, timeout=30.0).status_code == 401
