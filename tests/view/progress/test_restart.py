"""The app is killed in the middle of a run and started again: page and link come back, nothing is asked twice."""

import json
import os
import signal
import socket
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.cli.world import World
from tests.servers.openai_server import OpenAIServer
from tests.starter import Starter
from tests.view.progress.visits import Visit
from tests.view.runs.conftest import PROMPTS, config_of
from tests.view.served import served
from tests.waiting import DEADLINE, until


def free_port() -> int:
    """One that nobody uses now."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
        return port


@pytest.mark.browser
@pytest.mark.usefixtures("quick_runs")
def test_the_app_is_killed_in_the_middle_of_a_run(browser: Any, starter: Starter, tmp_path: Path) -> None:
    site, port = tmp_path / "site", free_port()
    seen, world = threading.Event(), World()

    def answer(request: dict[str, Any]) -> str:
        """Not all of it before the page has come."""
        if server.count > 10:
            seen.wait(4 * DEADLINE)  # longer than the page may take to come
        return world(request)

    with OpenAIServer(answer) as server:
        config = config_of(server, tmp_path)
        command = ["-m", "tests.view.progress.kept_app", str(site), str(port), json.dumps(asdict(config))]
        app = starter.start([*command, str(starter.folder)], os.environ, tmp_path / "out", tmp_path / "err")
        until(lambda: (site / "started").exists())
        run_id = (site / "started").read_text(encoding="utf-8")
        link = f"http://127.0.0.1:{port}/?run={run_id}"
        page = browser.new_page()
        page.goto(link)
        page.locator("[role=progressbar]").wait_for()
        until(lambda: server.count > 10)
        os.kill(app.pid, signal.SIGKILL)
        app.wait()
        seen.set()
        page.get_by_text("Connection lost, trying again").wait_for()
        asked = server.count
        assert asked < 2 * PROMPTS
        assert page.locator("[role=progressbar]").is_visible()  # what was known stays on the page
        server.answer = World(pause=0.1)
        with served(site, workers=1, port=port) as again:
            with Visit(again.url, "another") as other:
                assert run_id in other.come(f"run={run_id}")
            page.get_by_role("tab", name="Findings").wait_for()
            assert page.url == link
            assert again.site.run_manager.state(run_id).state == "done"  # type: ignore[union-attr]
        page.close()
        assert asked <= server.count <= 2 * PROMPTS + 2 * config.concurrency
