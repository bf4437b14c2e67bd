"""A visitor of the page without a browser: Gradio's own HTTP, as its script speaks it."""

import json
import time
from dataclasses import dataclass, field
from typing import Any, Self

import httpx2

from tests.waiting import DEADLINE


@dataclass
class Visit:
    """One visitor, with a session and cookies of its own."""

    url: str
    """Of the app; ends with a slash."""
    session: str
    """What its browser calls itself."""
    seen: list[str] = field(default_factory=list)
    """All that the server answered."""
    seconds: dict[str, list[float]] = field(default_factory=lambda: {"page": [], "load": [], "state": []})
    """How long it took: the page itself, what fills it, and a question where a run stands."""

    def __post_init__(self) -> None:
        self._client = httpx2.Client(base_url=self.url, timeout=DEADLINE)
        self._config: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def come(self, query: str) -> str:
        """Loads the page by a link and has it filled; all that it shows."""
        self._timed("page", lambda: self._client.get("", params=query))
        if not self._config:
            self._config = self._client.get("config").json()
        loads = [each for each in self._config["dependencies"] if "load" in (target[1] for target in each["targets"])]
        load = max(loads, key=lambda each: len(each["outputs"]))["id"]  # it fills all parts
        return self._timed("load", lambda: self._event(load, query, []))

    def ask(self, run_id: str, act: str = "look", *, lends: bool = False) -> dict[str, Any]:
        """What the script of a run's page asks; it lends where the run was begun in its tab."""
        (box,) = [each["id"] for each in self._config["components"] if "of_run" in each["props"].get("server_fns", ())]
        body = {
            "data": {"run": run_id, "act": act, "lends": lends},
            "component_id": box,
            "fn_name": "of_run",
            "session_hash": self.session,
        }
        answered: dict[str, Any] = json.loads(
            self._timed("state", lambda: self._client.post("gradio_api/component_server/", json=body))
        )
        return answered

    def submit(self, name: str, value: str) -> str:
        """Has a hidden box of a class submit a value, and waits for the end of what this begins."""
        (box,) = [each["id"] for each in self._config["components"] if name in each["props"].get("elem_classes", ())]
        (event,) = [each["id"] for each in self._config["dependencies"] if [box, "submit"] in each["targets"]]
        return self._event(event, "", [value]).text

    def _event(self, fn_index: int, query: str, data: list[Any]) -> httpx2.Response:
        body = {"data": data, "fn_index": fn_index, "session_hash": self.session, "trigger_id": None}
        self._client.post("gradio_api/queue/join", params=query, json=body).raise_for_status()
        return self._client.get("gradio_api/queue/data", params={"session_hash": self.session})

    def _timed(self, what: str, request: Any) -> str:
        began = time.monotonic()
        answered: httpx2.Response = request()
        answered.raise_for_status()
        self.seconds[what].append(time.monotonic() - began)
        self.seen.append(answered.text)
        return answered.text
