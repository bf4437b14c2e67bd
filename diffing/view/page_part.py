"""The interface of a part of the page, such as the start page or the gallery."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diffing.view.page_query import PageAddress
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    from gradio.components import Component


@dataclass(frozen=True, slots=True)
class PagePart:
    """One part of the page, built inside a column that is visible while the address belongs to it."""

    outputs: "tuple[Component, ...]"
    """The components that `open` fills and `closed` clears."""
    open: Callable[[PageAddress, Visitor], list[Any]]
    """Computes the values of `outputs` for an address. It may raise a `DiffingError`, whose message the page shows."""
    closed: list[Any] = field(default_factory=list)
    """The values of `outputs` while another part is visible: they show nothing about a visitor and run no script."""
