"""`Merged`, an entry of a report's list: findings that say the same or are signs of the same behaviour."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.estimates import Estimate

KnownBy: TypeAlias = Literal["lead", "property", "judge", "verdicts", "kin", "part", "pairs", "mirror", "follows"]
"""Why a finding belongs to a line: it leads it, says the same as the lead (`property`, `judge`, `verdicts`), or is
another sign of the same behaviour (`kin`, `part`, `pairs`, `mirror`, `follows`)."""
Block: TypeAlias = Literal["behaviours", "wording", "features"]
"""The part of the list that a line belongs to: what models do, words and phrases, or features without words."""


@dataclass(frozen=True, slots=True)
class Merged:
    """One line of the list: findings, from any methods, that say the same or are signs of the same behaviour."""

    lead: str
    """Hypothesis id of the finding that represents the group."""
    members: tuple[str, ...]
    """Hypothesis ids of all findings in the group, the lead first."""
    known_by: tuple[KnownBy, ...] = ()
    """Per member: what shows that it belongs to the line."""
    agreement: tuple[Estimate, ...] = ()
    """Per member: among the train pairs on which it or the lead has a verdict for a side, the share on which both have
    the same verdict relative to the side that each hypothesis predicts."""
    residual: tuple[float | None, ...] = ()
    """Per member: the share of its net difference on train that the lead's verdicts leave unexplained; None if it is
    undefined, and for the lead."""
    block: Block = "behaviours"
    """The part of the list that the line belongs to; the others are folded, and come after it in this order."""
