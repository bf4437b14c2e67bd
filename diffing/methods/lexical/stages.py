"""The stage of the lexical method."""

from diffing.stages import Stage

MEASURE = Stage("measure", "Measuring", "pair of responses")
