"""`InsideSettings`: settings, such as weights and corpora, of the methods that train on both models' activations."""

from typing import Annotated

from pydantic.dataclasses import dataclass as validated

from diffing.errors import SettingError
from diffing.model_ref import parse_spec, read_ref
from diffing.run_settings import RunSettings
from diffing.settings import Setting, Settings
from diffing.types import SIDES, Side

_GROUP = "Looking inside both models"


@validated(frozen=True)
class InsideSettings(Settings):
    """The weights that are read, and texts to train on."""

    inside_a: Annotated[str | None, Setting(_GROUP, "Weights of A", may_be_file=True)] = None
    """The weights of model A, as org/name[@revision], a folder or base+adapter; needed if A itself is reached by a
    server or recorded."""
    inside_b: Annotated[str | None, Setting(_GROUP, "Weights of B", may_be_file=True)] = None
    """The weights of model B, in the same forms."""
    corpus: Annotated[tuple[str, ...], Setting(_GROUP, "Corpus", may_be_file=True)] = ()
    """More texts to train on, beside the train responses: a Hub dataset (org/name[@revision][:config][/split]) or a
    file with a column text or messages; may be given several times."""


def weights_of(config: RunSettings, side: Side) -> str:
    """Returns the model string of a side's weights.

    Args:
        config: The settings of a run.
        side: The side.
    """
    own = config.of(InsideSettings)
    given: str | None = own.inside_a if side == "a" else own.inside_b
    return given or (config.model_a if side == "a" else config.model_b)


def check_weights(config: RunSettings, method: str) -> None:
    """Requires the weights of both models.

    Raises:
        SettingError: A side has no weights, or one that has some is given others.
    """
    own = config.of(InsideSettings)
    for side in SIDES:
        model = config.model_a if side == "a" else config.model_b
        given = own.inside_a if side == "a" else own.inside_b
        if given is None and not read_ref(model).runs_here:
            raise SettingError(
                f"--method {method} reads the weights of both models, and model {side.upper()} is {model:.100}. Name "
                f"the weights behind it with --inside-{side} org/name"
            )
        if given is not None and read_ref(model).runs_here:
            raise SettingError(f"--inside-{side} has no effect: model {side.upper()} has its own weights. Leave it out")
        if given is not None and not parse_spec(given).runs_here:
            raise SettingError(f"--inside-{side} is {given:.100}: expected org/name, a folder or base+adapter")
