"""What a method tells about the properties of responses that it measures: sentences, definitions and examples."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.counting_errors import CountingErrors
from diffing.types import Side

Tier: TypeAlias = Literal["answering", "stance", "structure", "length", "other"]
"""What a property is about, by how much a reader wants to know it: whether a model answers, its manner, the structure
of a response, its length, anything else."""


@dataclass(frozen=True, slots=True)
class PropertyInfo:
    """A property of a response that a method measures, for readers and for other parts of a run."""

    sentence: str
    """What is true of the model that has more of it."""
    definition: str = ""
    """What exactly is counted, in words."""
    tier: Tier = "other"
    """What it is about."""
    group: str = ""
    """The group of properties that are signs of one behaviour, such as `refusing`; empty if it is in none."""
    only_signs: bool = False
    """Whether what is counted are only signs of a behaviour, so that readers should see examples of it."""
    counts_words: bool = False
    """Whether it counts certain words wherever they stand, and not something that a response does once."""
    accuracy: str = ""
    """How well the count agrees with human labels, in full sentences with their source; empty if never measured."""
    errors: CountingErrors | None = None
    """The same in numbers, from which `counting_errors.caution` tells whether they could make a difference."""


@dataclass(frozen=True, slots=True)
class PropertyExample:
    """A response in which a property was measured."""

    prompt_id: str
    """The prompt that it answers."""
    side: Side
    """The model."""
    value: float | None
    """What was measured; 0 if the property is absent."""
    quote: str
    """The passage that shows the property, or the first words of the response; it may be empty."""


@dataclass(frozen=True, slots=True)
class PropertyExamples:
    """Responses that let a reader judge what a property counts."""

    counted: tuple[PropertyExample, ...] = ()
    """Up to three responses in which it is counted, of both models if possible."""
    not_counted: tuple[PropertyExample, ...] = ()
    """Up to three responses in which it is not."""
    responses: tuple[int, int] = (0, 0)
    """The number of responses of each model in which it can be determined."""
    responses_counted: tuple[int, int] = (0, 0)
    """The number of these in which it is counted."""
    unknown: int = 0
    """The number of responses of both models in which it cannot be determined."""
