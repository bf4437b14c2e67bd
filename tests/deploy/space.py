"""A Space as the Hub makes it: a folder's files, an environment from its requirements alone, an app that is started."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import httpx2

from diffing.view.first_page import FIRST_PAGE_HEADER

ROOT = Path(__file__).parents[2]
TORCH = "torch==2.13.0"
"""First, so that pip may take it from wherever it is configured to find a small build; the same is in .ci/run."""
_OWN = ("VIRTUAL_ENV", "PYTHON", "PYTEST", "HF_", "GRADIO_", "SPACE", "OAUTH_", "OPENID_", "DIFFING_", "ANNOTATOR_")
"""Beginnings of variables of this process that a Space has not."""
_LONGEST = 120.0


def tracked(under: str) -> list[Path]:
    """Files of the checkout as they are now, those that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z", under], cwd=ROOT, capture_output=True, check=True)
    paths = [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if (ROOT / path).exists()]


def upload(under: str, space: Path, *, into: str = ".") -> None:
    """Copies a folder of the checkout into a Space, as `hf upload` does.

    Args:
        under: The folder, `.` for all.
        space: Where the Space's files are.
        into: Its folder there.
    """
    for path in tracked(under):
        target = space / into / path.relative_to(under)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target)


def environment(home: Path) -> dict[str, str]:
    """Variables of a process that knows nothing of this one's, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


def build(space: Path, venv: Path) -> Path:
    """A fresh virtual environment with the Space's requirements; gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    python = venv / "bin" / "python"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "PYTHON"))}
    for what in ([TORCH], ["-r", str(space / "requirements.txt")]):
        done = subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "--no-compile", *what],
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return python


@contextmanager
def started(command: Sequence[str], folder: Path, variables: Mapping[str, str], log: IO[str]) -> Iterator[str]:
    """Starts an app and waits until Gradio answers; gives its address, and ends it with all it started.

    Args:
        command: Starts it.
        folder: It is started there.
        variables: Its environment beside the port.
        log: Takes what it prints.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**variables, "GRADIO_SERVER_PORT": str(port), "GRADIO_SSR_MODE": "false"},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _until_it_answers(url, process, Path(log.name))
        yield url
    finally:
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(process.pid, 9)
        process.wait()


def _until_it_answers(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() < began + _LONGEST:
        with suppress(httpx2.TransportError):
            if FIRST_PAGE_HEADER not in httpx2.get(url, timeout=10.0).headers:
                return
        time.sleep(0.2)
    raise AssertionError(f"the app did not start: {log.read_text(encoding='utf-8')[-3000:]}")
