"""The web page of the Space and of `diffing serve`, on which visitors compare two models and share the result.

To start it on your machine, run `python app.py` or `diffing serve`.
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
    from starlette.middleware import Middleware

    from diffing.view.site import Site, SiteSettings

__all__ = ["LAUNCH", "build", "launch_options", "open_first_page", "open_site", "warm_up"]

LAUNCH: dict[str, Any] = {
    "run_history": False, "footer_links": ["api"], "max_file_size": 1, "show_error": False, "enable_monitoring": False,
    "ssr_mode": False,
}  # fmt: skip
"""How Gradio serves the page. Gradio keeps nothing about a visitor in the browser, accepts only small uploads, and
shows no statistics about requests."""

_LOOPBACK = "127.0.0.1"
_FIRST_VISIT = 4.0
"""Seconds to wait before the warm-up, so that the first visit gets the whole machine."""
_MOST_BYTES = 1_000_000
"""Maximum size of one request in bytes. A form with two system prompts has about ten thousand."""
_MOST_WAITING = 64
"""Maximum number of events that may wait for a free thread. Runs wait in a queue of their own."""


def open_site(settings: "SiteSettings") -> "Site":
    """Opens the site's folder and resumes the runs that were unfinished.

    Raises:
        MissingExtraError: Gradio is not installed.
        SettingError: Another process uses the folder, or this operating system cannot serve strangers safely.
    """
    if settings.rules.public and not can_bound():
        raise SettingError(
            "This system cannot serve strangers, because it cannot limit the memory that their files take: expected "
            "Linux or macOS. Leave out --public to serve only yourself"
        )
    if find_spec("gradio") is None:  # checked first: opening the site takes resources, and importing Gradio seconds
        raise MissingExtraError("The page", "app")
    from diffing.view.site import Site

    return Site(settings)


def build(site: "Site") -> "gradio.Blocks":
    """Builds the page; launch it with `launch_options(site)`."""
    from diffing.view.page_assembly import assemble

    page = assemble(site)
    page.queue(max_size=_MOST_WAITING)  # on ZeroGPU, Gradio's default is one waiting visitor
    return page


def warm_up() -> None:
    """Imports torch and transformers in a background thread, a few seconds after the start.

    Checking where a model can run needs them, and importing them takes several seconds.
    """

    def load() -> None:
        time.sleep(_FIRST_VISIT)
        from diffing.models.local.memory import importing

        with importing(), contextlib.suppress(ImportError):  # without the extra `local`, no model runs here
            importlib.import_module("torch")
            importlib.import_module("transformers")

    threading.Thread(target=load, name="warm-up", daemon=True).start()


def launch_options(site: "Site", *, host: str = _LOOPBACK) -> dict[str, Any]:
    """The keyword arguments for `Blocks.launch`.

    Args:
        site: The site that the page belongs to.
        host: The host name under which the page may be requested on your own machine, besides localhost. Every other
            name is refused: otherwise any web page could point its own host name at this machine and use the files and
            the login here.
    """
    from diffing.view import theme

    # without the package, Gradio would print a message instead of failing
    mcp_server = find_spec("mcp") is not None
    app: dict[str, Any] = {"middleware": _middleware(site, host), "max_body_size": _MOST_BYTES}
    ours = {"mcp_server": mcp_server, "theme": theme.theme(), "head": theme.head(), "app_kwargs": app}
    # overrides Gradio's environment variables: others on the network could send the host name localhost
    own = {} if site.settings.rules.public else {"server_name": host, "share": False}
    return LAUNCH | ours | own


def open_first_page(
    site: "Site", *, host: str | None = None, port: int | None = None
) -> contextlib.AbstractContextManager[dict[str, Any]]:
    """Serves a page that can be read while `build` imports Gradio, until the block ends.

    Args:
        site: The site that the page belongs to.
        host: The address to listen on; None for this machine alone, or for Gradio's choice on a public machine.
        port: The port; None for the first free one of those that Gradio tries.

    Returns:
        A context manager that gives the keyword arguments of `Blocks.launch` with which the page takes the same place
        after the block.

    Raises:
        SettingError: No port is free.
    """
    from diffing.view.first_page import first_page

    if not site.settings.rules.public:
        host = host or _LOOPBACK
    return first_page(site, _middleware(site, host or _LOOPBACK), host=host, port=port)


def _middleware(site: "Site", host: str) -> "list[Middleware]":
    """What stands before every request, the outermost first."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from diffing.view.csrf import CsrfGuard
    from diffing.view.embed_page import EmbedPage
    from diffing.view.link_preview import LinkPreviews, LinkPreviewTags

    public, outside = site.settings.rules.public, os.environ.get("SPACE_HOST", "")
    layers = []
    if not public:
        layers.append(Middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost"], www_redirect=False))
    layers.append(Middleware(EmbedPage, site=site))  # before the guard, whose rules on frames are not for it
    layers.append(Middleware(CsrfGuard, public=public, host=outside))
    layers.append(Middleware(LinkPreviewTags, previews=LinkPreviews(site), host=outside))
    return layers
