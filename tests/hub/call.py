"""One request on its way through the Hub: who asks for what."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.hub.accounts import Visitor
from tests.hub.answers import Refusal
from tests.hub.store import Commit, Kind, Repository
from tests.hub.world import World

KINDS: dict[str, Kind] = {"models": "model", "datasets": "dataset", "spaces": "space"}


class Call:
    def __init__(self, world: World, request: Request, body: bytes) -> None:
        self.world = world
        self.request = request
        self.body = body
        self.query = request.query_params
        self.visitor: Visitor = world.accounts.visitor(request.headers.get("authorization", ""))

    def part(self, name: str) -> str:
        """A part of the path; clients quote slashes within one."""
        return unquote(self.request.path_params[name])

    def json(self) -> dict[str, Any]:
        try:
            read = json.loads(self.body or b"{}")
        except ValueError:
            raise Refusal(400, "The body is not JSON") from None
        if not isinstance(read, dict):
            raise Refusal(400, "The body is not a JSON object")
        return read

    @property
    def repo(self) -> Repository:
        """The repository of the path, which the visitor may see."""
        kind = KINDS.get(self.request.path_params.get("kind", "models"))
        if kind is None:
            raise Refusal(404, "Sorry, we can't find the page you are looking for.")
        found = self.world.repos.get((kind, f"{self.part('owner')}/{self.part('name')}"))
        return self.world.accounts.check_may_see(self.visitor, found)

    def commit(self, repo: Repository) -> Commit:
        """The one that the path's revision means; main's head where it names none."""
        revision = self.part("revision") if "revision" in self.request.path_params else "main"
        sha = repo.resolve(revision)
        if sha is None:
            raise Refusal(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
        return repo.history[sha]

    def signed_in(self) -> str:
        """Name of the visitor, who may write something somewhere."""
        return self.world.accounts.check_signed_in(self.visitor, write=True)

    def writer(self, repo: Repository) -> str:
        """Name of the visitor, who may change this repository."""
        return self.world.accounts.check_may_write(self.visitor, repo.owner)


Handler = Callable[[Call], Response]


def route(world: World, methods: str, path: str, handler: Handler) -> Route:
    """Handlers do not wait for anything, so that each request is done as a whole before the next."""

    async def endpoint(request: Request) -> Response:
        body = await request.body()
        try:
            return handler(Call(world, request, body))
        except Refusal as refusal:
            return refusal.response()
        except Exception as error:
            world.crashes.append(error)
            raise

    answer: Callable[[Request], Awaitable[Response]] = endpoint
    return Route(path, answer, methods=methods.split())
