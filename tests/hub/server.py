"""`LocalHub`: the Hub on loopback, and what a test may do with it beside the stock clients."""

from pathlib import Path
from typing import Self

from starlette.applications import Starlette

from tests.hub.answers import Refusal
from tests.hub.collection import Collection
from tests.hub.faults import Faults, Front, Limits, Request
from tests.hub.jobs import Jobs
from tests.hub.routes import all_routes
from tests.hub.store import Kind, Repository
from tests.hub.webhooks import Courier, Delivery, Webhook
from tests.hub.world import World
from tests.servers.serving import Serving


class LocalHub:
    """`with LocalHub() as hub: token = hub.add_user("alice"); HfApi(endpoint=hub.endpoint, token=token)`.

    Everything is in memory and gone at the end. Clients need HF_HUB_DISABLE_XET=1.
    """

    def __init__(self) -> None:
        self._world = World()
        app = Starlette(routes=all_routes(self._world))
        app.router.redirect_slashes = False
        front = Front(app, self.faults, self.limits, self.requests, self._who)
        self._serving = Serving(front)
        self._world.endpoint = self._serving.url

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._world.courier.stop()
        self._serving.stop()
        self._serving.join(5.0)
        self._world.jobs.stop()
        if self._world.crashes:
            raise RuntimeError("the local Hub could not answer a request") from self._world.crashes[0]

    @property
    def endpoint(self) -> str:
        return self._world.endpoint

    @property
    def faults(self) -> Faults:
        """What goes wrong on demand."""
        return self._world.faults

    @property
    def limits(self) -> Limits:
        """How often somebody may ask."""
        return self._world.limits

    @property
    def requests(self) -> list[Request]:
        """Every request, in the order of their answers."""
        return self._world.requests

    @property
    def webhooks(self) -> list[Webhook]:
        return self._world.webhooks

    @property
    def courier(self) -> Courier:
        """Brings events to webhooks; `courier.settle()` waits for those under way."""
        return self._world.courier

    @property
    def deliveries(self) -> list[Delivery]:
        """What was brought to webhooks, and how they answered."""
        return self._world.courier.deliveries

    @property
    def jobs(self) -> Jobs:
        return self._world.jobs

    @property
    def collections(self) -> list[Collection]:
        return self._world.collections

    def add_user(self, name: str, *, read_only: bool = False) -> str:
        """A new user, or one more token of a known one; gives the token."""
        self._world.accounts.add_user(name)
        return self._world.accounts.add_token(name, "read" if read_only else "write")

    def add_org(self, name: str, members: tuple[str, ...] = ()) -> None:
        self._world.accounts.add_org(name, members)

    def revoke(self, token: str) -> None:
        self._world.accounts.revoke(token)

    def repo(self, repo_id: str, repo_type: Kind = "model") -> Repository:
        return self._world.repos[repo_type, repo_id]

    @property
    def repositories(self) -> tuple[Repository, ...]:
        return tuple(self._world.repos.values())

    def push_folder(self, repo_id: str, folder: Path, repo_type: Kind = "model") -> str:
        """Commits a folder's files to main at once, without HTTP; gives the commit."""
        return self._world.push_folder(repo_id, folder, repo_type)

    def gate(self, repo_id: str, repo_type: Kind = "model", *, granted: tuple[str, ...] = ()) -> None:
        """Files only for the owner and for those who were granted access."""
        self.repo(repo_id, repo_type).gated = True
        self.repo(repo_id, repo_type).granted.update(granted)

    def make_private(self, repo_id: str, repo_type: Kind = "model") -> None:
        self.repo(repo_id, repo_type).private = True

    def disable(self, repo_id: str, repo_type: Kind = "model") -> None:
        self.repo(repo_id, repo_type).disabled = True

    def disable_discussions(self, repo_id: str, repo_type: Kind = "model") -> None:
        self.repo(repo_id, repo_type).discussions_disabled = True

    def _who(self, authorization: str) -> str | None:
        try:
            return self._world.accounts.visitor(authorization).name
        except Refusal:
            return None
