"""Names the stages of the LLM method for progress, usage and cost estimates."""

from diffing.types import Stage

DESCRIBE = Stage("describe", "Descriptions", "question")
PROPOSE = Stage("propose", "Hypotheses")
JOIN = Stage("join", "Joining")
SHARPEN = Stage("sharpen", "Sharpening")
STATE = Stage("state", "Statements")
"""Only with a way of clustering: one statement per cluster."""
