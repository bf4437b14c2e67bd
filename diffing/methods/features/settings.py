"""`FeatureSettings`: the settings that all methods with sparse features share, such as how many are tested."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings

WITH_LLM, WITHOUT_LLM = 200, 40
"""The numbers of features to follow up by default: fewer without an LLM, since a person reads the list."""


@validated(frozen=True)
class FeatureSettings(Settings):
    """How many features are followed up."""

    features: Annotated[int | None, Setting("Features"), Field(ge=2)] = None
    """The largest number of features that each method with features follows up. Default: 40, or 200 if an LLM labels
    them (21 calls each)."""


def followed(config: RunSettings) -> int:
    """Returns the largest number of features to follow up."""
    return config.of(FeatureSettings).features or (WITH_LLM if config.llm else WITHOUT_LLM)
