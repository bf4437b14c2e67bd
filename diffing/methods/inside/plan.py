"""`InsidePlan`: the checks and estimates that methods share which train on the activations of both models of a run."""

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from diffing.errors import DiffingError, SettingError
from diffing.methods.inside.settings import InsideSettings, check_weights, weights_of
from diffing.methods.plan import MethodPlan
from diffing.run_settings import RunSettings
from diffing.types import Side

if TYPE_CHECKING:
    from diffing.models.local.spec import LocalOptions


class InsidePlan(MethodPlan):
    """The plan of a method that needs the weights of both models, and trains on what they compute."""

    trains: str
    """What the method trains, such as `adapters`, for messages."""
    asks_llm = True

    def check(self, config: RunSettings) -> None:
        """Requires the weights of both models, and a machine on which training can run."""
        check_weights(config, self.name)
        if obstacle := self.obstacle():
            raise SettingError(f"--method {self.name} cannot run here. {obstacle}")

    def check_public(self, config: RunSettings) -> None:
        """Refuses the method: a training takes a machine for itself."""
        if self.name in config.methods:
            raise SettingError(
                f"--method {self.name} trains {self.trains}, which a public server does not do. Run it on your own "
                "machine, or with --on jobs"
            )

    def obstacle(self) -> str:
        """Requires torch, and refuses ZeroGPU, which lends a GPU for single calls."""
        if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
            return (
                f"ZeroGPU lends a GPU for seconds, and training {self.trains} takes minutes. Use a machine with a GPU, "
                "for example with --on jobs."
            )
        installed = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
        return "" if installed else "torch and transformers are not installed here: pip install diffing[local]"

    def loads(self, config: RunSettings) -> Mapping[str, str]:
        """Returns the weights that are read, if they are not the compared models themselves."""
        own = config.of(InsideSettings)
        given = {"Weights of A": own.inside_a, "Weights of B": own.inside_b}
        return {role: name for role, name in given.items() if name}


def parameters_of(config: RunSettings, side: Side) -> int | None:
    """The number of parameters of a side's weights; None if it is not known before they are opened.

    Args:
        config: The settings of a run.
        side: The side.
    """
    from diffing.models.local.memory import size_of

    try:
        return size_of(weights_of(config, side)).parameters
    except DiffingError:
        return None


def loading_options(config: RunSettings, side: Side) -> "LocalOptions":
    """How a side's weights are loaded.

    Args:
        config: The settings of a run.
        side: The side.
    """
    from diffing.models.local.spec import LocalOptions

    return LocalOptions(
        dtype=config.dtype,
        quantization=getattr(config, f"quantization_{side}"),
        trust_remote_code=config.trust_remote_code,
        allow_pickle=config.allow_pickle,
        chat_template=getattr(config, f"chat_template_{side}"),
    )
