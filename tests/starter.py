"""Starts `diffing` commands, and code, quickly: forks them from a process that has the slow libraries loaded already.

All workers of one `pytest -n` share that process and are forked from it themselves; it ends when the last of them has
gone.

A command of its own has its own environment, folder, output and process, that can be killed; only the seconds in which
Python imports scipy, pandas, scikit-learn, torch, transformers, Gradio, and our own modules are spent once instead of
each time. What the Hub's client, transformers and Gradio read from the environment when they are imported is read
again.
"""

import fcntl
import functools
import gc
import importlib
import importlib.util
import json
import os
import resource
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any, Self

from tests.gradio_stubs import skip_stubs, skip_unused_apps
from tests.waiting import DEADLINE

PRELOADED = (
    *("numpy", "scipy.stats", "scipy.optimize", "pandas", "pyarrow.parquet", "pyarrow.pandas_compat", "yaml", "fsspec"),
    *("sklearn.cluster", "sklearn.decomposition", "sklearn.feature_extraction.text", "httpx2", "tenacity"),
    *("jinja2", "orjson", "PIL.Image", "resvg_py", "rich.console", "rich.progress"),
    *("typer", "typer._adapters", "torch", "torch._dynamo", "torch.distributed.tensor", "sympy"),
    *("huggingface_hub.hf_api", "huggingface_hub.file_download", "huggingface_hub.errors", "transformers"),
    *("transformers.modeling_utils", "transformers.generation", "transformers.models.auto.modeling_auto"),
    *("transformers.models.auto.tokenization_auto", "transformers.models.llama.modeling_llama"),
    *("diffing.cli", "diffing.run", "diffing.models.recorded", "diffing.models.local", "diffing.outputs.html"),
    *("gradio", "gradio.mcp", "gradio.oauth", "gradio.http_server", "authlib.integrations.starlette_client"),
)
SOCKET = "starter.socket"
READ_AGAIN = (
    *("huggingface_hub.constants", "transformers.utils.hub", "transformers.utils.logging"),
    *("gradio.http_server", "gradio.oauth"),
)
"""They read the environment when they are imported, and other modules copy what they read."""
LIBRARIES = ("huggingface_hub", "transformers", "gradio", "diffing")
SETTING = (str, int, float, frozenset, Path, type(None))
UNTOUCHED = ("datasets",)
"""It reads the environment in many places when it is imported."""


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
            self._until_it_may_have_ended()
        assert self.returncode is not None
        return self.returncode

    def _until_it_may_have_ended(self) -> None:
        """Asking again and again takes both processes' time."""
        if not hasattr(os, "pidfd_open"):
            time.sleep(0.01)
            return
        with suppress(ProcessLookupError), os.fdopen(os.pidfd_open(self.pid)) as ended:  # unless another thread asked
            select.select([ended], [], [], 1.0)


class Piped(Process):
    """A command whose input, and most often output, is a pipe; one thread may wait for it and another kill it."""

    def __init__(self, starter: "Starter", pid: int, stdin: int, outputs: Sequence[int | None]) -> None:
        super().__init__(starter, pid)
        self.stdin = os.fdopen(stdin, "wb")
        self.stdout, self.stderr = (None if each is None else os.fdopen(each, "rb") for each in outputs)
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit status, or None while it runs."""
        with self._lock:
            return super().poll()

    def communicate(self, given: bytes) -> tuple[bytes, bytes]:
        """Gives it what it reads, and waits for what it writes and for its end."""
        assert self.stdout is not None
        assert self.stderr is not None
        with suppress(BrokenPipeError), self.stdin:
            self.stdin.write(given)
        with self.stdout, self.stderr, ThreadPoolExecutor(1) as pool:
            errors = pool.submit(self.stderr.read)
            out = self.stdout.read()
            self.wait()
            return out, errors.result()

    def kill(self) -> None:
        """Ends it at once, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, 9)


class Starter:
    """`with Starter(folder) as starter: starter.run(["show", "runs/x"], env)`; several threads may ask it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Those that name the same one share a process."""
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_UNIX)
        self._process: subprocess.Popen[bytes] | None = None
        with locked(self.folder):
            try:
                self._socket.connect(str(self.folder / SOCKET))
            except (FileNotFoundError, ConnectionRefusedError):
                command = [sys.executable, "-m", "tests.starter", str(self.folder)]
                process = subprocess.Popen(command, stdin=-3, stdout=-1, env=_bare(), cwd=Path(__file__).parents[1])
                assert process.stdout is not None
                with process.stdout as said:
                    assert said.readline() == b"listening\n"
                self._socket.connect(str(self.folder / SOCKET))
                self._process = process
        self._stream = self._socket.makefile("rw", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._socket.close()
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):  # others may use it still
                self._process.wait(5)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One request, one answer."""
        with self._lock:
            self._stream.write(json.dumps(request) + "\n")
            self._stream.flush()
            return json.loads(self._stream.readline())

    def start(
        self, args: Sequence[str], env: Mapping[str, str], out: Path, err: Path, file_size: int | None = None
    ) -> Process:
        """Starts `diffing args` with exactly this environment; its output goes to two files.

        `args` may begin with `-c` and code, or with `-m` and a module, as Python's own. `file_size`: bytes that a file
        may have at most, as on a full disk.
        """
        request = {"args": list(args), "env": dict(env), "files": (os.devnull, str(out), str(err))}
        return Process(self, self.ask({**request, "cwd": os.getcwd(), "file_size": file_size}))

    def popen(self, args: Sequence[str], env: Mapping[str, str], *, piped: bool = True) -> "Piped":
        """As `subprocess.Popen` of `start`'s `args` with three pipes; or with one, for its input."""
        (stdin, to), *outputs = (os.pipe() for _ in range(3 if piped else 1))
        theirs = [stdin, *(write for _, write in outputs)]
        files = [f"/proc/{os.getpid()}/fd/{end}" for end in (theirs if piped else (stdin, 1, 2))]
        request = {"args": list(args), "env": dict(env), "files": files, "cwd": os.getcwd(), "file_size": None}
        try:
            pid = self.ask(request)
        finally:
            for end in theirs:
                os.close(end)
        return Piped(self, pid, to, [read for read, _ in outputs] or (None, None))

    def in_place_of_subprocess(self) -> SimpleNamespace:
        """Stands for that module where we start a process of Python, which is then forked.

        It is a process of its own as ever; only what is asserted of how Python starts it needs the real start.
        """

        def popen(command: Sequence[str], *, env: Mapping[str, str], stdin: int, **outputs: int | None) -> Piped:
            assert stdin == subprocess.PIPE
            (piped,) = {each == subprocess.PIPE for each in outputs.values()}
            return self.popen(command[1:], env, piped=piped)

        return SimpleNamespace(PIPE=subprocess.PIPE, Popen=popen)

    def run(
        self, args: Sequence[str], env: Mapping[str, str], file_size: int | None = None, timeout: float = DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """As `subprocess.run` with captured text."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            code = self.start(args, env, out, err, file_size).wait(timeout)
            texts = [path.read_text(encoding="utf-8") for path in (out, err)]
        return subprocess.CompletedProcess(["diffing", *args], code, *texts)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else connects to the process of a folder meanwhile, and it does not end."""
    with open(folder / "starter.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _bare() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "OPENAI_", "DIFFING_"))}


def _opened(names: Sequence[str]) -> list[int]:
    """Standard input, output and errors of a command; a pipe's end is opened as this end alone."""
    written = os.O_WRONLY | os.O_CREAT | os.O_APPEND  # others may write to the file as well
    modes = (os.O_RDONLY, written, written)
    return [os.open(name, mode, 0o600) for name, mode in zip(names, modes, strict=True)]


def _child(request: Mapping[str, Any], files: Sequence[int]) -> int:
    """What the forked process does: all that differs between two starts of Python is set anew."""
    for descriptor, opened in enumerate(files):
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(i, mode, encoding="utf-8") for i, mode in enumerate("rww"))
    if request["file_size"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_size"],) * 2)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    _read_environment_again()
    try:
        _do(request["args"])
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:  # noqa: BLE001 - shown as Python shows it at the top of a process
        traceback.print_exc()
        return 1
    return 0


def _read_environment_again() -> None:
    """As if the libraries were imported only now, wherever they keep what they read."""
    holders = _HOLDERS or _holders()
    for name in READ_AGAIN:
        if name not in sys.modules:  # a part that is not installed
            continue
        spec, module = importlib.util.find_spec(name), sys.modules[name]
        assert spec is not None
        assert spec.loader is not None
        anew = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(anew)
        then, now = ({k: v for k, v in vars(each).items() if isinstance(v, SETTING)} for each in (module, anew))
        for key in {key for key in now if now[key] != then.get(key)}:
            for known in holders.get(key, ()):
                if known[key] == then[key]:
                    known[key] = now[key]
    hf_api, constants = sys.modules["huggingface_hub.hf_api"], sys.modules["huggingface_hub.constants"]
    hf_api.api.endpoint = constants.ENDPOINT


_HOLDERS: dict[str, list[dict[str, Any]]] = {}
"""Filled before the first command starts: a command that went through all modules would copy their memory."""


def _holders() -> dict[str, list[dict[str, Any]]]:
    """The names that modules of the libraries keep, each with the modules that have it."""
    read = {key for name in READ_AGAIN if name in sys.modules for key in vars(sys.modules[name])}
    names = {name for name in read if not name.endswith("__")}
    known = [vars(each) for key, each in sys.modules.items() if key.startswith(LIBRARIES)]
    return {name: [each for each in known if name in each] for name in names}


def _do(args: list[str]) -> None:
    match args:
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        case ["-P", "-m", module, *rest] | ["-m", module, *rest]:
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


def _make_commands() -> None:
    """Typer builds all commands with their flags whenever one is called, and pydantic the checks of settings when they
    are first used; here once."""
    import typer.main
    from pydantic.dataclasses import rebuild_dataclass

    from diffing.cli.commands import app
    from diffing.config import DiffConfig, HubOptions, Limits

    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(app)
    for settings in (DiffConfig, HubOptions, Limits):
        rebuild_dataclass(settings)  # type: ignore[arg-type]


def _look_at_unicode() -> int:
    """Hypothesis looks at every character before it draws a first text, and keeps the result in a file."""
    if forked := os.fork():
        return forked
    with suppress(BaseException):  # the worker that needs it tells of it
        from hypothesis import strategies

        strategies.text().validate()
    os._exit(0)


def _preload() -> None:
    looking = _look_at_unicode()  # meanwhile
    gc.disable()  # what is imported stays
    skip_stubs()
    for module in PRELOADED:
        with suppress(ModuleNotFoundError):  # parts that another version of a library has not
            importlib.import_module(module)
    _compile_templates()
    with suppress(ModuleNotFoundError):
        skip_unused_apps()
    _make_commands()
    os.waitpid(looking, 0)
    _HOLDERS.update(_holders())
    assert not [module for module in UNTOUCHED if module in sys.modules], (
        "it would keep the environment of this process"
    )
    gc.enable()
    gc.freeze()  # a collection in a command would copy all of this


def _answer(request: Mapping[str, Any]) -> int | None:
    if "poll" in request:
        pid, status = os.waitpid(request["poll"], os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None
    files = _opened(request["files"])  # before the answer: who asked may then close ends of pipes
    forked = os.fork()
    if forked == 0:
        code = _child(request, files)
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    for opened in files:
        os.close(opened)
    return forked


def _serve(folder: Path) -> None:
    listening, path = socket.socket(socket.AF_UNIX), folder / SOCKET
    path.unlink(missing_ok=True)
    listening.bind(str(path))
    listening.listen()
    os.write(1, b"listening\n")
    _preload()
    asking: dict[socket.socket, IO[str]] = {}
    while True:
        for ready in select.select([listening, *asking], [], [])[0]:
            if ready is listening:
                connection = listening.accept()[0]
                asking[connection] = connection.makefile("rw", encoding="utf-8")
            elif line := asking[ready].readline():
                asking[ready].write(json.dumps(_answer(json.loads(line))) + "\n")
                asking[ready].flush()
            else:
                asking.pop(ready).close()
                ready.close()
        if not asking:
            with locked(folder):
                if not select.select([listening], [], [], 0)[0]:
                    path.unlink()
                    return


def _be_worker(folder: Path, code: str) -> int:
    """Stands for a worker of `pytest -n`, in place of the Python that was to run this code; returns its exit status."""
    ends = [f"/proc/{os.getpid()}/fd/{end}" for end in range(3)]
    request = {"args": ["-c", code], "env": dict(os.environ), "files": ends, "cwd": os.getcwd(), "file_size": None}
    with Starter(folder) as starter:
        worker = Process(starter, starter.ask(request))
        with os.fdopen(os.pidfd_open(worker.pid)) as ended:
            select.select([ended], [], [])
        return worker.wait()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker", folder, *_, code]:
            sys.exit(_be_worker(Path(folder), code))
        case [folder]:
            _serve(Path(folder))
