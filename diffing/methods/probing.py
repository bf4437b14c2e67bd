"""`ProbingMethod`: a method that has both models answer prompts of its own."""

from typing import Protocol, runtime_checkable

from diffing.methods.base import Method
from diffing.models.base import Model


@runtime_checkable
class ProbingMethod(Method, Protocol):
    """A method that has both models answer prompts of its own, which are the `probes` of its discovery."""

    @property
    def compared(self) -> tuple[Model, Model]:
        """Models A and B as this process alone asks them, even if several processes share the responses of the run."""
