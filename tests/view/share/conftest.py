"""A result of two models on a local Hub."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from diffing.config import DiffConfig, Limits
from diffing.report import save_report
from diffing.types import ModelInfo, Report
from diffing.view.runs import OWN_MACHINE, PUBLIC
from diffing.view.runs.run_store import RunStore, digest
from diffing.view.share.served_downloads import ServedDownloads
from diffing.view.share.share_handlers import Reply, ShareHandlers
from diffing.view.site import Site, SiteSettings
from diffing.view.visitor import Visitor
from tests.hub import LocalHub
from tests.hub.fixtures import hub
from tests.outputs.samples import medium_report

__all__ = ["hub"]

CARD = b"---\nlicense: mit  # ours\n---\n# Tuned\r\n\r\nA model.\r\n"
MODEL, OTHER, RUN = "bob/tuned", "carol/base", "kept"


@cache
def report() -> Report:
    """About bob's model and carol's."""
    some = medium_report(train=40, heldout=60)
    a, b = ModelInfo(f"{OTHER}@{'a' * 40}", "model_a"), ModelInfo(f"{MODEL}@{'b' * 40}", "model_b")
    return replace(some, model_a=a, model_b=b, settings={**some.settings, "model_a": OTHER, "model_b": MODEL})


def keep(folder: Path, of: Report, run_id: str = RUN) -> None:
    """A finished run, as a desk on this folder finds it."""
    folder.mkdir(exist_ok=True)
    records = RunStore(folder / "runs.sqlite")
    records.add(run_id, digest("somebody"), DiffConfig(model_a=OTHER, model_b=MODEL), Limits())
    records.move(run_id, "done")
    records.close()
    save_report(of, folder / "runs" / run_id / "report")


@dataclass
class World:
    """Bob's model on a Hub, Alice, who has no rights on it, and a site with a result about it."""

    hub: LocalHub
    tokens: dict[str, str]
    folder: Path

    @contextmanager
    def site(self, *, public: bool = True) -> Iterator[Site]:
        site = Site(SiteSettings(self.folder, rules=PUBLIC if public else OWN_MACHINE, workers=1, sign_in=public))
        try:
            yield site
        finally:
            site.close()

    def actor(self, name: str | None, scopes: str = "contribute-repos write-repos write-discussions") -> Visitor:
        """Somebody who signed in at the page of a Space."""
        return Visitor(self.tokens.get(name or ""), PUBLIC, can_sign_in=True, scopes=frozenset(scopes.split()))

    def ask(self, site: Site, about: str, who: str | None = "alice", **more: str) -> Reply:
        asked = {"key": site.key_of_run(RUN), "about": about, **more}
        return ShareHandlers(site, ServedDownloads(self.folder / "files")).answer(asked, self.actor(who))

    def readme(self, revision: str = "main", of: str = MODEL) -> bytes:
        return self.hub.repo(of).files(revision)["README.md"]

    def write(self, readme: bytes) -> None:
        api = HfApi(endpoint=self.hub.endpoint, token=self.tokens["bob"])
        api.create_commit(MODEL, [CommitOperationAdd("README.md", readme)], commit_message="By hand")

    def asked_by(self) -> set[str | None]:
        """Whoever the Hub was asked by since this was last called."""
        found = {request.user for request in self.hub.requests}
        self.hub.requests.clear()
        return found


@pytest.fixture
def world(hub: LocalHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    world = World(hub, {name: hub.add_user(name) for name in ("bob", "carol", "alice")}, tmp_path / "site")
    for name, repo_id in (("bob", MODEL), ("carol", OTHER)):
        api = HfApi(endpoint=hub.endpoint, token=world.tokens[name])
        api.create_repo(repo_id)
        api.create_commit(repo_id, [CommitOperationAdd("README.md", CARD)], commit_message="Model")
    keep(world.folder, report())
    hub.requests.clear()
    return world
