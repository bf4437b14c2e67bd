"""Webhooks of a user."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.webhooks import Webhook
from tests.hub.world import World

ALL = "/api/settings/webhooks"


def routes(world: World) -> list[Route]:
    return [
        route(world, "GET", ALL, listing),
        route(world, "POST", ALL, create),
        route(world, "GET", f"{ALL}/{{id}}", get),
        route(world, "POST", f"{ALL}/{{id}}", update),
        route(world, "POST", f"{ALL}/{{id}}/{{state}}", switch),
        route(world, "DELETE", f"{ALL}/{{id}}", delete),
    ]


def _own(call: Call, *, write: bool) -> Webhook:
    name = call.world.accounts.check_signed_in(call.visitor, write=write)
    found = [each for each in call.world.webhooks if each.id == call.part("id") and each.owner == name]
    if not found:
        raise Refusal(404, "Webhook not found")
    return found[0]


def _answer(webhook: Webhook) -> Response:
    return JSONResponse({"webhook": webhook.as_json()})


def listing(call: Call) -> Response:
    name = call.world.accounts.check_signed_in(call.visitor)
    return JSONResponse([each.as_json() for each in call.world.webhooks if each.owner == name])


def create(call: Call) -> Response:
    name, asked, world = call.signed_in(), call.json(), call.world
    if not str(asked.get("url", "")).startswith(("http://", "https://")):
        raise Refusal(400, "A webhook needs a url")
    if not str(asked.get("secret", "")).isascii():
        raise Refusal(400, "The secret must be ASCII")
    domains = asked.get("domains") or ["repo", "discussion"]
    webhook = Webhook(
        world.new_id("webhook"), name, asked["url"], asked["watched"], domains, secret=asked.get("secret")
    )
    world.webhooks.append(webhook)
    return _answer(webhook)


def get(call: Call) -> Response:
    return _answer(_own(call, write=False))


def update(call: Call) -> Response:
    webhook = _own(call, write=True)
    for key, value in call.json().items():
        if key in ("url", "watched", "domains", "secret"):
            setattr(webhook, key, value)
    return _answer(webhook)


def switch(call: Call) -> Response:
    webhook = _own(call, write=True)
    webhook.disabled = {"enable": False, "disable": True}[call.part("state")]
    return _answer(webhook)


def delete(call: Call) -> Response:
    call.world.webhooks.remove(_own(call, write=True))
    return Response()
