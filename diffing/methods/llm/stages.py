"""The stages of method llm."""

from diffing.stages import Stage

DESCRIBE = Stage("describe", "Descriptions", "pair of responses")
STATE = Stage("state", "Statements")
