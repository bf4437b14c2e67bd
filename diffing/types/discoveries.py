"""`Discovery`, what a method proposes from the train pairs: its hypotheses, its verdicts if it has any, its records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from diffing.types.hypotheses import Hypothesis
from diffing.types.pairs import Pair
from diffing.types.reports import Row, Usage
from diffing.types.verdicts import Judgement


@dataclass(frozen=True, slots=True)
class Discovery:
    """The hypotheses that a method proposes from train pairs, with its records."""

    hypotheses: tuple[Hypothesis, ...]
    """The hypotheses to test."""
    judgements: tuple[Judgement, ...] = ()
    """Verdicts on all train pairs, if the method already has them, so that the judge need not judge these pairs."""
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """The method's own records (`differences`, `properties`...), by table name; all rows of a table have the same
    keys."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many items were not followed up, by reason in plain words."""
    notes: tuple[str, ...] = ()
    """Full sentences for the reader of the report."""
    usage: tuple[Usage, ...] = ()
    """The calls and tokens of the method."""
    candidates: tuple[Hypothesis, ...] = ()
    """Hypotheses that a measuring method could measure as well and did not choose, in both directions. They are only
    tested within a part of the prompts, if train prompts suggest it."""
    probes: tuple[Pair, ...] = ()
    """Train pairs of prompts that the method itself had both models answer; only its own hypotheses have verdicts on
    them. Its hypotheses with a condition are then tested where they apply (`diffing.fresh_prompts`)."""
