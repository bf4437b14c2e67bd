"""The stages of method agent."""

from collections.abc import Mapping

from diffing.types import Side, Stage

INVESTIGATE = Stage("investigate", "Investigation", "round")
PROBES: Mapping[Side, Stage] = {
    "a": Stage("probes a", "Probes of A", "prompt", "a"),
    "b": Stage("probes b", "Probes of B", "prompt", "b"),
}
"""Both models answer the prompts of the investigation."""
