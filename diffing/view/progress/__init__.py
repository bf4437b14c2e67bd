"""The page of a run: how far it is, what was found so far; stop, go on, remove."""

from diffing.view.progress.progress_components import progress_part

__all__ = ["progress_part"]
