"""The start page: two models, what to compare them on, what it takes, and the button that begins."""

from diffing.view.start.form import start_part

__all__ = ["start_part"]
