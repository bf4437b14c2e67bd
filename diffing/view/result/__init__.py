"""The view of one finished diff: a part of the Space's page that shows any stored report."""

from diffing.view.result.build import ResultView, result_view
from diffing.view.result.made import style
from diffing.view.result.shelf import Shelf

__all__ = ["ResultView", "Shelf", "result_view", "style"]
