"""The Hub's HTTP API, one module for each part of it."""

from starlette.routing import Route

from tests.hub.routes import accounts, commits, discussions, files, jobs, lists, repos, search, webhooks
from tests.hub.world import World


def all_routes(world: World) -> list[Route]:
    """In the order in which they are tried."""
    parts = (accounts, webhooks, jobs, lists, search, repos, commits, discussions, files)
    return [route for part in parts for route in part.routes(world)]
