"""Lists of models and datasets."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import KINDS, Call, route
from tests.hub.information import about
from tests.hub.world import World

PAGE = 100
ALWAYS = ("_id", "id", "modelId", "createdAt", "downloads", "likes", "private", "tags", "pipeline_tag", "library_name")
OF_DATASETS = ("author", "sha", "lastModified", "gated", "disabled")


def routes(world: World) -> list[Route]:
    return [route(world, "GET", "/api/{kind}", listing)]


def listing(call: Call) -> Response:
    """Every `filter` must be a tag; every `search` a part of the name, in either case; newest first unless sorted."""
    kind = KINDS.get(call.part("kind"))
    if kind is None:
        raise Refusal(404, "Sorry, we can't find the page you are looking for.")
    query, world = call.query, call.world
    visible = [
        about(repo, repo.history[repo.head])
        for (its, _), repo in world.repos.items()
        if its == kind and (not repo.private or world.accounts.belongs(call.visitor, repo.owner))
    ]
    found = [
        each
        for each in visible
        if set(query.getlist("filter")) <= set(each["tags"])
        and query.get("author") in (None, each["author"])
        and all(part.lower() in each["id"].lower() for part in query.getlist("search"))
    ]
    sort = query.get("sort")
    found.sort(key=lambda each: each[sort if sort in ("createdAt", "downloads", "likes") else "lastModified"])
    found.reverse()
    size, start = min(int(query.get("limit", PAGE)), PAGE), int(query.get("skip", 0))
    page = [_shown(call, kind, each) for each in found[start : start + size]]
    after = [(key, value) for key, value in query.multi_items() if key != "skip"] + [("skip", str(start + size))]
    link = f'<{world.endpoint}/api/{kind}s?{urlencode(after)}>; rel="next"'
    return JSONResponse(page, headers={"Link": link} if len(found) > start + size else {})


def _shown(call: Call, kind: str, each: dict[str, Any]) -> dict[str, Any]:
    """As much as was asked for: without cardData unless it, or for datasets `full`, was."""
    keys: set[str] = {*ALWAYS, *(OF_DATASETS if kind == "dataset" else ())}
    if expand := call.query.getlist("expand"):
        keys = {"_id", "id", "modelId", *expand}
    if "full" in call.query:
        keys |= {"author", "sha", "lastModified", "gated", "disabled", "siblings"}
        keys |= {"cardData"} if kind == "dataset" else set()
    if "cardData" in call.query:
        keys.add("cardData")
    return {key: value for key, value in each.items() if key in keys}
