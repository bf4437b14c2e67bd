"""ZeroGPU's scheduler, as far as its client asks it: grants so many loans, then says that the quota is used up."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.servers.serving import Serving


class Scheduler:
    """`with Scheduler(grants=1) as scheduler:`; `grants` may be raised later."""

    def __init__(self, *, grants: int) -> None:
        self.grants = grants
        """Loans that are still granted."""
        self.calls: list[tuple[str, dict[str, str]]] = []
        """What was asked, in order."""
        ends = ("startup-report", "schedule", "allow", "release")
        routes = [Route(f"/{end}", getattr(self, f"_{end.replace('-', '_')}"), methods=["POST"]) for end in ends]
        self._serving = Serving(Starlette(routes=routes))
        self.url = self._serving.url

    def __enter__(self) -> "Scheduler":
        self._serving.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.stop()
        self._serving.join(5.0)

    def asked(self, what: str) -> list[dict[str, str]]:
        """The arguments of all calls of a kind."""
        return [arguments for kind, arguments in self.calls if kind == what]

    def _note(self, kind: str, request: Request) -> None:
        self.calls.append((kind, dict(request.query_params)))

    async def _startup_report(self, request: Request) -> JSONResponse:
        self._note("startup-report", request)
        return JSONResponse({})

    async def _schedule(self, request: Request) -> JSONResponse:
        self._note("schedule", request)
        if self.grants == 0:
            headers = {"X-Authenticated": "regular", "X-Approve-Result": "quota-exceeded"}
            return JSONResponse({"left": 3, "wait": 3 * 3600 + 12 * 60}, 429, headers)
        self.grants -= 1
        granted: dict[str, Any] = {"idle": True, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0"}
        return JSONResponse(granted | {"allowToken": f"loan {len(self.calls)}"})

    async def _allow(self, request: Request) -> JSONResponse:
        self._note("allow", request)
        return JSONResponse({})

    async def _release(self, request: Request) -> JSONResponse:
        self._note("release", request)
        return JSONResponse({})
