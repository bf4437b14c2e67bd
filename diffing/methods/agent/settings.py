"""The settings that only method agent has."""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.settings import Setting, Settings

_GROUP = "The agent method"


@validated(frozen=True)
class AgentSettings(Settings):
    """The settings that only method agent has."""

    rounds: Annotated[int, Setting(_GROUP, "Rounds", most_on_page=50), Field(ge=1, le=200)] = 10
    """agent: the number of rounds in which the LLM writes prompts and sees both models' answers."""
    probes: Annotated[int, Setting(_GROUP, "Prompts per round", most_on_page=50), Field(ge=1, le=100)] = 12
    """agent: the largest number of prompts that the LLM writes in one round."""
    probe_samples: Annotated[int, Setting(_GROUP), Field(ge=1, le=5)] = 2
    """agent: how many answers of each model the LLM sees to each of its prompts. At temperature 0, one."""
