"""Collections."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.collection import Collection, Item
from tests.hub.world import World

ALL = "/api/collections"
ONE = f"{ALL}/{{owner}}/{{slug}}"


def routes(world: World) -> list[Route]:
    return [
        route(world, "GET", ALL, listing),
        route(world, "POST", ALL, create),
        route(world, "GET", ONE, get),
        route(world, "PATCH", ONE, update),
        route(world, "DELETE", ONE, delete),
        route(world, "POST", f"{ONE}/items", add_item),
        route(world, "PATCH", f"{ONE}/items/{{item}}", update_item),
        route(world, "DELETE", f"{ONE}/items/{{item}}", delete_item),
    ]


def _of(call: Call, *, write: bool) -> Collection:
    belongs = call.world.accounts.belongs(call.visitor, call.part("owner"))
    slug = f"{call.part('owner')}/{call.part('slug')}"
    found = [each for each in call.world.collections if each.slug == slug and (belongs or not each.private)]
    if not found:
        raise Refusal(404, "Collection not found")
    if write:
        call.world.accounts.check_may_write(call.visitor, found[0].owner)
        found[0].updated_at = call.world.now()
    return found[0]


def listing(call: Call) -> Response:
    owner, item = call.query.getlist("owner"), call.query.getlist("item")
    found = [
        each
        for each in call.world.collections
        if (not owner or each.owner in owner)
        and (not item or {f"{kept.kind}s/{kept.id}" for kept in each.items} & set(item))
        and (not each.private or call.world.accounts.belongs(call.visitor, each.owner))
    ]
    shown = [each.as_json() for each in found[: int(call.query.get("limit", 100))]]
    for each in shown:
        each["items"] = each["items"][:4]
        del each["position"]  # the client counts by itself here
    return JSONResponse(shown)


def create(call: Call) -> Response:
    world, asked = call.world, call.json()
    world.accounts.check_may_write(call.visitor, asked["namespace"])
    if len(asked.get("description") or "") > 150:
        raise Refusal(400, "The description must have at most 150 characters")
    for known in world.collections:
        if (known.owner, known.title) == (asked["namespace"], asked["title"]):
            body = {"error": "A collection with this title exists", "slug": known.slug}
            raise Refusal(409, body["error"], body=body)
    about = (world.new_id("collection"), asked["title"], asked["namespace"], world.now())
    collection = Collection(*about, asked.get("description"), bool(asked.get("private")))
    world.collections.append(collection)
    return JSONResponse(collection.as_json())


def get(call: Call) -> Response:
    return JSONResponse(_of(call, write=False).as_json())


def update(call: Call) -> Response:
    collection = _of(call, write=True)
    for key, value in call.json().items():
        if key in ("title", "description", "private", "theme"):
            setattr(collection, key, value)
    return JSONResponse({"data": collection.as_json()})


def delete(call: Call) -> Response:
    call.world.collections.remove(_of(call, write=True))
    return Response()


def add_item(call: Call) -> Response:
    collection, asked = _of(call, write=True), call.json()
    item = asked["item"]
    if item["type"] in ("model", "dataset", "space"):
        call.world.accounts.check_may_see(call.visitor, call.world.repos.get((item["type"], item["id"])))
    if any((each.kind, each.id) == (item["type"], item["id"]) for each in collection.items):
        raise Refusal(409, "The item is in the collection already")
    if len(asked.get("note") or "") > 500:
        raise Refusal(400, "The note must have at most 500 characters")
    collection.items.append(Item(call.world.new_id("item"), item["id"], item["type"], asked.get("note")))
    return JSONResponse(collection.as_json())


def _item(call: Call, collection: Collection) -> Item:
    found = [each for each in collection.items if each.object_id == call.part("item")]
    if not found:
        raise Refusal(404, "Item not found")
    return found[0]


def update_item(call: Call) -> Response:
    collection, asked = _of(call, write=True), call.json()
    item = _item(call, collection)
    item.note = asked.get("note", item.note)
    if "position" in asked:
        collection.items.remove(item)
        collection.items.insert(asked["position"], item)
    return JSONResponse({"success": True})


def delete_item(call: Call) -> Response:
    collection = _of(call, write=True)
    collection.items.remove(_item(call, collection))
    return Response()
