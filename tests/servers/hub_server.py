"""A small, read-only Hub over real HTTP on loopback: what huggingface_hub needs to find, look into and download models.

Serves folders as repositories: info, tree, files (with ranges), and the answers for missing, gated and private ones,
for unknown revisions and for bad tokens, with the headers of the real Hub. It knows no datasets, no writing, no xet
(clients fall back to plain downloads).
"""

import hashlib
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

GOOD_TOKEN = "hf_good"


@dataclass(frozen=True)
class Repo:
    """One repository with one commit."""

    folder: Path
    gated: bool = False
    private: bool = False
    """Seen with `GOOD_TOKEN` only."""
    sha: str = "0123456789abcdef0123456789abcdef01234567"
    branches: tuple[str, ...] = ("main",)


class HubServer:
    """`with HubServer({"org/name": Repo(folder)}) as hub: HfApi(endpoint=hub.url)`."""

    def __init__(self, repos: dict[str, Repo]) -> None:
        self.repos = repos
        self.requests: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.fault: int | None = None
        """An HTTP status that every request gets instead of its answer."""
        app = Starlette(
            routes=[
                Route("/api/models/{org}/{name}", self._info),
                Route("/api/models/{org}/{name}/revision/{revision}", self._info),
                Route("/api/models/{org}/{name}/tree/{revision}", self._tree),
                Route("/{org}/{name}/resolve/{revision}/{file:path}", self._file),
            ]
        )
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def downloads(self) -> list[str]:
        """Names of the files that were sent."""
        return [path.rsplit("/", 1)[1] for method, path in self.requests if method == "GET" and "/resolve/" in path]

    def __enter__(self) -> Self:
        self._thread.start()
        until = time.monotonic() + 10.0
        while not self._server.started:
            if time.monotonic() > until:
                raise RuntimeError("the test Hub did not start")
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=5.0)
        self._socket.close()

    async def _info(self, request: Request) -> Response:
        repo = self._repo(request, contents=False)
        if isinstance(repo, Response):
            return repo
        blobs = request.query_params.get("blobs")
        siblings = [
            {"rfilename": f.name} | ({"size": f.stat().st_size, "blobId": _oid(f)} if blobs else {})
            for f in _files(repo)
        ]
        name = f"{request.path_params['org']}/{request.path_params['name']}"
        return JSONResponse(
            {
                "id": name,
                "sha": repo.sha,
                "siblings": siblings,
                "private": repo.private,
                "gated": repo.gated,
                "tags": [],
            }
        )

    async def _tree(self, request: Request) -> Response:
        repo = self._repo(request, contents=True)
        if isinstance(repo, Response):
            return repo
        return JSONResponse(
            [{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _oid(f)} for f in _files(repo)]
        )

    async def _file(self, request: Request) -> Response:
        repo = self._repo(request, contents=True)
        if isinstance(repo, Response):
            return repo
        file = repo.folder / request.path_params["file"]
        if file not in _files(repo):
            return _refuse(404, "EntryNotFound", "Entry not found", repo.sha)
        headers = {"X-Repo-Commit": repo.sha, "ETag": f'"{_oid(file)}"'}
        return FileResponse(file, headers=headers)

    def _repo(self, request: Request, *, contents: bool) -> Repo | Response:
        self.requests.append((request.method, request.url.path))
        if self.fault is not None:
            return _refuse(self.fault, "", "as planted")
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token != GOOD_TOKEN:
            return _refuse(401, "", "Invalid credentials in Authorization header")
        repo = self.repos.get(f"{request.path_params['org']}/{request.path_params['name']}")
        if repo is None or (repo.private and not token):
            return _refuse(401, "RepoNotFound", "Repository not found")
        if repo.gated and contents and not token:
            return _refuse(401, "GatedRepo", "Access to this model is restricted")
        revision = request.path_params.get("revision", repo.sha)
        if revision not in (repo.sha, *repo.branches):
            return _refuse(404, "RevisionNotFound", "Invalid rev id")
        return repo


def _refuse(status: int, code: str, message: str, sha: str = "") -> Response:
    headers = {"X-Error-Code": code, "X-Error-Message": message, "X-Repo-Commit": sha}
    return JSONResponse({"error": message}, status, {key: value for key, value in headers.items() if value})


def _files(repo: Repo) -> list[Path]:
    return sorted(file for file in repo.folder.iterdir() if file.is_file())


def _oid(file: Path) -> Any:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()
