"""`MeasuredProperty`: a quantity that is measured in a response without a model."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.methods.lexical.measured_values import Value
from diffing.methods.lexical.parsed_response import Part
from diffing.types import Category

Scale: TypeAlias = Literal["whole", "counts", "matched", "matched sentences", "untested"]


@dataclass(frozen=True, slots=True)
class MeasuredProperty:
    """A property of a response that is measured without a model."""

    name: str
    """The short name, as in `PropertyMeasure` and in the table of properties."""
    sentence: str
    """The hypothesis about the side that has more of it."""
    category: Category
    """The category of the hypothesis, one of seven."""
    definition: str
    """What exactly is measured, in words."""
    value: Value
    """Measures a response; 0 if the property is absent, None if it cannot be determined."""
    scale: Scale = "whole"
    """`whole`: compared in whole responses. It suits length, form, and what a response does once (refuse, greet).
    `counts`: compared in whole responses and also per word, and the test allows for lengths. It suits what every
    sentence can contain (hedges, question marks), of which a longer response has more.
    `matched`, `matched sentences`: compared within the same number of words of both, half from the beginning and half
    from the end, or of sentences, spread evenly. They suit means, since a mean of many words varies less.
    `untested`: never compared. It suits what the settings of the run decide."""
    grows: bool = False
    """Whether a response has more of it the longer it gets, so that the value of a response that the token limit cut
    is only a lower bound."""
    show: re.Pattern[str] | None = None
    """Finds a passage to quote as evidence, if a passage can show the property."""
    part: Part = "prose"
    """The part of the response in which the passage is sought."""
