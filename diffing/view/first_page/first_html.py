"""Renders what a visitor sees while Gradio is still starting, from the same parts as the page that follows."""

from importlib.resources import files

from diffing.outputs.html import environment
from diffing.rendering import templates_of
from diffing.view import theme
from diffing.view.linked_report import linked_report
from diffing.view.page_query import read_address
from diffing.view.result import result_html
from diffing.view.site import Site
from diffing.view.start import start_html
from diffing.view.visitor import Visitor


def render_first_page(site: Site, query: str) -> str:
    """Renders the page of a link.

    Args:
        site: What all visitors share.
        query: The query of the link, which may hold anything. A result that not everybody may read is not shown.
    """
    address = read_address(query)
    start = answer = example = ""
    if address.what in ("start", "pair"):
        nobody = Visitor(None, site.settings.rules, "", can_sign_in=site.settings.sign_in)
        start = start_html.form(address, start_html.page_of(site.settings, nobody))
    elif (opened := linked_report(site, address)) is not None:
        answer = result_html.overview(opened, "")
        example = theme.example(address.value) if address.what == "example" else ""
    page = environment(templates_of(__package__)).get_template("first-page.html.jinja").render(
        head=theme.head(), header=theme.header_html(), start=start, answer=answer, example=example,
        style=_own("first-page.css"), script=_own("first-page.js"),
    )  # fmt: skip
    return page.encode("utf-8", "replace").decode()  # a name may hold half of a surrogate pair


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
