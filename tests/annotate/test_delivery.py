"""A delivery is a push, a reason, or refused; whatever it holds."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffing.annotate.webhook_payload import IgnoredPush, ModelPush, read_delivery
from diffing.errors import SettingError
from tests.annotate.service import payload

COMMIT = "a" * 40
PARENT = "0" * 39 + "1"


def read(body: object) -> ModelPush | IgnoredPush:
    return read_delivery(json.dumps(body).encode(), lambda name: name.startswith("alice/"))


def moved(ref: str = "refs/heads/main", new: Any = COMMIT, old: Any = PARENT) -> dict[str, Any]:
    return {"ref": ref, "oldSha": old, "newSha": new}


def test_push() -> None:
    assert read(payload()) == ModelPush("alice/tuned", COMMIT, PARENT)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"event": {"action": "create", "scope": "repo.content"}}, ModelPush("alice/tuned", COMMIT, PARENT)),
        ({"event": {"action": "update", "scope": "repo.content.lfs"}}, ModelPush("alice/tuned", COMMIT, PARENT)),
        ({"updatedRefs": [moved("refs/pr/1"), moved()]}, ModelPush("alice/tuned", COMMIT, PARENT)),
        ({"updatedRefs": [moved(old=None)]}, ModelPush("alice/tuned", COMMIT, None)),
        ({"webhook": None}, ModelPush("alice/tuned", COMMIT, PARENT)),
        ({"event": {"action": "delete", "scope": "repo.content"}}, IgnoredPush("another event than new content")),
        ({"event": {"action": "update", "scope": "repo.config"}}, IgnoredPush("another event than new content")),
        ({"event": {"action": "update", "scope": "repo.contents"}}, IgnoredPush("another event than new content")),
        ({"event": {"action": "update", "scope": ["repo.content"]}}, IgnoredPush("another event than new content")),
        ({"event": {}}, IgnoredPush("another event than new content")),
        ({"webhook": {"id": "1", "version": 4}}, IgnoredPush("unknown version of the Hub's payload")),
        ({"repo": {"type": "dataset", "name": "alice/tuned"}}, IgnoredPush("not a model")),
        ({"repo": {"type": "kernel", "name": "alice/tuned"}}, IgnoredPush("not a model")),
        ({"repo": {"type": "model", "name": "mallory/tuned"}}, IgnoredPush("repository not on the allow-list")),
        ({"updatedRefs": [moved("refs/pr/1")]}, IgnoredPush("another branch than main, or a pull request")),
        ({"updatedRefs": [moved("refs/heads/dev")]}, IgnoredPush("another branch than main, or a pull request")),
        ({"updatedRefs": []}, IgnoredPush("another branch than main, or a pull request")),
        ({"updatedRefs": ["main"]}, IgnoredPush("another branch than main, or a pull request")),
        ({"updatedRefs": None}, IgnoredPush("names no branch")),
        ({"updatedRefs": [moved(new=None)]}, IgnoredPush("the main branch was deleted")),
    ],
)
def test_rules(changes: dict[str, Any], expected: ModelPush | IgnoredPush) -> None:
    assert read(payload(**changes)) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 10_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "payload's event"),
        (json.dumps(payload(repo=[])).encode(), "payload's repo"),
        (json.dumps(payload(webhook=3)).encode(), "payload's webhook"),
        (json.dumps(payload(repo={"type": "model", "name": "../../etc"})).encode(), "org/name"),
        (json.dumps(payload(repo={"type": "model", "name": "alone"})).encode(), "org/name"),
        (json.dumps(payload(repo={"type": "model", "name": 7})).encode(), "org/name"),
        (json.dumps(payload(updatedRefs=[moved(new="abc")])).encode(), "40 hexadecimal"),
        (json.dumps(payload(updatedRefs=[moved(new="g" * 40)])).encode(), "40 hexadecimal"),
        (json.dumps(payload(updatedRefs=[moved(old="'; --")])).encode(), "40 hexadecimal"),
    ],
)
def test_malformed_bodies_are_refused(body: bytes, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        read_delivery(body, lambda name: True)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(["event", "repo", "updatedRefs", "webhook"]), _JSON))
def test_no_payload_breaks_it(changes: dict[str, Any]) -> None:
    try:
        outcome = read(payload(**changes))
    except SettingError:
        return
    assert isinstance(outcome, IgnoredPush) or outcome == ModelPush("alice/tuned", COMMIT, PARENT)
