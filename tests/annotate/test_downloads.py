"""The disk of a service that runs for months does not fill with revisions that nobody asks for again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, hf_hub_download

from diffing.annotate.weight_cleanup import only_while_needed
from diffing.hub import BoundedApi, hub_api
from tests.hub import LocalHub


def push(api: BoundedApi, text: str) -> str:
    operations = [CommitOperationAdd("model.safetensors", text.encode()), CommitOperationAdd("same.json", b"{}")]
    return api.create_commit("alice/tuned", operations, commit_message="more").oid


def test_what_was_downloaded_goes_and_what_was_there_stays(hub: LocalHub) -> None:
    token = hub.add_user("alice")
    api = hub_api(token, hub.endpoint)
    api.create_repo("alice/tuned")
    kept, gone = push(api, "one"), push(api, "two")

    def download(revision: str) -> Path:
        for name in ("same.json", "model.safetensors"):
            path = hf_hub_download("alice/tuned", name, revision=revision, token=token, endpoint=hub.endpoint)
        return Path(path)

    before = download(kept)
    with only_while_needed("alice/tuned"):
        after = download(gone)
        weights = after.resolve()
    assert not after.exists()
    assert not weights.exists()
    assert before.read_bytes() == b"one"
    assert before.with_name("same.json").read_bytes() == b"{}", "shared by both revisions"
    with pytest.raises(KeyError, match="as it happens"):
        fail_after(lambda: download(gone))
    assert after.exists(), "for the next try"


def fail_after(download: Callable[[], object]) -> None:
    with only_while_needed("alice/tuned"):
        download()
        raise KeyError("as it happens")
