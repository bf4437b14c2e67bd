"""Names the only stage of the lexical method, for progress and usage."""

from diffing.types import Stage

MEASURE = Stage("measure", "Measuring", "pair of responses")
