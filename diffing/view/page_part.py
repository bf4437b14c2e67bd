"""What the parts of the page have in common: each fills itself for an address."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from diffing.view.page_query import Address
from diffing.view.visitor import Visitor

if TYPE_CHECKING:
    from gradio.components import Component


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page, built within a column that is shown when the address is for it."""

    outputs: "tuple[Component, ...]"
    """What `open` fills and `closed` empties."""
    open: Callable[[Address, Visitor], list[Any]]
    """Values of `outputs` for an address; may raise a `DiffingError`, which the page shows in one line."""
    closed: list[Any] = field(default_factory=list)
    """Values of `outputs` while another part is shown: nothing of a visitor stays, nothing asks on."""
