"""What a run would take and what stands in its way, as the settings change."""

from dataclasses import dataclass

from diffing.config import DiffConfig, Limits
from diffing.errors import DiffingError
from diffing.estimate import RunEstimate, estimate
from diffing.hub import hub_api
from diffing.models.local.fitting import size_of
from diffing.models.local.sources import ModelSize
from diffing.view.runs.access import may_read, repositories
from diffing.view.runs.rules import allowed
from diffing.view.start.remembered import Remembered
from diffing.view.start.visitor import Visitor

_KEPT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Preview:
    """Either an estimate or a problem."""

    estimate: RunEstimate | None = None
    """Calls, tokens, dollars and minutes per stage."""
    problem: str = ""
    """The first thing in the way, in one line; empty where nothing is."""


class Previews:
    """Estimates runs, and remembers for a short while what the Hub said. One for all visitors."""

    def __init__(self) -> None:
        self._previews: Remembered[Preview] = Remembered(_KEPT_SECONDS)
        self._sizes: Remembered[ModelSize] = Remembered(_KEPT_SECONDS)
        self._readable: Remembered[None] = Remembered(_KEPT_SECONDS)

    def preview(self, config: DiffConfig, limits: Limits, visitor: Visitor) -> Preview:
        """Checks and estimates a run. Loads no weights, calls no model; what fails is told, not raised.

        Args:
            config: The settings as they stand; fields that are still empty are told.
            limits: The visitor's own limits.
            visitor: Who asks.
        """
        return self._previews.get((config, limits, visitor.key), lambda: self._look(config, limits, visitor))

    def _look(self, config: DiffConfig, limits: Limits, visitor: Visitor) -> Preview:
        missing = [side.upper() for side in ("a", "b") if not getattr(config, f"model_{side}").strip()]
        if missing:
            return Preview(problem=f"Name model {' and model '.join(missing)}, such as org/name")
        try:
            hard = allowed(config, limits, visitor.rules)
            if visitor.rules.public:
                self._check_readable(config, visitor)
            return Preview(estimate(config, hard, size_of=lambda spec: self._size(spec, visitor)))
        except DiffingError as error:
            return Preview(problem=str(error))

    def _check_readable(self, config: DiffConfig, visitor: Visitor) -> None:
        api, signed_in = hub_api(visitor.acts_with), visitor.token is not None
        for kind, repo_id in repositories(config):

            def ask(kind: str = kind, repo_id: str = repo_id) -> None:
                may_read(api, kind, repo_id, signed_in=signed_in)

            self._readable.get((kind, repo_id, visitor.key), ask)

    def _size(self, spec: str, visitor: Visitor) -> ModelSize:
        return self._sizes.get((spec, visitor.key), lambda: size_of(spec, token=visitor.acts_with))
