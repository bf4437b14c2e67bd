"""The scripts that made the demo models: their training text, their training, their SAE, and a check of the plants."""

from pathlib import Path

GROUND_TRUTH = Path(__file__).parent / "planted.json"
"""What was planted in the demo pair, and how often its models show it."""
