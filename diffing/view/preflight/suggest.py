"""Names of models on the Hub while somebody types, and the base model that a card names.

Never fails and never takes long: a page without suggestions can still be used.
"""

from dataclasses import dataclass
from typing import Any

from huggingface_hub import get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined] # exported lazily

from diffing.errors import HubError
from diffing.hub import hub_api, hub_errors
from diffing.model_ref import ModelPlace, ModelRef, being_typed, read_ref
from diffing.view.caching import kept
from diffing.view.visitor import Visitor

_SECONDS = 3.0
"""After which somebody who types has typed on."""
_SHORTEST = 2
"""Letters; fewer say nothing."""
_LONGEST = 200
"""Letters; no name is longer."""
_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What fits the letters typed so far."""

    names: tuple[str, ...] = ()
    """Models, those downloaded most first."""
    reason: str = ""
    """Why there are none, where the Hub did not answer; empty where nothing fits."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a model was made of, as its card says."""

    model: str
    """The model, for the field of A: an adapter comes with its base, as `base+adapter`."""
    base: str | None
    """Proposed for B; None where none can be proposed."""
    reason: str = ""
    """Why none."""


class Suggester:
    """Asks the Hub, and remembers for some minutes. One for all visitors: each gets what that visitor may see.

    `seconds` is the time after which a connection, or an answer, comes too late.
    """

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._search = kept(_KEPT_SECONDS, _search)
        self._base = kept(_KEPT_SECONDS, _base)

    def models(self, typed: str, visitor: Visitor, *, most: int = 8) -> Suggestions:
        """Models whose names hold what was typed; after `providers:` or `base+`, what stands behind it.

        Args:
            typed: The letters so far.
            visitor: Private models are found for their owners.
            most: Names, at most.
        """
        head, search = being_typed(typed)
        if ":" in search or not _SHORTEST <= len(search) <= _LONGEST:
            return Suggestions()
        try:
            found = self._search(search.lower(), most, self._seconds, visitor)
        except HubError as error:
            return Suggestions(reason=str(error))
        return Suggestions(tuple(f"{head}{name}" for name in found))

    def base_of(self, model: str, visitor: Visitor) -> Base:
        """The base model that the card of a model names, to be proposed as the other side.

        Args:
            model: `org/name[@revision]`.
            visitor: Who asks.
        """
        ref = read_ref(model.strip())
        if ref.place != ModelPlace.HUB or ref.adapter or ref.prefixed:
            return Base(model, None, "only a model of the Hub, org/name, has a card")
        try:
            return self._base(ref, self._seconds, visitor)
        except HubError as error:
            return Base(model, None, str(error))


def _search(search: str, most: int, seconds: float, visitor: Visitor) -> tuple[str, ...]:
    """Models that write text; where none fits, any: many a card does not say what its model does.

    Asked once: the client's own list repeats a request for most of a minute.
    """
    api = hub_api(visitor.acts_with)
    headers = build_hf_headers(token=api.token, library_name=api.library_name, library_version=api.library_version)
    common: dict[str, str | int] = {"search": search, "sort": "downloads", "limit": most}
    with hub_errors("the list of models"):
        for kind in ({"filter": "text-generation"}, {}):
            answer = get_session().get(
                f"{api.endpoint}/api/models", params={**common, **kind}, headers=headers, timeout=seconds
            )
            hf_raise_for_status(answer)
            if names := tuple(str(each["id"]) for each in answer.json()):
                return names
    return ()


def _base(ref: ModelRef, seconds: float, visitor: Visitor) -> Base:
    model, name, revision = str(ref), ref.name, ref.revision or None
    api = hub_api(visitor.acts_with)
    with hub_errors(name, revision=revision):
        info = api.model_info(name, revision=revision, expand=["baseModels"], timeout=seconds)
    told: Any = info.base_models or {}
    bases = [str(each["id"]) for each in told.get("models") or () if each.get("id")]
    if not bases:
        return Base(model, None, "its card names no base model")
    if len(bases) > 1:
        return Base(model, None, f"its card names {len(bases)} base models: choose one of {', '.join(bases[:5])}")
    if bases[0] == name:
        return Base(model, None, "its card names the model itself as its base")
    return Base(str(ref.on(read_ref(bases[0]))) if told.get("relation") == "adapter" else model, bases[0])
