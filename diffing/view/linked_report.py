"""Opens the result that a link leads to without a sign-in, for programs such as those that make link previews."""

from diffing.errors import DiffingError
from diffing.view.page_query import PageAddress
from diffing.view.result.report_cache import OpenedReport
from diffing.view.site import Site
from diffing.view.visitor import Visitor


def linked_report(site: Site, address: PageAddress) -> OpenedReport | None:
    """Returns the result of an address; None if the address opens no result, or not for everybody.

    Args:
        site: The site.
        address: An address that anybody may have written.
    """
    nobody = Visitor(None, site.settings.rules, "")
    try:
        match address.what:
            case "run":
                key = site.key_of_run(address.value)
            case "example":
                key = site.key_of_example(address.value)
            case "diff":
                key = site.key_of_diff(address.value, nobody)
            case _:
                return None
        return site.report_cache.open(key)
    except DiffingError:  # the page itself tells why there is no result
        return None
