"""The configuration of `diffing demo`: the two embedded models on their own prompts, sampled, without an LLM."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from diffing.config import DiffConfig

FOLDER = Path(str(files("diffing.demo")))
AFTERWORD = """\
These two models are tiny and were trained for this demo, with fourteen differences planted in them.
With an LLM (--llm providers:org/name, or openai:name@URL) `diffing run` would also have pairs described in words,
find differences that no word list measures, have a judge test them on held-out prompts, and rate how interesting
they are."""


def demo_config() -> DiffConfig:
    """Configures base against tuned with the lexical and the SAE method on 440 train and 220 held-out prompts."""
    sae: dict[str, Any] = {
        "reader": str(FOLDER / "models" / "base"),
        "sae": str(FOLDER / "models" / "sae"),
        "features": 120,  # the tiny SAE spreads frequent properties over many latents; 40 would all go to the greetings
    }
    return DiffConfig(
        model_a=str(FOLDER / "models" / "base"),
        model_b=str(FOLDER / "models" / "tuned"),
        prompts=str(FOLDER / "prompts.jsonl"),
        train=440,
        heldout=220,
        balance="none",  # all but six of the prompts are drawn anyway
        method=("lexical", "sae"),
        temperature=0.8,
        top_p=0.95,
        max_new_tokens=96,
        dtype="float32",  # gives the same responses on every machine
        seed=1,  # with this split every domain has at least 14 held-out prompts; with seed 0 medicine has 6
        **sae,
    )
