"""The stage of the lexical method."""

from diffing.types import Stage

MEASURE = Stage("measure", "Measuring", "pair of responses")
