"""Amplifies the differences of one model from another, if both run on this machine; answers are cached."""

from diffing.errors import SettingError
from diffing.models.base import Model
from diffing.models.cache import CachedModel, Store
from diffing.models.local.amplified import AmplifiedModel, LocalSide
from diffing.models.local.model import LocalModel
from diffing.models.system_prompt import WithSystemPrompt


def amplified_against(own: Model, other: Model, alpha: float, store: Store | None) -> Model:
    """Returns a model with its differences from another one amplified.

    Args:
        own: The model, with its system prompt if it has one.
        other: The model that it is moved away from.
        alpha: How far (see `AmplifiedModel`).
        store: The cache of its answers, under an id of its own; None for none.

    Raises:
        SettingError: One of them does not run on this machine, or both are the same.
    """
    amplified = AmplifiedModel(_side(own), _side(other), alpha)
    return amplified if store is None else CachedModel(amplified, store)


def _side(model: Model) -> LocalSide:
    """The model that runs here, without its cache, and its system prompt."""
    system = None
    while isinstance(model, WithSystemPrompt | CachedModel):
        if isinstance(model, WithSystemPrompt):
            system = model.system_prompt
        model = model.model
    if not isinstance(model, LocalModel):
        raise SettingError(
            "--amplify needs the scores of all next tokens, so both models must run here, and "
            f"{model.id:.80} does not. Leave it out"
        )
    return LocalSide(model, system)
