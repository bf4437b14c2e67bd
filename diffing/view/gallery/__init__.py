"""The gallery: a searchable list of diffs published on the Hub, and the examples that ship with the app."""

from diffing.view.gallery.gallery_components import gallery_part

__all__ = ["gallery_part"]
