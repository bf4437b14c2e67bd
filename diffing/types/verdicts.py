"""`Judgement`, the verdict of an LLM judge or of a measurement on one hypothesis for one pair of responses."""

from dataclasses import dataclass
from enum import StrEnum

from diffing.types.pairs import Side

DESCRIBED = "described"
"""The judge of verdicts that were taken from the descriptions of differences."""


class Verdict(StrEnum):
    """Which response fits a hypothesis better."""

    A = "A"
    """Model A's response fits better."""
    B = "B"
    """Model B's response fits better."""
    SAME = "SAME"
    """Both responses show the behaviour, and equally."""
    NOT_SHOWN = "NOT SHOWN"
    """Neither response shows the behaviour, or the prompt does not bring up the situation that it is about."""
    NEITHER = "NEITHER"
    """Neither response fits better, and it is not known which of the two reasons above holds: measurements, judges
    whose verdict depends on the order of the responses, and reports of earlier versions do not distinguish them."""
    UNREADABLE = "UNREADABLE"
    """The judge gave no readable verdict."""

    @property
    def side(self) -> Side | None:
        """The side that fits better, if one does."""
        return {Verdict.A: "a", Verdict.B: "b"}.get(self)  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One verdict on one hypothesis for one pair, judged by an LLM or measured."""

    hypothesis_id: str
    """The id of the hypothesis."""
    prompt_id: str
    """The prompt id of the pair."""
    verdict: Verdict
    """Which side fits the hypothesis better."""
    judge: str
    """The judge's model id; `measured` if the verdict was measured; `described` if it was taken from the descriptions
    of differences on train pairs."""
    shown_first: Side | None = None
    """The side whose response the judge saw first; None if the verdict was measured."""
    reply: str | None = None
    """The judge's original reply on this hypothesis; for an unreadable reply, its text."""
    in_scope: bool = True
    """Whether the prompt is in the hypothesis's scope; True if the hypothesis has none. Outside it, the verdict is
    NOT_SHOWN without a question to the judge."""
    per_word: Side | None = None
    """If signs were counted of which a longer response has more: the side that has more of them per word. A verdict
    for a side says that it has more per word and in all. With the verdict NEITHER, the other side has more in all."""
    chance_a: float | None = None
    """The probability that `per_word` is A, given how many signs both responses have together, if their lengths alone
    placed these; None if `per_word` is None."""
