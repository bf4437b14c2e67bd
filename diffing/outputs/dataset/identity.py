"""The identity of a published diff, by which equal runs are found: its models, a digest of its settings, its tags.

Every published diff has the tag `model-diff`, and `model-diff:<org/name>` for every Hub repository of its two models.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diffing.model_ref import ModelRef, read_ref
from diffing.types import Report, Scalar

TAG = "model-diff"
"""Tag of every published diff, and the prefix of the tags that name the models."""
ENTRY = "model_diff"
"""Key of our entry in the card's YAML."""
_OWN = ("model_a", "model_b")


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """The models and settings of a run, by which equal runs are recognised."""

    model_a: str
    """The first model with its commit, `org/name@sha`."""
    model_b: str
    """The second model with its commit."""
    settings: str
    """Digest of every setting that influenced the result, and of the version of diffing."""

    def same_pair(self, other: "RunIdentity") -> bool:
        """Whether both compare the same two models, at any revisions."""
        return self._pair == other._pair

    @property
    def _pair(self) -> tuple[ModelRef, ...]:
        return tuple(read_ref(model).unpinned for model in (self.model_a, self.model_b))


def identity_of(report: Report) -> RunIdentity:
    """Returns the identity of a report."""
    digest = settings_digest(report.settings, report.versions.get("diffing", ""))
    return RunIdentity(report.model_a.id, report.model_b.id, digest)


def settings_digest(settings: Mapping[str, Scalar], version: str) -> str:
    """Returns a digest that is equal for equal settings, without those that name the models.

    The models are left out because their ids with commits identify them more exactly.

    Args:
        settings: The settings of a report.
        version: The version of diffing that made it.
    """
    deciding = {key: value for key, value in settings.items() if key not in _OWN}
    text = json.dumps([version, deciding], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def identity_in(metadata: Any) -> RunIdentity | None:  # noqa: ANN401 - what a card's YAML holds
    """Reads the identity from a card; returns None if the card is not that of a published diff.

    Args:
        metadata: The card's YAML as plain values.
    """
    match metadata:
        case {"tags": [*tags], "model_diff": {"model_a": str(a), "model_b": str(b), "settings": str(digest)}}:
            return RunIdentity(a, b, digest) if TAG in tags else None
    return None


def model_tag(repository: str) -> str:
    """Returns the tag of datasets that compare this model."""
    return f"{TAG}:{repository}"


def tags_of(report: Report) -> list[str]:
    """Returns all tags of a report's dataset."""
    both = (*report.model_a.ref.repositories, *report.model_b.ref.repositories)
    return [TAG, *map(model_tag, dict.fromkeys(both))]
