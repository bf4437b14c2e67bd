"""Starts `diffing` commands, and code, quickly: forks them from a process that has the slow libraries loaded already.

A command of its own has its own environment, folder, output and process, that can be killed; only the seconds in which
Python imports scipy, pandas, scikit-learn, torch, what transformers needs of it, and our own modules are spent once
instead of each time. Libraries that read the environment when they are imported are not loaded beforehand.
"""

import gc
import importlib
import json
import os
import resource
import runpy
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from tests.waiting import DEADLINE

PRELOADED = (
    *("numpy", "scipy.stats", "scipy.optimize", "pandas", "pyarrow.parquet", "pyarrow.pandas_compat", "yaml", "fsspec"),
    *("sklearn.cluster", "sklearn.decomposition", "sklearn.feature_extraction.text", "httpx2", "tenacity"),
    *("jinja2", "orjson", "PIL.Image", "resvg_py", "rich.console", "rich.progress"),
    *("typer", "typer._adapters", "torch", "torch._dynamo", "sympy"),
    *("diffing.cli", "diffing.run", "diffing.models.recorded", "diffing.outputs.html"),
)
UNTOUCHED = ("huggingface_hub", "datasets", "transformers")
"""They read the environment when they are imported."""


class Process:
    """A command that was started."""

    def __init__(self, starter: "Starter", pid: int) -> None:
        self._starter = starter
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._starter.ask({"poll": self.pid})
        return self.returncode

    def wait(self, timeout: float = DEADLINE) -> int:
        """Waits for the exit status."""
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                os.kill(self.pid, 9)
                raise subprocess.TimeoutExpired("diffing", timeout)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode


class Starter:
    """`with Starter() as starter: starter.run(["show", "runs/x"], env)`; several threads may ask it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.starter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_bare(),
            cwd=Path(__file__).parents[1],
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=DEADLINE)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One request, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def start(
        self, args: Sequence[str], env: Mapping[str, str], out: Path, err: Path, file_size: int | None = None
    ) -> Process:
        """Starts `diffing args` with exactly this environment; its output goes to two files.

        `args` may begin with `-c` and code, or with `-m` and a module, as Python's own. `file_size`: bytes that a file
        may have at most, as on a full disk.
        """
        request = {"args": list(args), "env": dict(env), "cwd": os.getcwd(), "out": str(out), "err": str(err)}
        return Process(self, self.ask({**request, "file_size": file_size}))

    def run(
        self, args: Sequence[str], env: Mapping[str, str], file_size: int | None = None, timeout: float = DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` with captured text."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            code = self.start(args, env, out, err, file_size).wait(timeout)
            texts = [path.read_text(encoding="utf-8") for path in (out, err)]
        return subprocess.CompletedProcess(["diffing", *args], code, *texts)


def _bare() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "DIFFING_"))}


def _child(request: Mapping[str, Any]) -> int:
    """What the forked process does: all that differs between two starts of Python is set anew."""
    for descriptor, name in enumerate((os.devnull, request["out"], request["err"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), descriptor)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(i, mode, encoding="utf-8") for i, mode in enumerate("rww"))
    if request["file_size"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"],) * 2)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    try:
        _do(request["args"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - shown as Python shows it at the top of a process
        traceback.print_exc()
        return 1
    return 0


def _do(args: list[str]) -> None:
    match args:
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case _:
            from diffing.__main__ import main

            sys.argv = ["diffing", *args]
            main(args)


def _compile_templates() -> None:
    """Those of the page that a run writes."""
    from diffing.outputs import html

    for path in Path(html.__file__).parent.glob("*.jinja"):
        html.environment().get_template(path.name)


def _serve() -> None:
    for module in PRELOADED:
        with suppress(ModuleNotFoundError):  # parts that another version of a library has not
            importlib.import_module(module)
    _compile_templates()
    assert not [module for module in UNTOUCHED if module in sys.modules], (
        "it would keep the environment of this process"
    )
    gc.freeze()  # a collection in a command would copy all of this
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                code = _child(request)
                with suppress(OSError):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer to the test's process


if __name__ == "__main__":
    _serve()
