"""Estimates a run while the visitor fills in the form, or names the first problem that prevents it."""

from dataclasses import dataclass

from diffing.config import DiffConfig, Limits
from diffing.errors import DiffingError
from diffing.estimate import RunEstimate, estimate
from diffing.hub import hub_api
from diffing.models.local.memory import size_of
from diffing.models.local.weight_sizes import ModelSize
from diffing.view.caching import cached_per_visitor
from diffing.view.runs.access import SignInError, check_signed_in, may_read, repositories
from diffing.view.runs.visitor_rules import allowed
from diffing.view.visitor import Visitor

_KEPT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class RunPreview:
    """An estimate or a problem."""

    estimate: RunEstimate | None = None
    """Calls, tokens, dollars and minutes per stage."""
    problem: str = ""
    """The first problem, in one line; empty if there is none."""
    sign_in: bool = False
    """Whether signing in, or with another account, would help."""
    field: str = ""
    """The field of the form in which the problem can be solved; of a choice, `name=value`; empty if it is not known."""


class RunPreviewer:
    """Estimates runs, and caches the Hub's answers for a short time. All visitors share it."""

    def __init__(self) -> None:
        self._kept_estimate = cached_per_visitor(_KEPT_SECONDS, self._estimate)
        self._size = cached_per_visitor(_KEPT_SECONDS, _size)
        self._check_repository = cached_per_visitor(_KEPT_SECONDS, _check_repository)

    def preview(self, config: DiffConfig, limits: Limits, visitor: Visitor) -> RunPreview:
        """Checks and estimates a run, without loading weights or calling models. Errors are returned, not raised.

        Args:
            config: The current settings; the model fields may still be empty.
            limits: The visitor's own limits.
            visitor: The visitor who asks.
        """
        missing = [side.upper() for side in ("a", "b") if not getattr(config, f"model_{side}").strip()]
        if missing:
            which = "both models" if len(missing) == 2 else f"model {missing[0]}"
            return RunPreview(problem=f"Enter {which}, such as Qwen/Qwen3-4B", field=f"model_{missing[0].lower()}")
        try:
            return RunPreview(self._kept_estimate(config, limits, visitor))
        except DiffingError as error:
            return RunPreview(problem=str(error), sign_in=isinstance(error, SignInError))

    def _estimate(self, config: DiffConfig, limits: Limits, visitor: Visitor) -> RunEstimate:
        hard = allowed(config, limits, visitor.rules)
        if visitor.rules.public:
            check_signed_in(config, visitor.token)
            self._check_readable(config, visitor)
        reads = not visitor.rules.public
        return estimate(config, hard, size_of=lambda spec: self.size(spec, visitor), reads=reads)

    def _check_readable(self, config: DiffConfig, visitor: Visitor) -> None:
        for kind, repo_id in repositories(config):
            self._check_repository(kind, repo_id, visitor)

    def size(self, spec: str, visitor: Visitor) -> ModelSize:
        """The size of a model, if the visitor may know it.

        Raises:
            DiffingError: The size cannot be determined.
        """
        return self._size(spec, visitor)


def _size(spec: str, visitor: Visitor) -> ModelSize:
    return size_of(spec, token=visitor.acts_with)


def _check_repository(kind: str, repo_id: str, visitor: Visitor) -> None:
    may_read(hub_api(visitor.acts_with), kind, repo_id, signed_in=visitor.token is not None)
