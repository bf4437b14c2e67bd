"""Measures judging by a slow server: `python -m tests.benchmarks.bench_judge [CALLS]`.

A server in another process answers 64 requests at a time, each after a second. A judge with 64 requests at a time is
asked 10,000 questions of two hypotheses each, through the cache as in a run. Measured are the wall time against
calls / slots, processor seconds per call, and the memory that judging takes beyond the pairs, for a tenth of the calls
and for all.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CALLS, SLOTS, SECONDS = 10_000, 64, 1.0
_REPLY = json.dumps({"verdicts": [{"statement": number, "fits": "1"} for number in (1, 2)]})
_BODY = json.dumps(
    {
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": _REPLY}}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 20, "total_tokens": 520},
    }
).encode()
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


async def serve(slots: int, seconds: float) -> None:
    """Answers every request after some seconds, so many at a time; prints its port first."""
    free = asyncio.Semaphore(slots)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            lines = (line.lower() for line in head.split(b"\r\n"))
            length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
            await reader.readexactly(length)
            async with free:
                await asyncio.sleep(seconds)
            writer.write(_ANSWER)
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request; empty at the end of the connection."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def judged(port: int, calls: int, folder: Path) -> dict[str, float]:
    """Wall and processor seconds of a number of questions, and the process's peak memory in MB."""
    from diffing.judge import Judging, judge
    from diffing.models import LoadOptions, load_model
    from diffing.models.cache import Store
    from diffing.types import Hypothesis, Message, Pair, Prompt, Response

    hypotheses = [Hypothesis(f"h{n}", f"<MODEL> does thing number {n} more often", "a", "llm", "style") for n in (1, 2)]
    pairs = []
    for number in range(calls):
        prompt = Prompt(f"p{number}", (Message("user", f"Question {number}?"),), "made", "train")
        a, b = (Response(prompt.id, side, f"Answer {side} to {number}. " * 40, "stop") for side in "ab")
        pairs.append(Pair(prompt, a, b))
    options = LoadOptions(concurrency=SLOTS)
    model = load_model(
        f"openai:judge@http://127.0.0.1:{port}/v1", options=options, cache=Store(folder / "cache.sqlite")
    )
    given = resident()
    start, begun = time.process_time(), time.monotonic()
    result = judge(model, hypotheses, pairs, Judging())
    assert len(result.judgements) == 2 * calls
    return {
        "wall": time.monotonic() - begun,
        "processor": time.process_time() - start,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "pairs": given,
    }


def resident() -> float:
    """The memory of this process in MB, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def main(calls: int) -> None:
    """Judges a tenth and all of the calls in processes of their own, and stores the results."""
    from tests.benchmarks.speed import child, row, store

    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    try:
        with tempfile.TemporaryDirectory() as folder:
            few, all_ = (child(Path(__file__), ["--judge", port, n, f"{folder}/{n}"]) for n in (calls // 10, calls))
    finally:
        server.kill()
        server.wait()
    per_call = 1000 * all_["processor"] / calls
    taken = [each["peak"] - each["pairs"] for each in (few, all_)]
    rows = [
        row(
            f"{calls:,} calls: wall time against calls / slots",
            all_["wall"] / (calls / SLOTS * SECONDS),
            "times",
            "1.2",
        ),
        row(f"{calls:,} calls: processor time of a call", per_call, "ms", "3 ms"),
        row(
            f"{calls:,} calls: peak memory beyond the pairs, beside that of {calls // 10:,}",
            *(taken[1], "MB", "", round(taken[0], 1)),
        ),
        row(f"the process with the pairs of {calls:,} calls", all_["pairs"], "MB", ""),
    ]
    about = f"The server answers {SLOTS} requests at a time, each after {SECONDS:g} s, and is a process of its own."
    store("judge", "Judging by a slow server", about, rows, {"slots": SLOTS})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve"]:
            asyncio.run(serve(SLOTS, SECONDS))
        case ["--judge", port, calls, folder]:
            Path(folder).mkdir(parents=True)
            print(json.dumps(judged(int(port), int(calls), Path(folder))))
        case given:
            main(int(given[0]) if given else CALLS)
