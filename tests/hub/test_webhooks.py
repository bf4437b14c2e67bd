"""What webhooks are told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from huggingface_hub import HfApi, WebhookPayload
from huggingface_hub.errors import HfHubHTTPError

from tests.hub import LocalHub
from tests.hub.conftest import README, put
from tests.hub.test_discussions import propose

Told = list[tuple[str | None, dict[str, Any]]]
"""Secret and payload of each event."""


class Listener(ThreadingHTTPServer):
    told: Told


@pytest.fixture
def listener() -> Iterator[Listener]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.told.append((self.headers["X-Webhook-Secret"], json.loads(body)))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = Listener(("127.0.0.1", 0), Handler)
    server.told = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def events(hub: LocalHub, listener: Listener) -> list[str]:
    """What was told since, in short; each payload is one that the stock client can read."""
    hub.courier.settle()
    told = [payload for _, payload in listener.told]
    listener.told.clear()
    for payload in told:
        WebhookPayload(**payload)
    refs = [" ".join(each["ref"] for each in payload.get("updatedRefs", [])) for payload in told]
    return [
        f"{payload['event']['action']} {payload['event']['scope']} {ref}".strip()
        for payload, ref in zip(told, refs, strict=True)
    ]


def test_from_the_first_commit_to_the_merge(
    hub: LocalHub, alice: HfApi, bob: HfApi, model: str, listener: Listener
) -> None:
    url = f"http://127.0.0.1:{listener.server_port}/hook"
    watched = [{"type": "model", "name": "alice/model"}]
    made = alice.create_webhook(url=url, watched=watched, secret="s3cret")
    assert (made.domains, made.secret, made.disabled) == (["repo", "discussion"], "s3cret", False)

    sha = put(alice, "alice/model", {"README.md": README + b"x\n"})
    hub.courier.settle()
    secret, payload = listener.told[0]
    assert (secret, payload["webhook"]) == ("s3cret", {"id": made.id, "version": 3})
    assert payload["updatedRefs"] == [{"ref": "refs/heads/main", "oldSha": model, "newSha": sha}]
    assert (payload["repo"]["name"], payload["repo"]["headSha"]) == ("alice/model", sha)
    assert events(hub, listener) == ["update repo.content refs/heads/main"]

    num = propose(bob, README + b"y\n")
    hub.courier.settle()
    discussion = listener.told[0][1]["discussion"]
    assert (discussion["num"], discussion["isPullRequest"], discussion["status"]) == (num, True, "open")
    assert events(hub, listener) == ["create discussion", "update repo.content refs/pr/1"]

    bob.comment_discussion("alice/model", num, "Ping")
    hub.courier.settle()
    assert listener.told[0][1]["comment"]["content"] == "Ping"
    assert events(hub, listener) == ["create discussion.comment"]

    alice.merge_pull_request("alice/model", num)
    assert events(hub, listener) == ["update discussion", "update repo.content refs/heads/main"]
    alice.update_repo_settings("alice/model", private=True)
    alice.create_tag("alice/model", tag="v1")
    alice.delete_repo("alice/model")
    assert events(hub, listener) == ["update repo.config", "update repo.content refs/tags/v1", "delete repo"]


def test_only_what_is_watched(hub: LocalHub, alice: HfApi, bob: HfApi, model: str, listener: Listener) -> None:
    url = f"http://127.0.0.1:{listener.server_port}/hook"
    made = bob.create_webhook(url=url, watched=[{"type": "user", "name": "alice"}], domains=["repo"])
    alice.create_repo("alice/data", repo_type="dataset")
    bob.create_repo("bob/model")
    propose(bob)
    assert events(hub, listener) == ["create repo", "update repo.content refs/pr/1"]
    bob.disable_webhook(made.id)
    put(alice, "alice/model", {"a.txt": b"a"})
    assert events(hub, listener) == []
    assert bob.enable_webhook(made.id).disabled is False
    assert bob.update_webhook(made.id, watched=[{"type": "model", "name": "bob/model"}]).url == url
    assert [each.id for each in bob.list_webhooks()] == [made.id]
    assert alice.list_webhooks() == []
    with pytest.raises(HfHubHTTPError, match="Webhook not found"):
        alice.get_webhook(made.id)
    bob.delete_webhook(made.id)
    assert hub.webhooks == []


def test_a_listener_that_is_not_there_harms_nobody(hub: LocalHub, alice: HfApi, model: str, listener: Listener) -> None:
    there = f"http://127.0.0.1:{listener.server_port}/hook"
    for url in ("http://127.0.0.1:9/", there):
        alice.create_webhook(url=url, watched=[{"type": "user", "name": "alice"}])
    put(alice, "alice/model", {"a.txt": b"a"})
    assert len(events(hub, listener)) == 1
    assert [each.status for each in hub.deliveries] == [None, 202]
    hub.courier.replay(hub.deliveries[1])
    assert len(events(hub, listener)) == 1
