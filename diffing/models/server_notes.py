"""Counts which models servers say answered and which settings they refused, and words this for the report.

The notes are full sentences for the report.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from diffing.models.base import Model, ModelWrapper, OnCompletion, OnTokens, Sampling
from diffing.models.served_names import same_name
from diffing.types import Completion, Conversation

_MOST_NAMES = 5
"""Maximum number of model names in one sentence; a server may invent one for every answer."""
_COMPARED = 20
"""Maximum number of known names with which the spelling of a new name is compared."""


class ServerNotes:
    """Counts of model names and declined settings over the answers of one model."""

    def __init__(self, completions: Iterable[Completion] = ()) -> None:
        self._answers = 0
        self._names: Counter[str] = Counter()
        self._declined: Counter[str] = Counter()
        for completion in completions:
            self.add(completion)

    def add(self, completion: Completion) -> None:
        """Counts one completion; completions without an answer are ignored."""
        if completion.finish in ("rejected", "error"):
            return
        self._answers += 1
        if completion.served:
            self._names[self._spelled_before(completion.served)] += 1
        for setting in (completion.declined or "").split(", "):
            self._declined[setting] += bool(setting)

    @property
    def declined(self) -> tuple[str, ...]:
        """Settings that the server did not accept for at least one answer, in alphabetical order."""
        return tuple(sorted(+self._declined))

    def notes(self, who: str) -> tuple[str, ...]:
        """Notes for the report, in full sentences.

        Args:
            who: How the sentences call the model, such as `model A`.
        """
        return (*self._on_names(who), *self._on_settings(who))

    def _spelled_before(self, name: str) -> str:
        """The spelling of a name that was seen first."""
        known = islice(self._names, _COMPARED)
        return name if name in self._names else next((each for each in known if same_name(each, name)), name)

    def _on_names(self, who: str) -> Sequence[str]:
        if not self._names:
            return ()
        as_asked = self._answers - self._names.total()
        if len(self._names) == 1 and not as_asked:
            return (
                f"According to its server, {self._count(self._answers)} of {who} come from {next(iter(self._names))}.",
            )
        named = [("the requested one", as_asked)] * (as_asked > 0) + self._names.most_common(_MOST_NAMES)
        more = ["and others"] * (len(self._names) > _MOST_NAMES)
        names = ", ".join([*(f"{name} ({count})" for name, count in named), *more])
        return (
            f"The server of {who} says that more than one model answered: {names}. Their answers are treated here as "
            "if they came from one model.",
        )

    def _on_settings(self, who: str) -> Sequence[str]:
        return [
            f"The server of {who} did not accept `{setting}`: {self._count(self._declined[setting])} were generated "
            "without it, with the server's default."
            for setting in self.declined
        ]

    def _count(self, count: int) -> str:
        return f"all {count} answers" if count == self._answers else f"{count} of {self._answers} answers"


class WithServerNotes(ModelWrapper):
    """A model that collects the notes on its server's answers."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.server = ServerNotes()
        """The notes on all answers so far."""

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """Asks the wrapped model and collects the notes. See `Model.generate`."""
        completions = self.model.generate(conversations, sampling, on_completion=on_completion, on_tokens=on_tokens)
        for completion in completions:
            self.server.add(completion)
        return completions
