"""Collections as data."""

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Item:
    object_id: str
    id: str
    kind: str
    note: str | None = None


@dataclass
class Collection:
    id: str
    title: str
    owner: str
    updated_at: str
    description: str | None = None
    private: bool = False
    theme: str = "orange"
    items: list[Item] = field(default_factory=list)

    @property
    def slug(self) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")
        return f"{self.owner}/{words}-{self.id}"

    def as_json(self) -> dict[str, Any]:
        shown = {
            "slug": self.slug,
            "title": self.title,
            "owner": self.owner,
            "lastUpdated": self.updated_at,
            "private": self.private,
            "theme": self.theme,
            "upvotes": 0,
            "position": 0,
            "items": [_item(position, each) for position, each in enumerate(self.items)],
        }
        return shown if self.description is None else {**shown, "description": self.description}


def _item(position: int, item: Item) -> dict[str, Any]:
    shown = {"_id": item.object_id, "id": item.id, "type": item.kind, "position": position}
    return shown if item.note is None else {**shown, "note": {"text": item.note, "html": item.note}}
