"""What goes wrong on demand, seen through the stock client."""

import time

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tests.hub import LocalHub
from tests.hub.conftest import put


def test_a_status_for_some_requests(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.faults.add("GET", "/api/models/alice/model$", 503, times=2)
    for _ in range(2):
        with pytest.raises(HfHubHTTPError, match=r"503 Service Unavailable.*\n.*\n\nas planted"):
            alice.model_info("alice/model")
    assert alice.model_info("alice/model").sha == model
    hub.faults.add(status=500)
    hub.faults.clear()
    assert alice.model_info("alice/model").sha == model


def test_an_answer_that_is_lost_after_the_work(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.faults.add("POST", "/commit/", drop_answer=True)
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        put(alice, "alice/model", {"a.txt": b"a"})
    assert hub.repo("alice/model").files()["a.txt"] == b"a"
    assert hub.requests[-1].status is None
    assert alice.model_info("alice/model").sha == hub.repo("alice/model").head != model


def test_a_hub_that_hangs(hub: LocalHub, alice: HfApi, model: str) -> None:
    hub.faults.add("GET", "/api/models/", delay=20.0)
    with pytest.raises(httpx2.ReadTimeout, match="timed out"):
        alice.model_info("alice/model", timeout=0.2)
    hub.faults.add("GET", "/api/models/", delay=0.1)
    before = time.monotonic()
    assert alice.model_info("alice/model").sha == model
    assert time.monotonic() - before >= 0.1


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (["not", "an", "object"], AttributeError, "'list' object has no attribute 'get'"),  # the client's own mistake
        (b"half an obj", HfHubHTTPError, "half an obj"),
        ({"error": ["one", "two"]}, HfHubHTTPError, "one\ntwo"),
    ],
)
def test_bodies_of_other_shapes(
    hub: LocalHub, alice: HfApi, model: str, body: object, error: type[Exception], words: str
) -> None:
    hub.faults.add("GET", "/api/models/", 500, body=body)
    with pytest.raises(error, match=words):
        alice.model_info("alice/model")


def test_too_many_requests(hub: LocalHub, alice: HfApi, bob: HfApi, model: str) -> None:
    hub.faults.add("GET", "/api/models/", 429, retry_after=7)
    with pytest.raises(HfHubHTTPError, match="Retry after 7 seconds") as caught:
        alice.model_info("alice/model")
    assert caught.value.response.headers["retry-after"] == "7"
    hub.limits.set("alice", 2, seconds=60.0)
    for _ in range(2):
        alice.model_info("alice/model")
    with pytest.raises(HfHubHTTPError, match=r"your 'api' rate limit.*\n.*\(0/2 requests remaining"):
        alice.model_info("alice/model")
    assert bob.model_info("alice/model").sha == model


def test_every_request_is_written_down(hub: LocalHub, alice: HfApi, nobody: HfApi, model: str) -> None:
    hub.requests.clear()
    alice.model_info("alice/model", revision="refs/heads/main", files_metadata=True)
    nobody.list_repo_refs("alice/model")
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(hub.endpoint, token="hf_wrong").list_repo_refs("alice/model")
    first, *others = hub.requests
    assert (first.method, first.user, first.status, first.query) == ("GET", "alice", 200, "blobs=true")
    assert first.path == "/api/models/alice/model/revision/refs%2Fheads%2Fmain"
    assert [(each.user, each.status) for each in others] == [(None, 200), (None, 401)]


def test_a_request_that_the_hub_cannot_handle_fails_the_test() -> None:
    hub = LocalHub().__enter__()
    headers = {"Authorization": f"Bearer {hub.add_user('alice')}"}
    answer = httpx2.post(f"{hub.endpoint}/api/repos/create", json={"unheard": "of"}, headers=headers)
    assert answer.status_code == 500
    with pytest.raises(RuntimeError, match="the local Hub could not answer a request"):
        hub.__exit__()
