"""Two people at the Hub, each with the stock client."""

from collections.abc import Callable

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from tests.hub import LocalHub
from tests.hub.fixtures import hub

__all__ = ["hub"]

As = Callable[[str], HfApi]
README = b"---\nlicense: mit\n---\n# A model\n"


@pytest.fixture
def alice(hub: LocalHub) -> HfApi:
    return HfApi(hub.endpoint, token=hub.add_user("alice"))


@pytest.fixture
def bob(hub: LocalHub) -> HfApi:
    return HfApi(hub.endpoint, token=hub.add_user("bob"))


@pytest.fixture
def nobody(hub: LocalHub) -> HfApi:
    return HfApi(hub.endpoint, token=False)


@pytest.fixture
def model(alice: HfApi) -> str:
    """alice/model with a README and weights; gives the commit."""
    alice.create_repo("alice/model")
    return put(alice, "alice/model", {"README.md": README, "weights.safetensors": bytes(100)})


def put(api: HfApi, repo_id: str, files: dict[str, bytes], message: str = "Add files", **options: object) -> str:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return api.create_commit(repo_id, operations, commit_message=message, **options).oid
