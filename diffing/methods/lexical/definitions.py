"""Writes for readers, in full sentences, what a property counts and how both responses are compared."""

from diffing.methods.lexical.measured_property import MeasuredProperty, Scale
from diffing.methods.lexical.wording_properties import WORDING

_COMPARED: dict[Scale, str] = {
    "whole": "Both responses are read as a whole.",
    "counts": "A response has more if it has more in all and also more per word. A difference is only confirmed if it "
    "exceeds what the lengths of the responses alone would bring.",
    "matched": "Both responses are compared within as many words, half from the beginning and half from the end.",
    "matched sentences": "Both responses are compared within as many sentences, spread evenly over the longer one.",
    "untested": "It depends on the settings of the run, so it is no finding and only told of the run as a whole.",
}
_SIGN = (
    "These English words and forms are signs of the behaviour and not the behaviour itself: other words can do the "
    "same, and these words can do something else."
)


def definition_of(measured: MeasuredProperty) -> str:
    """Returns what is counted, how the responses are compared, and whether it only stands for a behaviour."""
    sign = f" {_SIGN}" if measured in WORDING else ""
    return f"What is counted: {measured.definition}. {_COMPARED[measured.scale]}{sign}"
