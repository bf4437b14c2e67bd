"""What clients read: information, trees, files."""

import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.information import about
from tests.hub.routes.repos import REPO
from tests.hub.store import Entry, Tree, git_hash, pointer
from tests.hub.world import World


def routes(world: World) -> list[Route]:
    found = [
        route(world, "GET", REPO, info),
        route(world, "GET", f"{REPO}/revision/{{revision}}", info),
        route(world, "GET", f"{REPO}/tree/{{revision}}", tree),
        route(world, "GET", f"{REPO}/tree/{{revision}}/{{path:path}}", tree),
        route(world, "POST", f"{REPO}/paths-info/{{revision}}", paths_info),
    ]
    for prefix in ("/{kind}/{owner}/{name}", "/{owner}/{name}"):
        found.append(route(world, "GET", f"{prefix}/resolve/{{revision}}/{{path:path}}", resolve))
    return found


def info(call: Call) -> Response:
    repo = call.repo
    shown = about(repo, call.commit(repo), blobs="blobs" in call.query)
    expand = call.query.getlist("expand") + call.query.getlist("expand[]")
    if expand:
        shown = {key: value for key, value in shown.items() if key in ("_id", "id", *expand)}
    else:
        shown.pop("baseModels", None)
    return JSONResponse(shown)


def _item(path: str, entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": "file", "path": path, "size": entry.size, "oid": entry.oid}
    if entry.lfs is not None:
        pointer_size = len(pointer(entry.lfs, entry.size))
        shown["lfs"] = {"oid": entry.lfs, "size": entry.size, "pointerSize": pointer_size}
    return shown


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": git_hash(path.encode())}


def _folders(files: Tree) -> list[str]:
    return sorted({str(up) for path in files for up in PurePosixPath(path).parents if str(up) != "."})


def tree(call: Call) -> Response:
    repo = call.repo
    commit = call.commit(repo)
    inside = call.part("path").strip("/") if "path" in call.request.path_params else ""
    prefix = f"{inside}/" if inside else ""
    under = {path: entry for path, entry in commit.tree.items() if path.startswith(prefix)}
    if inside and not under:
        raise Refusal(404, f"{inside} does not exist on {commit.sha}", code="EntryNotFound", sha=commit.sha)
    items = [_folder(each) for each in _folders(under) if each.startswith(prefix)]
    items += [_item(path, entry) for path, entry in sorted(under.items())]
    if call.query.get("recursive", "").lower() not in ("true", "1"):
        items = [each for each in items if "/" not in each["path"].removeprefix(prefix)]
    return JSONResponse(items)


def paths_info(call: Call) -> Response:
    """The body is a form."""
    files = call.commit(call.repo).tree
    asked = parse_qs(call.body.decode()).get("paths", [])
    folders = _folders(files)
    items = [_item(path, files[path]) for path in asked if path in files]
    return JSONResponse(items + [_folder(path) for path in asked if path in folders])


def resolve(call: Call) -> Response:
    repo = call.repo
    call.world.accounts.check_may_download(call.visitor, repo)
    commit = call.commit(repo)
    entry = commit.tree.get(call.part("path"))
    if entry is None:
        raise Refusal(404, "Entry not found", code="EntryNotFound", sha=commit.sha)
    content = repo.blobs.read(entry)
    headers = {"X-Repo-Commit": commit.sha, "ETag": f'"{entry.etag}"', "Accept-Ranges": "bytes"}
    if entry.lfs is not None:
        headers |= {"X-Linked-Etag": f'"{entry.lfs}"', "X-Linked-Size": str(entry.size)}
    kind = "text/plain" if entry.lfs is None else "application/octet-stream"
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", call.request.headers.get("range", ""))
    if asked is None or asked.group() == "bytes=-":
        return Response(content, headers=headers, media_type=kind)
    first, last = _range(*asked.groups(), len(content))
    if first > last:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{len(content)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, headers, kind)


def _range(first: str, last: str, size: int) -> tuple[int, int]:
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
