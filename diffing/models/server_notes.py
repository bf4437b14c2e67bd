"""What servers tell of how answers came about, collected over many: who answered, and which settings were not taken."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from diffing.models.base import Model, OnCompletion, OnTokens, Sampling
from diffing.models.served_names import same_name
from diffing.types import Completion, Conversation

_MOST_NAMES = 5
"""Names in one sentence; a server may make one up for every answer."""
_COMPARED = 20
"""Names with whose spelling another is compared."""


class Told:
    """Counts over the answers of one model."""

    def __init__(self, completions: Iterable[Completion] = ()) -> None:
        self._answers = 0
        self._names: Counter[str] = Counter()
        self._declined: Counter[str] = Counter()
        for completion in completions:
            self.add(completion)

    def add(self, completion: Completion) -> None:
        """Counts one completion; those without an answer tell nothing."""
        if completion.finish in ("rejected", "error"):
            return
        self._answers += 1
        if completion.served:
            self._names[self._spelled_before(completion.served)] += 1
        for setting in (completion.declined or "").split(", "):
            self._declined[setting] += bool(setting)

    @property
    def declined(self) -> tuple[str, ...]:
        """Settings that the server did not take for at least one answer, in order of the alphabet."""
        return tuple(sorted(+self._declined))

    def notes(self, who: str) -> tuple[str, ...]:
        """What a reader must know, in plain sentences.

        Args:
            who: The model in these sentences, such as `model A`.
        """
        return (*self._on_names(who), *self._on_settings(who))

    def _spelled_before(self, name: str) -> str:
        """The name in the spelling that came first."""
        known = islice(self._names, _COMPARED)
        return name if name in self._names else next((each for each in known if same_name(each, name)), name)

    def _on_names(self, who: str) -> Sequence[str]:
        if not self._names:
            return ()
        as_asked = self._answers - self._names.total()
        if len(self._names) == 1 and not as_asked:
            return (
                f"By its server's word, {self._count(self._answers)} of {who} come from {next(iter(self._names))}.",
            )
        named = [("the one asked for", as_asked)] * (as_asked > 0) + self._names.most_common(_MOST_NAMES)
        more = ["and others"] * (len(self._names) > _MOST_NAMES)
        told = ", ".join([*(f"{name} ({count})" for name, count in named), *more])
        return (
            f"The server of {who} says that more than one model answered: {told}. Their answers are taken together "
            "here, as if they came from one model.",
        )

    def _on_settings(self, who: str) -> Sequence[str]:
        return [
            f"The server of {who} did not take `{setting}`: {self._count(self._declined[setting])} came about without "
            "it, as the server does by itself."
            for setting in self.declined
        ]

    def _count(self, count: int) -> str:
        return f"all {count} answers" if count == self._answers else f"{count} of {self._answers} answers"


class Watched:
    """A model of which is kept what its server tells."""

    def __init__(self, model: Model) -> None:
        self.model = model
        """The model within."""
        self.told = Told()
        """What was told so far."""

    @property
    def id(self) -> str:
        """The id of the model within."""
        return self.model.id

    @property
    def remote(self) -> bool:
        """Whether the model within is remote."""
        return self.model.remote

    def generate(
        self,
        conversations: Sequence[Conversation],
        sampling: Sampling,
        *,
        on_completion: OnCompletion | None = None,
        on_tokens: OnTokens | None = None,
    ) -> list[Completion]:
        """As the model within. See `Model.generate`."""
        made = self.model.generate(conversations, sampling, on_completion=on_completion, on_tokens=on_tokens)
        for completion in made:
            self.told.add(completion)
        return made
