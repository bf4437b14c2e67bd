"""`diffing serve`: one line with the address, for this machine alone, ends cleanly."""

import os
import re
import signal
import socket
from pathlib import Path

import httpx2
import pytest

from diffing.cli.serve import serve
from diffing.errors import SettingError
from tests.cli.conftest import Run, clean_environment
from tests.cli.test_wrong_input import assert_one_line
from tests.starter import Starter
from tests.view.served import free_port
from tests.waiting import DEADLINE, until


def test_it_serves_this_machine_and_ends_cleanly(starter: Starter, tmp_path: Path, port: int) -> None:
    pytest.importorskip("gradio", reason="needs the extra app")
    out, err = tmp_path / "out", tmp_path / "err"
    args = ["serve", "--port", str(port), "--folder", str(tmp_path / "site")]
    process = starter.start(args, clean_environment(tmp_path), out, err)

    def served() -> bool:
        assert process.poll() is None, err.read_text()
        return "Page: " in (err.read_text() if err.exists() else "")

    until(served)
    assert re.findall(r"http\S+", err.read_text()) == [f"http://127.0.0.1:{port}/"]
    url = f"http://127.0.0.1:{port}/gradio_api/info"
    until(lambda: answers(url))
    assert "/compare_models" in httpx2.get(url, timeout=DEADLINE).json()["named_endpoints"]
    for path in ("", "gradio_api/info", "gradio_api/mcp/"):
        answer = httpx2.get(f"http://127.0.0.1:{port}/{path}", headers={"Host": "evil.example"}, timeout=DEADLINE)
        assert answer.status_code == 400, path
    os.kill(process.pid, signal.SIGINT)
    assert process.wait() == 0
    assert out.read_text() == ""
    assert f"Results are kept in {tmp_path / 'site'}: the same command opens it again" in err.read_text()


def answers(url: str) -> bool:
    """Whether Gradio's page is there: the first page refuses this, and between the two nothing listens."""
    try:
        return httpx2.get(url, timeout=DEADLINE).is_success
    except httpx2.TransportError:
        return False


def test_what_cannot_be_served_is_one_line(run_cli: Run, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        taken = run_cli("serve", "--port", port)
    assert_one_line(taken, f"Cannot listen on 127.0.0.1:{port}", "Give another --port")
    for host in ("0.0.0.0", "192.0.2.1", "::", "example.org"):
        assert_one_line(run_cli("serve", "--host", host), f"Others can reach --host {host}", "--public")
    assert_one_line(run_cli("serve", "--host", "192.0.2.1", "--public"), "Cannot listen on")


@pytest.fixture
def port() -> int:
    """One that nothing listens on now."""
    return free_port()


def test_windows_is_told_what_the_page_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diffing.cli.serve.find_spec", {"resource": None}.__getitem__)
    with pytest.raises(SettingError, match="needs Linux or macOS"):
        serve()
