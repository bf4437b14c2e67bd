"""One local Hub for the tests of a file."""

from collections.abc import Iterator

import pytest

from tests.hub import LocalHub
from tests.view.journeys.world import environment, push_pair


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    """A Hub with the embedded pair; all clients ask it."""
    folder = tmp_path_factory.mktemp("town")
    with LocalHub() as hub, environment(hub, folder):
        hub.add_user("alice")
        push_pair(hub, folder / "card")
        yield hub
