"""Who am I?"""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.world import World


def routes(world: World) -> list[Route]:
    return [
        route(world, "GET", "/api/whoami-v2", whoami),
        route(world, "GET", "/api/{namespaces}/{owner}/overview", overview),
    ]


def whoami(call: Call) -> Response:
    accounts = call.world.accounts
    name = accounts.check_signed_in(call.visitor)
    orgs = [{"type": "org", "id": org.id, "name": org.name, "roleInOrg": "admin"} for org in accounts.orgs_of(name)]
    about = {"type": "user", "id": accounts.all[name].id, "name": name, "fullname": name.title(), "isPro": False}
    token = {"type": "access_token", "accessToken": {"displayName": "test", "role": call.visitor.role}}
    return JSONResponse({**about, "avatarUrl": "/avatar.svg", "orgs": orgs, "auth": token})


def overview(call: Call) -> Response:
    account = call.world.accounts.all.get(call.part("owner"))
    if account is None or call.part("namespaces") != {"user": "users", "org": "organizations"}[account.kind]:
        raise Refusal(404, "This user or organization does not exist")
    about = {"user": account.name, "name": account.name, "fullname": account.name.title(), "type": account.kind}
    return JSONResponse({**about, "avatarUrl": "/avatar.svg", "_id": account.id})
