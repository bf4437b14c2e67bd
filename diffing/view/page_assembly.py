"""Builds the whole page: one column per part, of which one is visible, and the events that switch between them."""

from typing import TYPE_CHECKING, Any

from diffing.errors import DiffingError
from diffing.view import theme
from diffing.view.api import add_programs
from diffing.view.gallery import gallery_part
from diffing.view.page_part import PagePart
from diffing.view.page_query import PageAddress, read_address
from diffing.view.progress import progress_part
from diffing.view.result.result_components import answer_box, result_view
from diffing.view.share import share_part
from diffing.view.site import Site
from diffing.view.start import start_part
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    import gradio

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}


def assemble(site: Site) -> "gradio.Blocks":
    """Builds the page.

    Args:
        site: What all visitors share.
    """
    import gradio as gr

    page: gradio.Blocks
    with gr.Blocks(title="diffing", delete_cache=(3600, 86400), analytics_enabled=False) as page:
        address = theme.header(sign_in=site.settings.sign_in)
        notice = gr.HTML(apply_default_css=False, elem_classes="diffing site-notice")
        parts: dict[str, PagePart] = {}
        columns: dict[str, Any] = {}
        with gr.Column(elem_id="content"):
            for name, build in (("start", start_part), ("progress", progress_part), ("gallery", gallery_part)):
                with gr.Column(visible=name == "start", elem_classes=f"part part-{name}") as columns[name]:
                    parts[name] = build(site)
            with gr.Column(visible=False, elem_classes="part part-result") as columns["result"]:
                parts["result"] = _result_part(site)
        theme.footer()
        add_programs(site)

        def go(query: str, request: gr.Request, token: gr.OAuthToken | None) -> list[Any]:
            visitor = site.visitor(request, token)
            read = read_address(query or "")
            shown, where, problem = _placed(site, read, visitor)
            banner = theme.example(read.value) if read.what == "example" else ""
            values: list[Any] = [theme.problem(problem) if problem else banner]
            values += [gr.Column(visible=name == shown) for name in columns]
            for name, part in parts.items():
                values += part.open(where, visitor) if name == shown else part.closed
            return values

        def arrive(request: gr.Request, token: gr.OAuthToken | None) -> list[Any]:
            query = _published(site, str(request.query_params or ""), site.visitor(request, token))
            return [query, *go(query, request, token)]

        filled = [notice, *columns.values(), *(output for part in parts.values() for output in part.outputs)]
        page.load(arrive, None, [address, *filled], **_QUIET).then(None, address, js=theme.ARRIVED)
        address.submit(go, address, filled, **_QUIET).then(None, address, js=theme.ARRIVED)
    return page


def _result_part(site: Site) -> PagePart:
    """The view of a result with the actions for sharing it, which stand below the answer."""
    answer = answer_box()
    share = share_part(site)
    view = result_view(site.report_cache, answer)

    def open_part(where: PageAddress, visitor: Visitor) -> list[Any]:
        return [*share.open(where, visitor), *view.open(where.value)]

    return PagePart((*share.outputs, *view.outputs), open_part, [*share.closed, *view.open("")])


def _published(site: Site, query: str, visitor: Visitor) -> str:
    """Rewrites a link that names two models to one to their newest published diff, if there is any."""
    pair = read_address(query)
    if pair.what != "pair" or not (pair.value and pair.other):
        return query
    found = site.diffs.published(pair.value, pair.other, visitor)
    return PageAddress("diff", found[0].repo_id).query if found else query


def _placed(site: Site, address: PageAddress, visitor: Visitor) -> tuple[str, PageAddress, str]:
    """Finds the part that shows an address, and checks that the visitor may open it.

    Returns:
        The name of the part, the address with a result's cache key in place of its name, and an error message, which is
        empty if the address is valid.
    """
    try:
        match address.what:
            case "run":
                state = site.run_manager.state(address.value)
                if state is None:
                    return "start", PageAddress(), _missing(site, address.value)
                if state.report is None:
                    return "progress", address, ""
                return "result", PageAddress("run", site.key_of_run(address.value)), ""
            case "example":
                key = site.key_of_example(address.value)
                site.folder_of(key)
                return "result", PageAddress("example", key), ""
            case "diff":
                return "result", PageAddress("diff", site.key_of_diff(address.value, visitor), address.value), ""
            case "gallery":
                return "gallery", address, ""
            case _:
                return "start", address, ""
    except DiffingError as error:
        return "start", PageAddress(), str(error)


def _missing(site: Site, run_id: str) -> str:
    """The message for the link of a run that does not exist."""
    if not site.run_manager.removed(run_id):
        return "There is no such run. Check the link, or start a new one"
    days = site.settings.rules.keep_days
    kept = f", or it ended more than {days:g} days ago, or it was the oldest of too many" if days is not None else ""
    return f"This run was removed by somebody with its link{kept}. Start a new one"
