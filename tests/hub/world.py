"""Everything that the Hub remembers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.hub.accounts import Accounts, object_id
from tests.hub.cards import GIT_ATTRIBUTES, is_large
from tests.hub.collection import Collection
from tests.hub.faults import Faults, Limits, Request
from tests.hub.jobs import Jobs
from tests.hub.store import MAIN, Blobs, Kind, Repository, Signature
from tests.hub.talk import Discussion
from tests.hub.webhooks import Courier, Webhook, envelope

START = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    def __init__(self) -> None:
        self.endpoint = ""
        self.accounts = Accounts()
        self.repos: dict[tuple[Kind, str], Repository] = {}
        self.blobs = Blobs()
        self.webhooks: list[Webhook] = []
        self.courier = Courier()
        self.collections: list[Collection] = []
        self.jobs = Jobs()
        self.faults = Faults()
        self.limits = Limits()
        self.requests: list[Request] = []
        self.crashes: list[Exception] = []
        """What no handler expected: mistakes of this Hub, or bodies that no stock client sends."""
        self._ticks = 0

    def now(self) -> str:
        """A clock that moves one second each time it is looked at, so that the same requests give the same answers."""
        self._ticks += 1
        return (START + timedelta(seconds=self._ticks)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def create_repo(self, kind: Kind, repo_id: str, *, author: str, private: bool = False) -> Repository:
        """With the first commit that the Hub makes itself."""
        repo = Repository(repo_id, kind, self.blobs, self.now(), private)
        first = {".gitattributes": self.blobs.add(GIT_ATTRIBUTES)}
        repo.commit(MAIN, first, Signature(author, self.now(), "initial commit"))
        self.repos[kind, repo_id] = repo
        self.announce(repo, "create", "repo")
        return repo

    def push_folder(self, repo_id: str, folder: Path, kind: Kind = "model") -> str:
        """Creates the repository where needed and commits the files of a folder; gives the commit."""
        author = repo_id.split("/")[0]
        repo = self.repos.get((kind, repo_id)) or self.create_repo(kind, repo_id, author=author)
        tree = dict(repo.tree())
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            content, path = file.read_bytes(), file.relative_to(folder).as_posix()
            add = self.blobs.add_large if is_large(path, len(content), GIT_ATTRIBUTES) else self.blobs.add
            tree[path] = add(content)
        before = repo.head
        commit = repo.commit(MAIN, tree, Signature(author, self.now(), "Upload folder"))
        self.announce_push(repo, MAIN, before)
        return commit.sha

    def url_of(self, repo: Repository) -> str:
        prefix = "" if repo.kind == "model" else f"{repo.kind}s/"
        return f"{self.endpoint}/{prefix}{repo.id}"

    def announce_push(self, repo: Repository, ref: str, before: str | None) -> None:
        moved = {"ref": ref, "oldSha": before, "newSha": repo.refs.get(ref)}
        self.announce(repo, "update", "repo.content", updatedRefs=[moved])

    def announce(
        self, repo: Repository, action: str, scope: str, discussion: Discussion | None = None, **more: Any
    ) -> None:
        """Sends an event to every webhook that watches the repository."""
        for webhook in self.webhooks:
            if webhook.wants(repo, scope):
                about = {"event": {"action": action, "scope": scope}, **envelope(self.endpoint, repo, discussion)}
                self.courier.send(webhook, {**about, **more, "webhook": {"id": webhook.id, "version": 3}})

    def new_id(self, *parts: object) -> str:
        return object_id(self._ticks, self.now(), *parts)
