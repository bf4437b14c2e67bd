"""The same for programs: an API that clients and agents call."""

from diffing.view.site import Site


def add_programs(site: Site) -> None:
    """Adds the documented endpoints to the page that is being built."""
