"""Webhooks: what they watch, what is sent to them, and the one who carries it."""

import queue
import threading
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.hub.accounts import object_id
from tests.hub.store import MAIN, Repository
from tests.hub.talk import Discussion, Event
from tests.waiting import DEADLINE


@dataclass
class Webhook:
    id: str
    owner: str
    url: str
    watched: list[dict[str, str]]
    domains: list[str]
    secret: str | None = None
    disabled: bool = False

    def wants(self, repo: Repository, scope: str) -> bool:
        watched = {(each["type"], each["name"]) for each in self.watched}
        ours = {(repo.kind, repo.id), ("user", repo.owner), ("org", repo.owner)}
        return not self.disabled and scope.split(".")[0] in self.domains and bool(watched & ours)

    def as_json(self) -> dict[str, Any]:
        shown = {"id": self.id, "url": self.url, "watched": self.watched, "domains": self.domains}
        return {**shown, "secret": self.secret, "disabled": self.disabled}


@dataclass
class Delivery:
    webhook: Webhook
    payload: dict[str, Any]
    status: int | None = None
    """None where nobody answered."""


@dataclass
class Courier:
    """Carries events to their webhooks, in order, from a thread of its own."""

    deliveries: list[Delivery] = field(default_factory=list)
    _waiting: "queue.Queue[Delivery | None]" = field(default_factory=queue.Queue)
    _thread: threading.Thread | None = None

    def send(self, webhook: Webhook, payload: dict[str, Any]) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._waiting.put(Delivery(webhook, payload))

    def replay(self, delivery: Delivery) -> None:
        """The same again, as the Hub's settings page can."""
        self.send(delivery.webhook, delivery.payload)

    def settle(self) -> None:
        """Waits until everything sent so far was answered or given up."""
        self._waiting.join()

    def stop(self) -> None:
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        with httpx2.Client(timeout=DEADLINE, verify=False) as client:
            while (delivery := self._waiting.get()) is not None:
                secret = delivery.webhook.secret
                headers = {} if secret is None else {"X-Webhook-Secret": secret}
                try:
                    answer = client.post(delivery.webhook.url, json=delivery.payload, headers=headers)
                    delivery.status = answer.status_code
                except (httpx2.HTTPError, httpx2.InvalidURL):
                    delivery.status = None
                self.deliveries.append(delivery)
                self._waiting.task_done()


def envelope(endpoint: str, repo: Repository, discussion: Discussion | None) -> dict[str, Any]:
    """The parts about the repository, and about the discussion where there is one."""
    prefix = "" if repo.kind == "model" else f"{repo.kind}s/"
    url = {"web": f"{endpoint}/{prefix}{repo.id}", "api": f"{endpoint}/api/{repo.kind}s/{repo.id}"}
    about: dict[str, Any] = {
        "repo": {
            "type": repo.kind,
            "name": repo.id,
            "id": object_id(repo.kind, repo.id),
            "private": repo.private,
            "url": url,
            "headSha": repo.refs.get(MAIN),
            "owner": {"id": object_id("account", repo.owner)},
        }
    }
    if discussion is not None:
        page = f"discussions/{discussion.num}"
        about["discussion"] = {
            "id": object_id(repo.kind, repo.id, discussion.num),
            "title": discussion.title,
            "url": {key: f"{each}/{page}" for key, each in url.items()},
            "status": discussion.status,
            "author": {"id": object_id("account", discussion.author)},
            "num": discussion.num,
            "isPullRequest": discussion.is_pull_request,
        }
        if discussion.is_pull_request:
            merged = {} if discussion.merge_commit is None else {"mergeCommitId": discussion.merge_commit}
            about["discussion"]["changes"] = {"base": MAIN, **merged}
    return about


def comment_of(about: dict[str, Any], event: Event) -> dict[str, Any]:
    """The part of a payload about a comment."""
    return {
        "id": event["id"],
        "author": {"id": object_id("account", event["author"]["name"])},
        "hidden": event["data"]["hidden"],
        "content": event["data"]["latest"]["raw"],
        "url": {"web": f"{about['discussion']['url']['web']}#{event['id']}"},
    }
