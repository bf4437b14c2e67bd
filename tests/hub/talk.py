"""Discussions and pull requests as data."""

from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["draft", "open", "closed", "merged"]
Event = dict[str, Any]
"""As the Hub sends it: id, type, createdAt, author, data."""


@dataclass
class Discussion:
    num: int
    title: str
    author: str
    is_pull_request: bool
    status: Status
    created_at: str
    base: str | None = None
    """Commit of main that a pull request starts from."""
    merge_commit: str | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def ref(self) -> str:
        return f"refs/pr/{self.num}"

    @property
    def comments(self) -> list[str]:
        return [event["data"]["latest"]["raw"] for event in self.events if event["type"] == "comment"]

    def add(self, kind: str, author: str, date: str, data: dict[str, Any]) -> Event:
        event = {
            "id": f"{self.num:012x}{len(self.events):012x}",
            "type": kind,
            "createdAt": date,
            "author": {"name": author, "type": "user"},
            "data": data,
        }
        self.events.append(event)
        return event

    def say(self, author: str, date: str, text: str) -> Event:
        latest = {"raw": text, "html": text, "updatedAt": date, "author": {"name": author}}
        data = {"edited": False, "hidden": False, "latest": latest, "history": [], "numEdits": 0}
        return self.add("comment", author, date, data)
