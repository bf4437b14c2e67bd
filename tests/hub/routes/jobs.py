"""Jobs: submitted, looked at, their logs, stopped."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.hub.answers import Refusal
from tests.hub.call import Call, route
from tests.hub.jobs import Job
from tests.hub.world import START, World

ONE = "/api/jobs/{owner}/{id}"


def routes(world: World) -> list[Route]:
    return [
        route(world, "GET", "/api/jobs/{owner}", listing),
        route(world, "POST", "/api/jobs/{owner}", submit),
        route(world, "GET", ONE, inspect),
        route(world, "GET", f"{ONE}/logs", logs),
        route(world, "POST", f"{ONE}/cancel", cancel),
    ]


def submit(call: Call) -> Response:
    world, owner, spec = call.world, call.part("owner"), call.json()
    world.accounts.check_may_write(call.visitor, owner)
    if not spec.get("command") or not (spec.get("dockerImage") or spec.get("spaceId")):
        raise Refusal(400, "A job needs a command and an image")
    job = Job(world.new_id("job"), owner, world.now(), spec)
    answer = JSONResponse(job.as_json())
    world.jobs.submit(job)
    return answer


def _own(call: Call) -> Job:
    call.world.accounts.check_signed_in(call.visitor)
    owner = call.part("owner")
    found = [each for each in call.world.jobs if each.id == call.part("id") and each.owner == owner]
    if not found or not call.world.accounts.belongs(call.visitor, owner):
        raise Refusal(404, "Job not found")
    return found[0]


def listing(call: Call) -> Response:
    owner = call.part("owner")
    if not call.world.accounts.belongs(call.visitor, owner):
        raise Refusal(403, f"You may not see the jobs of {owner}")
    return JSONResponse([each.as_json() for each in call.world.jobs if each.owner == owner])


def inspect(call: Call) -> Response:
    return JSONResponse(_own(call).as_json())


def logs(call: Call) -> Response:
    """Server-sent events, until the job has ended."""
    job = _own(call)
    stamp = START.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    async def stream() -> AsyncIterator[str]:
        sent = 0
        while True:
            finished = job.finished
            for line in job.lines[sent:]:
                yield f"data: {json.dumps({'data': line, 'timestamp': stamp})}\n\n"
                sent += 1
            if finished:
                return
            await asyncio.sleep(0.02)

    return StreamingResponse(stream(), media_type="text/event-stream")


def cancel(call: Call) -> Response:
    call.signed_in()
    job = _own(call)
    if not job.finished:
        job.stage = "CANCELED"
    return JSONResponse(job.as_json())
