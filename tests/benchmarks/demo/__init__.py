"""How the demo pair was made: its text, the training of its models and its SAE, and what was planted."""

from pathlib import Path

GROUND_TRUTH = Path(__file__).parent / "planted.json"
"""What was planted in the demo pair, and how often its models show it."""
