"""The settings, checks, steps and cost estimate of the SAE method, before a run begins."""

import importlib.util
from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass as validated

from diffing.costs import ResponseLengths, StageEstimate, expected, tokens
from diffing.errors import SettingError
from diffing.methods.base import Method, MethodPlan, Tools
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.stages import LABEL, READ, SCORE_LABELS, SCORE_NEW_LABELS, SIFT, SUMMARISE
from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings
from diffing.stages import Step
from diffing.types import SIDES, Prompt

if TYPE_CHECKING:
    from diffing.models.local.spec import LocalOptions
    from diffing.models.process_group import ProcessGroup

_GROUP = "The SAE method"


@validated(frozen=True)
class SaeSettings(Settings):
    """The settings that only the SAE method has."""

    reader: Annotated[str | None, Setting(_GROUP, "Reader", may_be_file=True)] = None
    """The model whose activations are read: a preset (gpt2, qwen2.5-7b, llama-3.1-8b, ...), org/name or a folder."""
    sae: Annotated[str | None, Setting(_GROUP, "SAE", may_be_file=True)] = None
    """release/sae_id as sae-lens names it, or a folder; default: the preset's."""
    features: Annotated[int | None, Setting(_GROUP), Field(ge=2)] = None
    """The largest number of features to follow up. Default: 40, or 200 if an LLM labels them (21 calls each)."""


class SaePlan(MethodPlan):
    """The plan of the SAE method: a reader model reads all responses, and an LLM, if given, labels features."""

    name = "sae"
    title = "SAE"
    hint = "A reader model reads all responses; features of its activations show how they differ."
    heading = "Seen in features of a sparse autoencoder"
    settings = SaeSettings
    stages = (READ, SCORE_LABELS, LABEL, SCORE_NEW_LABELS, *SUMMARISE.values(), *SIFT.values())
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

    def steps(self, config: RunSettings) -> tuple[Step, ...]:
        """Lists reading and, with an LLM, also labelling and summing up."""
        says = "A reader model reads all responses, and the features that are active in them are counted."
        reading = Step("Reading with a sparse autoencoder", says, (READ,))
        if not config.llm:
            return (reading,)
        named = "The LLM describes each feature that differs in words and checks how well the words fit."
        summed = (*SUMMARISE.values(), *SIFT.values())
        return (
            reading,
            Step("Naming the features", named, (SCORE_LABELS, LABEL, SCORE_NEW_LABELS)),
            Step("Summing up the features", "The LLM states hypotheses from the features that differ.", summed),
        )

    def measured(self, config: RunSettings, prompts: Sequence[Prompt]) -> int:
        """One per feature that is followed up."""
        return followed(config)

    def estimate(self, config: RunSettings, prompts: Sequence[Prompt], lengths: ResponseLengths) -> list[StageEstimate]:
        """Estimates reading both responses of every pair, and 21 calls per feature to label it and score the labels."""
        from diffing.methods.sae.labelling import SCORED
        from diffing.methods.sae.summarise import IN_A_BATCH, IN_ONE_CALL

        own = config.of(SaeSettings)
        reader = self.loads(config).get("Reader") or own.sae or ""
        texts = 2 * len(prompts)
        read = sum(lengths.of_pair(prompt) + 2 * tokens(prompt.text) for prompt in prompts)
        stages = [StageEstimate(READ, reader, texts, read, 0, 0.0, None)]
        if not config.llm:
            return stages
        features = followed(config)
        for stage, calls in ((SCORE_LABELS, SCORED), (LABEL, 1), (SCORE_NEW_LABELS, SCORED)):
            questions = calls * features
            stages.append(expected(config, stage, config.llm, questions, questions * 900, questions * 40))
        half = ceil(features / 2)
        groups = 1 if half <= IN_ONE_CALL else ceil(half / IN_A_BATCH)
        for side in SIDES:
            summaries = ((SUMMARISE[side], groups), (SIFT[side], int(groups > 1)))
            stages += [
                expected(config, stage, config.llm, calls, calls * 6000, calls * 2000)
                for stage, calls in summaries
                if calls
            ]
        return stages

    def build(self, config: RunSettings, tools: Tools) -> Method:
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


def followed(config: RunSettings) -> int:
    """Returns the largest number of features to follow up: fewer without an LLM, since a person reads the list."""
    return config.of(SaeSettings).features or (200 if config.llm else 40)


SAE = SaePlan()
