"""The command `diffing serve`: serves the web page on this machine."""

import contextlib
import io
import ipaddress
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from diffing.errors import SettingError
from diffing.paths import path_of

if TYPE_CHECKING:
    from diffing.view.site import Site

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        parser=path_of,
        metavar="PATH",
        help="Folder for runs and results; DIFFING_SITE sets its default. DIFFING_WORKERS sets the parallel runs.",
        show_default="~/.cache/diffing-site",
    ),
]
Host = Annotated[
    str, typer.Option("--host", help="Address to listen on; an address that others can reach needs --public.")
]
Port = Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)]
Open = Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")]
Public = Annotated[
    bool,
    typer.Option(
        "--public",
        help="Serve strangers, as a Space does: with hard limits, and without this machine's files and login.",
    ),
]


def serve(
    *, folder: Folder = None, host: Host = "127.0.0.1", port: Port = 7860, open_: Open = False, public: Public = False
) -> None:
    """Serve the web page on this machine, for comparing models and for reading and sharing results.

    It includes an API and tools for agents. It uses this machine's files and login, so only this machine can reach it
    unless you give --public.
    """
    if find_spec("resource") is None:
        raise SettingError(
            "The page needs Linux or macOS, because it limits what uploads can do with functions of these systems. On "
            "Windows run it in WSL; the other commands work on Windows"
        )
    loopback = _is_loopback(host)
    if not (loopback or public):
        raise SettingError(
            f"Others can reach --host {host}, and they would use this machine's files and its login. Leave it out, "
            "or give --public, which allows neither"
        )
    _check_port(host, port)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if public:
        os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    from diffing.view import open_site
    from diffing.view.site import settings_from

    site = open_site(settings_from(os.environ, public=public, folder=folder))
    err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)

    def announce(url: str) -> None:
        err.print(f"Page: {url}  (press Ctrl-C to stop)")
        if open_:
            webbrowser.open(url)

    try:
        with _served(site, host, port, announce) as ended:
            ended.wait()
        left = sum(site.run_manager.busy)
        kept = "Results are kept" if not left else "1 run goes on" if left == 1 else f"{left} runs go on"
        err.print(f"\nEnded. {kept} in {site.settings.folder}: the same command opens it again")
    finally:
        site.close()


@contextlib.contextmanager
def _served(site: "Site", host: str, port: int, announce: Callable[[str], None]) -> Iterator[threading.Event]:
    """Serves the page until the block ends, and announces its URL as soon as there is something to read.

    Yields:
        An event that Ctrl-C or a termination signal sets; before, they end the process at once.
    """
    from diffing.view import build, launch_options, open_first_page, warm_up

    with open_first_page(site, host=host, port=port):
        announce(f"http://{'localhost' if host == '0.0.0.0' else host}:{port}/")
        page = build(site)
        options = launch_options(site, host=host)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with contextlib.redirect_stdout(io.StringIO()):  # hides Gradio's own lines
        here = {"server_name": host, "server_port": port, "share": False}
        page.launch(**(options | here), quiet=True, prevent_thread_lock=True)
    warm_up()
    try:
        yield ended
    finally:
        with contextlib.redirect_stdout(io.StringIO()):
            page.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_port(host: str, port: int) -> None:
    """Makes sure that the port is free before anything slow begins."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingError(
                f"Cannot listen on {host}:{port} ({error.strerror}). Give another --port, or stop what uses this one"
            ) from None
