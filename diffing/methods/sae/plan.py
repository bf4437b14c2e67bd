"""The settings, checks, steps and cost estimate of the SAE method, before a run begins."""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate
from diffing.errors import SettingError
from diffing.methods.base import Method
from diffing.methods.features.settings import FeatureSettings, followed
from diffing.methods.plan import MethodPlan, MethodTools
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.stages import LLM_STAGES, READ
from diffing.run_settings import RunSettings
from diffing.settings import Setting
from diffing.stages import ListedStep
from diffing.types import Prompt

if TYPE_CHECKING:
    from diffing.models.local.spec import LocalOptions
    from diffing.models.process_group import ProcessGroup

_GROUP = "The SAE method"


@validated(frozen=True)
class SaeSettings(FeatureSettings):
    """The settings that only the SAE method has."""

    reader: Annotated[str | None, Setting(_GROUP, "Reader", may_be_file=True)] = None
    """The model whose activations are read: a preset (gpt2, qwen2.5-7b, llama-3.1-8b, ...), org/name or a folder."""
    sae: Annotated[str | None, Setting(_GROUP, "SAE", may_be_file=True)] = None
    """release/sae_id as sae-lens names it, or a folder; default: the preset's."""


class SaePlan(MethodPlan):
    """The plan of the SAE method: a reader model reads all responses, and an LLM, if given, labels features."""

    name = "sae"
    title = "SAE"
    hint = (
        "A sparse autoencoder finds internal features that fire more on one model’s answers. Needs a model with an "
        "SAE that reads all answers here: free, but slow without a GPU."
    )
    heading = "Seen in features of a sparse autoencoder"
    settings = SaeSettings
    stages = (READ, *LLM_STAGES.labelling, *LLM_STAGES.summing_up)
    asks_llm = True

    def runs_unasked(self, config: RunSettings) -> bool:
        """Tells whether a reader or an SAE is given."""
        own = config.of(SaeSettings)
        return bool(own.reader or own.sae)

    def check(self, config: RunSettings) -> None:
        """Requires a reader or an SAE."""
        if not self.runs_unasked(config):
            raise SettingError(
                "--method sae needs a reader with an SAE. Give --reader, for example --reader qwen2.5-7b"
            )

    def check_public(self, config: RunSettings) -> None:
        """Requires the reader's name, without which nobody can check who has access to it."""
        own = config.of(SaeSettings)
        if own.sae and not own.reader:
            raise SettingError(
                "--sae alone does not say which model reads. Give --reader too, so that access to it can be checked"
            )

    def not_named(self, config: RunSettings) -> str:
        """Asks for a reader or an SAE if neither is given."""
        return "" if self.runs_unasked(config) else "Name a reader, its SAE, or both"

    def obstacle(self) -> str:
        """Requires the library that loads SAEs."""
        return "" if importlib.util.find_spec("sae_lens") else "The library that loads SAEs is not installed here."

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """Returns the reader model."""
        name = config.of(SaeSettings).reader
        return {"Reader": PRESETS[name].reader if name in PRESETS else name} if name else {}

    def steps(self, config: RunSettings) -> tuple[ListedStep, ...]:
        """Lists reading and, with an LLM, also labelling and summing up."""
        says = "A reader model reads all responses, and the features that are active in them are counted."
        reading = ListedStep("Reading with a sparse autoencoder", says, (READ,))
        return (reading, *LLM_STAGES.steps("the features")) if config.llm else (reading,)

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """One per feature that is followed up."""
        return followed(config)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates reading both responses of every pair, and 21 calls per feature to label it and score the labels."""
        from diffing.methods.features.expected_costs import expected_labelling

        own = config.of(SaeSettings)
        reader = self.loads(config).get("Reader") or own.sae or ""
        stages = [StageEstimate(READ, reader, 2 * len(prompts), lengths.reading(prompts), 0, 0.0, None)]
        if config.llm:
            stages += expected_labelling(config, config.llm, followed(config), LLM_STAGES)
        return stages

    def build(self, config: RunSettings, tools: MethodTools) -> Method:
        """Builds the method with the run's LLM, if it has one."""
        from diffing.methods.sae import SaeMethod, SaeOptions

        own = config.of(SaeSettings)
        llm = tools.helper(config.llm) if config.llm else None
        options = SaeOptions(features=followed(config), reader=_reader_options(tools.group))
        return SaeMethod(own.reader, sae=own.sae, options=options, llm=llm, store=tools.store, group=tools.group)


def _reader_options(group: "ProcessGroup | None") -> "LocalOptions":
    """Loads the reader onto all devices, or onto the one of this process if several share the reading."""
    from diffing.models.local.memory import device_of_rank
    from diffing.models.local.spec import LocalOptions

    return LocalOptions(device=device_of_rank(group.local_rank)) if group else LocalOptions()


SAE = SaePlan()
