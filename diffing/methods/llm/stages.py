"""The stages of method llm."""

from diffing.types import Stage

DESCRIBE = Stage("describe", "Descriptions", "pair of responses")
STATE = Stage("state", "Statements")
