import httpx2
import pytest

from tests.servers.openai_server import (
    Body,
    Drop,
    Finish,
    Hang,
    NullContent,
    OpenAIServer,
    Status,
    Truncated,
)
from tests.waiting import DEADLINE


def _ask(server, text="four words are here", timeout=DEADLINE):
    body = {"messages": [{"role": "user", "content": text}]}
    return httpx2.post(f"{server.base_url}/chat/completions", json=body, timeout=timeout, trust_env=False)


def _echo(request):
    return request["messages"][-1]["content"]


def test_answers_and_every_fault_in_the_order_given():
    with OpenAIServer(_echo) as server:
        server.fail_next(
            Status(429, headers={"Retry-After": "3"}), NullContent(), Truncated(0.5), Finish("content_filter"), Body()
        )
        limited, null, cut, filtered, html, fine = (_ask(server) for _ in range(6))
        server.fail_next(Drop())
        with pytest.raises(httpx2.RemoteProtocolError, match="peer closed connection"):
            _ask(server)
        server.fail_next(Hang(2 * DEADLINE))
        with pytest.raises(httpx2.ReadTimeout, match="timed out"):
            _ask(server, timeout=0.1)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert null.json()["choices"][0]["message"]["content"] is None
    assert cut.json()["choices"][0]["message"]["content"] == "four word"
    assert cut.json()["choices"][0]["finish_reason"] == "length"
    assert filtered.json()["choices"][0]["finish_reason"] == "content_filter"
    assert html.text.startswith("<html>")
    assert fine.json()["usage"]["completion_tokens"] == 4
    assert (server.count, len(server.answered), server.paths[0]) == (8, 1, "/v1/chat/completions")
