"""`LlmSettings`: the settings that only the LLM method has, such as the way of clustering and the embedder."""

from typing import Annotated, Literal, TypeAlias

from pydantic.dataclasses import dataclass as validated

from diffing.settings import Setting, Settings

Clustering: TypeAlias = Literal["propose", "average", "signed", "paper"]
"""How differences become hypotheses, see `LlmMethod.clustering`."""


@validated(frozen=True)
class LlmSettings(Settings):
    """The settings that only method llm has."""

    clustering: Annotated[Clustering, Setting("Methods and LLMs")] = "propose"
    """llm: how differences become hypotheses: propose (the LLM reads all and says what recurs); for comparison, average
    and signed (clusters by average linkage, or by PCA, UMAP and HDBSCAN), and paper (as published)."""
