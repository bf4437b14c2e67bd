"""The whole page, served on loopback for a test."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from diffing.view import build, launch_options, open_site
from diffing.view.runs import OWN_MACHINE, VisitorRules
from diffing.view.site import Site, SiteSettings


@dataclass(frozen=True, slots=True)
class Served:
    """A page that is served."""

    url: str
    """Ends with a slash."""
    site: Site
    """What its visitors share."""


@contextmanager
def served(
    folder: Path, *, rules: VisitorRules = OWN_MACHINE, workers: int = 2, port: int | None = None
) -> Iterator[Served]:
    """Serves the page until the block ends; may be served again from the same folder, and at the same port."""
    pytest.importorskip("gradio", reason="needs the extra app")
    site = open_site(SiteSettings(folder, rules=rules, workers=workers))
    try:
        page = build(site)
        # a port of its own: an app with MCP starts once, so Gradio's search for a free port ends with the first one
        # that another test took in between
        _, url, _ = page.launch(
            prevent_thread_lock=True,
            quiet=True,
            server_port=port or free_port(),
            **launch_options(site),
        )
        try:
            yield Served(url, site)
        finally:
            page.close()
    finally:
        site.close()


def free_port() -> int:
    """One that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
