"""How files come in: the check of a README, preupload, large files, commits."""

import base64
import hashlib
import json
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.cards import is_large, problems
from tests.hub.routes.discussions import check_open_to_talk, open_discussion
from tests.hub.routes.repos import REPO
from tests.hub.store import Commit, Repository, Signature, Tree
from tests.hub.world import World

LFS = ".git/info/lfs/objects"


def routes(world: World) -> list[Route]:
    found = [
        route(world, "POST", "/api/validate-yaml", validate_yaml),
        route(world, "POST", f"{REPO}/preupload/{{revision}}", preupload),
        route(world, "POST", f"{REPO}/commit/{{revision}}", commit),
        route(world, "PUT", "/large/{oid}", put_large),
    ]
    for prefix in ("/{kind}/{owner}/{name}", "/{owner}/{name}"):
        found += [
            route(world, "POST", f"{prefix}{LFS}/batch", batch),
            route(world, "POST", f"{prefix}{LFS}/verify", verify),
        ]
    return found


def validate_yaml(call: Call) -> Response:
    asked = call.json()
    errors, warnings = problems(asked["content"], asked["repoType"])
    shown = {"errors": [{"message": each} for each in errors], "warnings": [{"message": each} for each in warnings]}
    return JSONResponse(shown, 400 if errors else 200)


def preupload(call: Call) -> Response:
    repo, asked = call.repo, call.json()
    _check_may_commit(call, repo)
    tree = call.commit(repo).tree
    attributes = repo.blobs.read(tree[".gitattributes"]) if ".gitattributes" in tree else b""
    shown = []
    for file in asked["files"]:
        path = file["path"]
        mode = "lfs" if is_large(path, file["size"], attributes) else "regular"
        known = {"oid": tree[path].etag} if path in tree else {}
        shown.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **known})
    return JSONResponse({"files": shown})


def _check_may_commit(call: Call, repo: Repository, ref: str | None = None) -> str:
    """Writers may; others where it is, or shall become, a pull request."""
    if call.query.get("create_pr") == "1":
        author = call.signed_in()
        check_open_to_talk(repo)
        return author
    ref = ref or call.part("revision")
    pull = next((each for each in repo.pulls if each.ref == ref), None)
    if pull is None:
        return call.writer(repo)
    if pull.status in ("closed", "merged"):
        raise Refusal(403, f"The pull request {pull.num} is {pull.status}")
    return call.signed_in() if call.visitor.name == pull.author else call.writer(repo)


def batch(call: Call) -> Response:
    repo, asked = call.repo, call.json()
    call.signed_in()
    if "ref" in asked and asked["ref"]["name"] not in repo.refs and repo.resolve(asked["ref"]["name"]) is None:
        raise Refusal(404, "Invalid rev id", code="RevisionNotFound")
    shown = []
    for each in asked["objects"]:
        about: dict[str, Any] = {"oid": each["oid"], "size": each["size"]}
        if each["oid"] not in repo.blobs.large:
            base = f"{call.world.url_of(repo)}{LFS}"
            upload = {"href": f"{call.world.endpoint}/large/{each['oid']}?signature=local"}
            about["actions"] = {"upload": upload, "verify": {"href": f"{base}/verify"}}
        shown.append(about)
    return JSONResponse({"transfer": "basic", "objects": shown})


def put_large(call: Call) -> Response:
    """Whoever has the signed address may put the content, without a token."""
    if hashlib.sha256(call.body).hexdigest() != call.part("oid"):
        raise Refusal(400, "The content has another hash")
    call.world.blobs.add_large(call.body)
    return Response()


def verify(call: Call) -> Response:
    asked = call.json()
    content = call.world.blobs.large.get(asked["oid"])
    if content is None or len(content) != asked["size"]:
        raise Refusal(404, "The object is not there")
    return JSONResponse({"message": "ok"})


def commit(call: Call) -> Response:
    repo, revision = call.repo, call.part("revision")
    author = _check_may_commit(call, repo)
    lines = [json.loads(line) for line in call.body.splitlines() if line]
    header = next(line["value"] for line in lines if line["key"] == "header")
    signature = Signature(author, call.world.now(), header["summary"], header.get("description", ""))
    if call.query.get("create_pr") == "1":
        return _commit_to_new_pull(call, repo, lines, signature, header.get("parentCommit"))
    ref = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    before = repo.refs.get(ref)
    if before is None:
        raise Refusal(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
    if header.get("parentCommit") not in (None, before):
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    made = repo.commit(ref, _applied(repo, repo.history[before].tree, lines), signature)
    for pull in repo.pulls:
        if pull.ref == ref:
            pull.add("commit", author, made.date, {"oid": made.sha, "subject": made.title})
    call.world.announce_push(repo, ref, before)
    return _answer(call, repo, made)


def _commit_to_new_pull(
    call: Call, repo: Repository, lines: list[dict[str, Any]], signature: Signature, parent: str | None
) -> Response:
    base = call.commit(repo).sha if parent is None else repo.resolve(parent)
    if base is None:
        raise Refusal(404, f"Invalid rev id: {parent}", code="RevisionNotFound")
    tree = _applied(repo, repo.history[base].tree, lines)
    pull = open_discussion(call, repo, signature.title, signature.message, base=base)
    pull.status = "open"
    made = repo.commit(pull.ref, tree, signature)
    pull.add("commit", signature.author, made.date, {"oid": made.sha, "subject": made.title})
    call.world.announce(repo, "create", "discussion", pull)
    call.world.announce_push(repo, pull.ref, None)
    return _answer(call, repo, made, pullRequestUrl=f"{call.world.url_of(repo)}/discussions/{pull.num}")


def _answer(call: Call, repo: Repository, made: Commit, **more: str) -> Response:
    url = f"{call.world.url_of(repo)}/commit/{made.sha}"
    return JSONResponse({"success": True, "commitUrl": url, "commitOid": made.sha, "hookOutput": "", **more})


def _applied(repo: Repository, before: Tree, lines: list[dict[str, Any]]) -> Tree:
    """The tree after the operations of a commit; nothing is stored where one of them is wrong."""
    tree = dict(before)
    for line in lines:
        value = line["value"]
        if line["key"] == "file":
            tree[value["path"]] = repo.blobs.add(base64.b64decode(value["content"]))
        elif line["key"] == "lfsFile":
            if value["oid"] not in repo.blobs.large:
                raise Refusal(400, f"The large file {value['path']} was not uploaded")
            tree[value["path"]] = repo.blobs.large_entry(value["oid"])
        elif line["key"] == "deletedFile":
            if tree.pop(value["path"], None) is None:
                raise Refusal(404, "A file with this name doesn't exist", code="EntryNotFound")
        elif line["key"] == "deletedFolder":
            folder = value["path"].rstrip("/") + "/"
            inside = [path for path in tree if path.startswith(folder)]
            if not inside:
                raise Refusal(404, "A folder with this name doesn't exist", code="EntryNotFound")
            for path in inside:
                del tree[path]
    return tree
