"""The page of a run: its progress, the hypotheses found so far, and buttons to stop, resume or remove it."""

from diffing.view.progress.progress_components import progress_part

__all__ = ["progress_part"]
