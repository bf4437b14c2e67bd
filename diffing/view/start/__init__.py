"""The start page: a form for two models and the settings of their comparison, with an estimate and a start button."""

from diffing.view.start.start_components import start_part

__all__ = ["start_part"]
