"""Repositories: made, deleted, set up; their branches, tags and history."""

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.store import MAIN, Kind, Repository
from tests.hub.world import World

REPO = "/api/{kind}/{owner}/{name}"
KINDS: tuple[Kind, ...] = ("model", "dataset", "space")


def routes(world: World) -> list[Route]:
    return [
        route(world, "POST", "/api/repos/create", create),
        route(world, "DELETE", "/api/repos/delete", delete),
        route(world, "PUT", f"{REPO}/settings", settings),
        route(world, "GET", f"{REPO}/auth-check", auth_check),
        route(world, "GET", f"{REPO}/auth-check/write", auth_check_write),
        route(world, "GET", f"{REPO}/refs", refs),
        route(world, "GET", f"{REPO}/commits/{{revision}}", history),
        route(world, "POST", f"{REPO}/branch/{{branch}}", add_branch),
        route(world, "DELETE", f"{REPO}/branch/{{branch}}", delete_branch),
        route(world, "POST", f"{REPO}/tag/{{revision}}", add_tag),
        route(world, "DELETE", f"{REPO}/tag/{{tag}}", delete_tag),
    ]


def _named(call: Call) -> tuple[Kind, str, str]:
    """Kind, namespace and full name that a body speaks of; the namespace is the visitor's where none is given."""
    asked = call.json()
    kind = asked.get("type") or "model"
    if kind not in KINDS:
        raise Refusal(400, f"Invalid repo type: {kind}")
    owner = asked.get("organization") or call.signed_in()
    return kind, owner, f"{owner}/{asked['name']}"


def create(call: Call) -> Response:
    kind, owner, repo_id = _named(call)
    author = call.world.accounts.check_may_write(call.visitor, owner)
    if (known := call.world.repos.get((kind, repo_id))) is not None:
        body = {"error": f"You already created this {kind} repo", "url": call.world.url_of(known)}
        raise Refusal(409, body["error"], body=body)
    private = call.json().get("visibility") == "private"
    repo = call.world.create_repo(kind, repo_id, author=author, private=private)
    return JSONResponse({"url": call.world.url_of(repo), "name": repo_id, "id": repo_id})


def delete(call: Call) -> Response:
    kind, owner, repo_id = _named(call)
    repo = call.world.accounts.check_may_see(call.visitor, call.world.repos.get((kind, repo_id)))
    call.world.accounts.check_may_write(call.visitor, owner)
    del call.world.repos[kind, repo_id]
    call.world.announce(repo, "delete", "repo")
    return Response()


def settings(call: Call) -> Response:
    repo, asked = call.repo, call.json()
    call.writer(repo)
    if "gated" in asked:
        repo.gated = bool(asked["gated"])
    if "discussionsDisabled" in asked:
        repo.discussions_disabled = asked["discussionsDisabled"]
    visibility = asked.get("visibility")
    if visibility is not None or "private" in asked:
        repo.private = visibility == "private" or bool(asked.get("private"))
        call.world.announce(repo, "update", "repo.config", updatedConfig={"private": repo.private})
    return JSONResponse({"private": repo.private, "gated": repo.gated})


def auth_check(call: Call) -> Response:
    call.world.accounts.check_may_download(call.visitor, call.repo)
    return JSONResponse({"ok": True})


def auth_check_write(call: Call) -> Response:
    call.writer(call.repo)
    return JSONResponse({"ok": True})


def refs(call: Call) -> Response:
    repo = call.repo

    def starting(prefix: str) -> list[dict[str, str]]:
        found = sorted(ref for ref in repo.refs if ref.startswith(prefix))
        return [{"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": repo.refs[ref]} for ref in found]

    shown: dict[str, Any] = {"branches": starting("refs/heads/"), "tags": starting("refs/tags/"), "converts": []}
    if "include_prs" in call.query:
        shown["pullRequests"] = starting("refs/pr/")
    return JSONResponse(shown)


def history(call: Call) -> Response:
    repo = call.repo
    page, size = int(call.query.get("p", 0)), 100
    found = repo.commits(call.commit(repo).sha)
    shown = [
        {
            "id": commit.sha,
            "title": commit.title,
            "message": commit.message,
            "date": commit.date,
            "authors": [{"user": commit.author, "avatar": "/avatar.svg"}],
        }
        for commit in found[page * size : (page + 1) * size]
    ]
    after = f"{call.world.endpoint}{call.request.url.path}?p={page + 1}"
    return JSONResponse(shown, headers={"Link": f'<{after}>; rel="next"'} if len(found) > (page + 1) * size else {})


def _point(call: Call, ref: str, sha: str) -> Response:
    repo = call.repo
    call.writer(repo)
    if ref in repo.refs:
        raise Refusal(409, f"Reference {ref} already exists")
    repo.refs[ref] = sha
    call.world.announce_push(repo, ref, None)
    return Response()


def add_branch(call: Call) -> Response:
    repo = call.repo
    start = repo.resolve(call.json().get("startingPoint") or "main")
    if start is None:
        raise Refusal(404, "Invalid starting point", code="RevisionNotFound")
    return _point(call, f"refs/heads/{call.part('branch')}", start)


def add_tag(call: Call) -> Response:
    return _point(call, f"refs/tags/{call.json()['tag']}", call.commit(call.repo).sha)


def _remove(call: Call, repo: Repository, ref: str) -> Response:
    call.writer(repo)
    if ref not in repo.refs:
        raise Refusal(404, f"There is no {ref}", code="RevisionNotFound")
    if ref == MAIN:
        raise Refusal(403, "Cannot delete the branch main")
    before = repo.refs.pop(ref)
    call.world.announce_push(repo, ref, before)
    return Response()


def delete_branch(call: Call) -> Response:
    return _remove(call, call.repo, f"refs/heads/{call.part('branch')}")


def delete_tag(call: Call) -> Response:
    return _remove(call, call.repo, f"refs/tags/{call.part('tag')}")
