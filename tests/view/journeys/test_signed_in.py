"""A Space with sign-in, as a process of its own: alice publishes in her name, bob reads nothing private of hers."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from diffing.view.first_page import FIRST_PAGE_HEADER
from tests.hub import LocalHub
from tests.hub.login import Login
from tests.starter import Process, Starter
from tests.view.journeys.looked import open_page
from tests.view.journeys.world import finished, keep
from tests.waiting import DEADLINE, until

pytestmark = pytest.mark.browser
APP = Path(__file__).parents[3] / "app.py"
PRIVATE = "alice/private"


@dataclass(frozen=True, slots=True)
class Space:
    """An app with visitors."""

    url: str
    login: Login
    hub: LocalHub


@pytest.fixture
def space(town: LocalHub, starter: Starter, tmp_path: Path) -> Iterator[Space]:
    """`app.py` as the Hub starts it; with a token of its own, as owners give their Spaces."""
    pytest.importorskip("gradio", reason="needs the extra app")
    keep(tmp_path / "site", "kept", "done", report=finished())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Login({name: town.add_user(name) for name in ("alice", "bob")}) as login:
        own = {"HF_TOKEN": town.add_user("owner"), "DIFFING_SITE": str(tmp_path / "site"), "DIFFING_WORKERS": "1"}
        served = {"GRADIO_SERVER_PORT": str(port), "GRADIO_SSR_MODE": "false", "GRADIO_ANALYTICS_ENABLED": "0"}
        town.requests.clear()
        app = starter.start(
            ["-c", f"import runpy; runpy.run_path({str(APP)!r}, run_name='__main__')"],
            os.environ | login.environment() | own | served, tmp_path / "out", tmp_path / "err",
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}/"
            until(lambda: answers(url, app))
            yield Space(url, login, town)
        finally:
            os.kill(app.pid, signal.SIGTERM)
            app.wait(DEADLINE)


def answers(url: str, app: Process) -> bool:
    """Whether it does, with Gradio's page; between the first page and that one nothing listens for a moment."""
    assert app.poll() is None, "the app ended"
    time.sleep(0.1)  # asking takes as much time as the start
    try:
        return FIRST_PAGE_HEADER not in httpx2.get(url, timeout=DEADLINE).headers
    except httpx2.TransportError:
        return False


def refused(page: Any, url: str) -> None:
    """A diff that this visitor may not read is as if it were not there."""
    page.goto(f"{url}?diff={PRIVATE}")
    page.get_by_role("alert").get_by_text(PRIVATE).wait_for()
    assert page.locator("#headline").count() == 0


def test_each_acts_in_their_own_name_and_reads_what_is_theirs(space: Space, browser: Any) -> None:
    alice = open_page(browser)
    alice.goto(f"{space.url}?run=kept")
    alice.get_by_role("button", name="Share").click()
    alice.get_by_role("button", name="Put on the Hub").click()
    alice.locator("#share-panel").get_by_role("link", name="Sign in with Hugging Face").click()
    alice.get_by_role("link", name="Continue as alice").click()
    alice.wait_for_url(f"{space.url}?run=kept")
    alice.get_by_role("button", name="Share").click()
    alice.get_by_role("button", name="Put on the Hub").click()
    alice.get_by_role("textbox", name="Dataset").fill(PRIVATE)
    alice.get_by_role("checkbox", name="Private").check()
    alice.get_by_role("button", name="Publish").click()
    alice.locator("#share-panel").get_by_text("Published", exact=True).wait_for()
    assert space.hub.repo(PRIVATE, "dataset").private
    assert {commit.author for commit in space.hub.repo(PRIVATE, "dataset").commits()} == {"alice"}
    assert {request.user for request in space.hub.requests} <= {None, "alice"}
    alice.goto(f"{space.url}?diff={PRIVATE}")
    alice.locator("#headline").wait_for()

    bob = open_page(browser)
    refused(bob, space.url)
    bob.get_by_role("button", name="Sign in with Hugging Face").click()
    bob.get_by_role("link", name="Continue as bob").click()
    bob.get_by_role("button", name="bob").wait_for()
    refused(bob, space.url)
    bob.get_by_role("link", name="Gallery").click()
    bob.get_by_text("Nothing is published yet").wait_for()

    alice.get_by_role("button", name="alice").click()
    alice.get_by_role("button", name="Sign in with Hugging Face").wait_for()
    refused(alice, space.url)
    assert {request.user for request in space.hub.requests} <= {None, "alice", "bob"}, "never the Space's own account"
    assert set(space.login.scopes) == {space.login.environment()["OAUTH_SCOPES"]}
    assert alice.went_wrong + bob.went_wrong == []
    for page in (alice, bob):
        page.context.close()
