"""Fixtures for all tests."""

import gc
import importlib
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

from tests.gradio_stubs import skip_stubs
from tests.starter import Starter
from tests.waiting import DEADLINE

WITHOUT = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    # those that Playwright switches off, as only the last list counts
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled"),
    "PreconnectToSearch",
)
"""Chromium loads what drops down from its address bar as pages of its own, for each window: that takes more processor
time than our pages."""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", f"--disable-features={','.join(WITHOUT)}",
]  # fmt: skip

# What is compiled is kept, for the other workers and for the commands that tests start: otherwise each process compiles
# the package anew, and every worker rewrites the assertions of all files.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# several workers share few cores, where threads of linear algebra only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")
skip_stubs()
# What is imported while tests are collected stays; searching it for garbage again and again takes a tenth of the time.
gc.disable()
# In the background of a shell Ctrl-C is ignored, and so it would be by the commands that tests start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Under `nohup` a closed terminal is ignored. Commands that tests start get the default, as a handler is not inherited;
# the tests themselves go on.
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Workers are forked from the process that forks the tests' commands, as each would import for ten seconds."""
    if Path.cwd() != Path(__file__).parents[1] or not hasattr(os, "pidfd_open"):
        return
    folder = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]  # where xdist puts those of workers
    kept = ExitStack()
    kept.enter_context(Starter(folder))
    config.add_cleanup(kept.close)
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-m", "tests.starter", "worker", str(folder)])


def pytest_sessionstart(session: pytest.Session) -> None:
    """Each worker imports a share of the test files first, so that the others find them compiled.

    All collect in the same order; in a fresh checkout each would rewrite the assertions of the same file just then.
    """
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    root = Path(__file__).parents[1]
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    for file in files[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        with suppress(Exception, pytest.skip.Exception):  # collection tells of it
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with a browser come first: they wait the longest, and no worker is left alone with one at the end."""
    waiting = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in waiting)


def pytest_collection_finish() -> None:
    """From here on garbage is collected; see `kept`."""
    gc.enable()


def pytest_sessionfinish() -> None:
    """At the end pytest searches for garbage five times; all but the first time for nothing, which takes a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real material kept beside the project; tests that need it skip where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data, which is not there")
    return folder


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tiny models are slower, not faster, on several threads."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def no_certificates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Servers of tests speak plain HTTP; each client would load the system's certificates first, for 30 ms and more."""
    with pytest.MonkeyPatch.context() as patch:
        if not any(item.get_closest_marker("deploy") for item in request.session.items):  # which install packages
            patch.delenv("SSL_CERT_FILE", raising=False)
            patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("certificates")))
        yield


@pytest.fixture(autouse=True, scope="module")
def kept() -> None:
    """What earlier files left, mostly modules, is not searched for garbage again: each time takes half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local models compute in float32 where nothing else is asked for, also on processors that are fast at bfloat16:
    what is expected to the last letter must not depend on the machine."""
    monkeypatch.setattr("diffing.models.local.memory.fast_bfloat16", lambda: False)


@pytest.fixture(autouse=True)
def no_model_is_resident(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that other tests loaded are not taken for some that would make room."""
    monkeypatch.setattr("diffing.models.local.model._resident", WeakSet())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window.

    While it is open no second one starts and `asyncio.run` refuses, so it is closed before another file's tests begin.
    """
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    with api.sync_playwright() as playwright:
        api.expect.set_options(timeout=1000 * DEADLINE)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS, timeout=1000 * DEADLINE)
        yield Patient(browser)
        browser.close()


class Patient:
    """A browser whose pages wait long: on a busy machine what is to come may take minutes."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_context(self, **options: Any) -> Any:
        """As Playwright's."""
        context = self._browser.new_context(**options)
        context.set_default_timeout(1000 * DEADLINE)
        return context

    def new_page(self, **options: Any) -> Any:
        """As Playwright's."""
        page = self._browser.new_page(**options)
        page.set_default_timeout(1000 * DEADLINE)
        return page


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Starter]:
    """Starts commands without importing everything each time."""
    folder = tmp_path_factory.getbasetemp()
    with Starter(folder if worker_id == "master" else folder.parent) as started:
        yield started
