"""The page of the Space, and of `diffing serve`: two models are named, what differs is shown and shared.

Locally: `python app.py`, or `diffing serve`.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from diffing.errors import MissingExtraError

if TYPE_CHECKING:
    import gradio

    from diffing.view.site import Site, SiteSettings

__all__ = ["LAUNCH", "build", "launch_options", "open_site"]

LAUNCH: dict[str, Any] = {"run_history": False, "footer_links": [], "max_file_size": 1, "show_error": False}
"""How Gradio serves the page: nothing of a visitor is kept in the browser, nobody uploads anything."""


def open_site(settings: "SiteSettings") -> "Site":
    """Opens the folder and goes on with what was unfinished.

    Raises:
        MissingExtraError: Gradio is not installed.
        SettingError: Another process owns the folder.
    """
    try:
        import gradio  # noqa: F401  told before anything is opened
    except ImportError:
        raise MissingExtraError("The page", "app") from None
    from diffing.view.site import Site

    return Site(settings)


def build(site: "Site") -> "gradio.Blocks":
    """The page, to be launched with `launch_options()`."""
    from diffing.view.assembly import assemble

    return assemble(site)


def launch_options() -> dict[str, Any]:
    """What `Blocks.launch` is given."""
    from diffing.view import look

    # where the package is missing Gradio would only print that it is
    mcp_server = find_spec("mcp") is not None
    return LAUNCH | {"mcp_server": mcp_server, "theme": look.theme(), "head": look.head()}
