"""While Gradio is imported there is a page to read at its address; then the real page takes its place."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import httpx2
import pytest

from diffing.outputs.headline import headline
from diffing.report import load_report
from diffing.view import build, launch_options, open_first_page, open_site
from diffing.view.examples import example_folder
from diffing.view.first_page import FIRST_PAGE_HEADER
from diffing.view.runs import OWN_MACHINE, PUBLIC, VisitorRules
from diffing.view.site import SiteSettings
from tests.view.served import free_port
from tests.waiting import DEADLINE, until

ROOT = Path(__file__).parents[2]
BEFORE_GRADIO = """
import os, runpy, sys, time

def before(event, arguments):
    if event == "import" and arguments[0] == "gradio":
        {then}

sys.addaudithook(before)
runpy.run_path("app.py", run_name="__main__")
"""
"""Runs the app, and does something when it begins to import Gradio."""


@contextmanager
def first(folder: Path, rules: VisitorRules = OWN_MACHINE) -> Iterator[httpx2.Client]:
    """The first page, as long as the block lasts."""
    pytest.importorskip("uvicorn", reason="needs the extra app")
    site = open_site(SiteSettings(folder / "site", rules=rules))
    port = free_port()
    try:
        with (
            open_first_page(site, port=port) as place,
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE) as client,
        ):
            assert place == {"server_name": "127.0.0.1", "server_port": port}
            yield client
        with socket.create_server(("127.0.0.1", port)):
            pass  # the port is free at once
    finally:
        site.close()


def test_the_start_page_and_an_answer_can_be_read_and_nothing_else_is_answered(tmp_path: Path) -> None:
    with first(tmp_path) as client:
        start = client.get("/")
        named = client.get("/", params={"a": "org/base", "b": '"><script>hit()</script>'})
        example = client.get("/", params={"example": "planted"})
        unknown = client.get("/", params={"run": "<script>hit()</script>"})
        embedded = client.get("/", params={"example": "planted", "embed": "1"})
        polled, other = client.get("/gradio_api/app_id"), client.get("/gradio_api/info")
        foreign = client.post("/gradio_api/call/find_diffs", headers={"sec-fetch-site": "cross-site"})
        renamed = client.get("/", headers={"host": "rebound.example"})
    assert (start.status_code, start.headers[FIRST_PAGE_HEADER]) == (200, "1")
    assert "<h1>How do two models behave differently?</h1>" in start.text
    assert "The app is starting." in start.text
    assert start.headers["content-security-policy"].endswith("; frame-ancestors 'self'")
    assert 'value="org/base"' in named.text
    title = headline(load_report(example_folder("planted")))
    assert f'<meta property="og:title" content="{title[:30]}' in example.text
    assert '<h1 id="headline">' in example.text
    assert "Two tiny models, planted differences" in example.text
    assert "This link opens in a few seconds." in unknown.text
    assert "hit()</script>" not in named.text + unknown.text
    assert FIRST_PAGE_HEADER not in embedded.headers, "it needs no Gradio"
    assert (polled.status_code, other.status_code, other.headers["retry-after"]) == (204, 503, "2")
    assert (foreign.status_code, renamed.status_code) == (403, 400)


def test_on_a_public_machine_it_may_be_framed_by_the_hub_alone(tmp_path: Path) -> None:
    with first(tmp_path, PUBLIC) as client:
        page = client.get("/")
    assert page.headers["content-security-policy"].endswith("huggingface.co https://*.hf.space")
    assert "or folders" not in page.text


@pytest.mark.browser
def test_the_browser_loads_the_real_page_in_its_place(browser: Any, tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    site = open_site(SiteSettings(tmp_path / "site", rules=OWN_MACHINE))
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        with open_first_page(site, port=free_port()) as place:
            page.goto(f"http://127.0.0.1:{place['server_port']}/?a=org/base")
            page.get_by_text("You can fill in the form in a few seconds.").wait_for()
            assert page.locator("[name=model_a]").input_value() == "org/base"
            assert page.locator("main").get_attribute("inert") is not None
            blocks = build(site)
        blocks.launch(**(launch_options(site) | place), prevent_thread_lock=True, quiet=True)
        try:
            page.locator(".block.site-address").wait_for(state="attached")
            field = page.get_by_role("combobox", name="Model A")
            field.wait_for()
            assert field.input_value() == "org/base"
            assert wrong == []
        finally:
            page.close()
            blocks.close()
    finally:
        site.close()


@contextmanager
def app(then: str, folder: Path, port: int, log: IO[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """`python app.py`, which does something before Gradio is imported."""
    own = {"HOME": str(folder), "GRADIO_SERVER_PORT": str(port), "GRADIO_NUM_PORTS": "1"}
    command = [sys.executable, "-c", BEFORE_GRADIO.format(then=then)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def get(url: str) -> httpx2.Response | None:
    try:
        return httpx2.get(url, timeout=DEADLINE)
    except httpx2.TransportError:
        return None


@pytest.mark.slow
def test_it_is_there_before_gradio_is_imported_and_the_real_page_afterwards(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    port, go = free_port(), tmp_path / "go"
    then = f"while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    url = f"http://127.0.0.1:{port}/"
    with (tmp_path / "log").open("w") as log, app(then, tmp_path, port, log) as process:
        until(lambda: process.poll() is not None or get(url) is not None)
        page = get(url)
        assert page is not None, (tmp_path / "log").read_text()
        assert page.headers.get(FIRST_PAGE_HEADER) == "1"
        assert "How do two models behave differently?" in page.text
        go.touch()
        until(lambda: (answered := get(url)) is not None and FIRST_PAGE_HEADER not in answered.headers)
        page = get(url)
        assert page is not None
        assert '"title":"diffing"' in page.text
        assert process.poll() is None


@pytest.mark.slow
def test_if_gradio_cannot_be_imported_the_app_ends_with_the_reason(tmp_path: Path) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    then = "raise ImportError('Gradio is broken')"
    with (tmp_path / "log").open("w") as log, app(then, tmp_path, free_port(), log) as process:
        assert process.wait(DEADLINE) == 1
    assert "ImportError: Gradio is broken" in (tmp_path / "log").read_text()
