"""The gallery: published diffs, found on the Hub by their tags, and those that ship with the page."""

from diffing.view.gallery.gallery_components import gallery_part

__all__ = ["gallery_part"]
