"""The page of the Space, and of `diffing serve`: two models are named, what differs is shown and shared.

Locally: `python app.py`, or `diffing serve`.
"""

import contextlib
import importlib
import os
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from diffing.errors import MissingExtraError, SettingError
from diffing.jobs import can_bound

if TYPE_CHECKING:
    import gradio

    from diffing.view.site import Site, SiteSettings

__all__ = ["LAUNCH", "build", "launch_options", "open_site", "warm_up"]

LAUNCH: dict[str, Any] = {
    "run_history": False, "footer_links": ["api"], "max_file_size": 1, "show_error": False, "enable_monitoring": False,
    "ssr_mode": False,
}  # fmt: skip
"""How Gradio serves the page: nothing of a visitor is kept in the browser, nobody uploads anything, and who asks what
how often is shown to nobody."""

_FIRST_PAGE = 4.0
"""Seconds in which the first page has the machine for itself."""
_MOST_BYTES = 1_000_000
"""Of one request: a form with two system prompts has some ten thousand."""
_MOST_WAITING = 64
"""Events that wait for a free thread; runs have a line of their own."""


def open_site(settings: "SiteSettings") -> "Site":
    """Opens the folder and goes on with what was unfinished.

    Raises:
        MissingExtraError: Gradio is not installed.
        SettingError: Another process owns the folder, or strangers cannot be served on this system.
    """
    if settings.rules.public and not can_bound():
        raise SettingError(
            "Strangers are not served on this system, which cannot limit the memory that their files take: expected "
            "Linux or macOS. Leave out --public"
        )
    if find_spec("gradio") is None:  # told before anything is opened, and before its seconds of importing
        raise MissingExtraError("The page", "app")
    from diffing.view.site import Site

    return Site(settings)


def build(site: "Site") -> "gradio.Blocks":
    """The page, to be launched with `launch_options(site)`."""
    from diffing.view.assembly import assemble

    page = assemble(site)
    page.queue(max_size=_MOST_WAITING)  # on ZeroGPU Gradio would else let one visitor wait
    return page


def warm_up() -> None:
    """Loads, a little later and beside the page, what telling where a model can run needs; it takes some seconds."""

    def load() -> None:
        time.sleep(_FIRST_PAGE)
        with contextlib.suppress(ImportError):  # without the extra `local` no model runs here
            importlib.import_module("torch")
            importlib.import_module("transformers")

    threading.Thread(target=load, name="warm-up", daemon=True).start()


def launch_options(site: "Site", *, host: str = "127.0.0.1") -> dict[str, Any]:
    """What `Blocks.launch` is given.

    Args:
        site: Whose page it is.
        host: On a machine of one's own: the name by which the page is called, beside localhost. By no other, or a web
            page anywhere could point its own name at this machine and use the files and the login here.
    """
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from diffing.view import theme
    from diffing.view.csrf import Guard

    public = site.settings.rules.public
    guards = [Middleware(Guard, public=public, host=os.environ.get("SPACE_HOST", ""))]
    if not public:
        guards.append(Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"], www_redirect=False))
    # where the package is missing Gradio would only print that it is
    mcp_server = find_spec("mcp") is not None
    app: dict[str, Any] = {"middleware": guards, "max_body_size": _MOST_BYTES}
    ours = {"mcp_server": mcp_server, "theme": theme.theme(), "head": theme.head(), "app_kwargs": app}
    # whatever the environment says to Gradio: others on the network could name themselves localhost
    own = {} if public else {"server_name": host, "share": False}
    return LAUNCH | ours | own
