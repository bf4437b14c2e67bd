"""Suggests model names from the Hub while a visitor types, and finds the base model that a model card names.

It never raises errors and never takes long: the page works without suggestions too.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from huggingface_hub import get_session
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined] # exported lazily

from diffing.errors import HubError
from diffing.hub import hub_api, hub_errors
from diffing.model_ref import ModelPlace, ModelRef, being_typed, read_ref
from diffing.view.caching import cached_per_visitor
from diffing.view.visitor import Visitor

_SECONDS = 3.0
"""Time limit of a search; by then the visitor has typed more."""
_SHORTEST = 2
"""Minimum number of letters for a search; fewer match too much."""
_LONGEST = 200
"""Maximum number of letters for a search; no name is longer."""
_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class ModelSuggestions:
    """Suggestions for what was typed."""

    names: tuple[str, ...] = ()
    """Names of models, the most downloaded first."""
    reason: str = ""
    """The reason if the Hub did not answer; empty if it did, even if nothing matches."""


@dataclass(frozen=True, slots=True)
class BaseModelProposal:
    """The base model that a model's card names."""

    model: str
    """The model string for field A: an adapter is written as `base+adapter`."""
    base: str | None
    """The proposal for field B; None if there is none."""
    reason: str = ""
    """Why there is no proposal."""


class ModelSuggester:
    """Searches the Hub, and caches the answers for some minutes.

    All visitors share it; each finds only the models that this visitor may see. `seconds` limits the time for
    connecting, and for an answer.
    """

    def __init__(self, *, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._search = cached_per_visitor(_KEPT_SECONDS, _search)
        self._base = cached_per_visitor(_KEPT_SECONDS, _base)

    def models(self, typed: str, visitor: Visitor, *, most: int = 8) -> ModelSuggestions:
        """Models whose names contain what was typed. After `providers:` or `base+`, only the rest is searched for.

        Args:
            typed: The letters typed so far.
            visitor: The visitor who types. Private models are found for their owners only.
            most: Maximum number of names.
        """
        head, search = being_typed(typed)
        if ":" in search or not _SHORTEST <= len(search) <= _LONGEST:
            return ModelSuggestions()
        try:
            found = self._search(search.lower(), most, self._seconds, visitor)
        except HubError as error:
            return ModelSuggestions(reason=str(error))
        return ModelSuggestions(tuple(f"{head}{name}" for name in found))

    def similar(self, name: str, visitor: Visitor) -> str | None:
        """The model whose name is most like one that does not exist; None if none is like it.

        Args:
            name: `org/name`.
            visitor: The visitor who asks.
        """
        owner, _, last = name.partition("/")
        for search in (last, owner):
            names = {each.lower(): each for each in self.models(search, visitor).names}
            if found := get_close_matches(name.lower(), names, n=1):
                return names[found[0]]
        return None

    def base_of(self, model: str, visitor: Visitor) -> BaseModelProposal:
        """The base model that a model's card names, to propose it as the other side.

        Args:
            model: `org/name[@revision]`.
            visitor: The visitor who asks.
        """
        ref = read_ref(model.strip())
        if ref.place != ModelPlace.HUB or ref.adapter or ref.prefixed:
            return BaseModelProposal(model, None, "only a model of the Hub, org/name, has a card")
        try:
            return self._base(ref, self._seconds, visitor)
        except HubError as error:
            return BaseModelProposal(model, None, str(error))


def _search(search: str, most: int, seconds: float, visitor: Visitor) -> tuple[str, ...]:
    """Searches models that generate text or, if none matches, any models, since many cards do not state the task.

    It sends the request itself, because the Hub client's list function retries for most of a minute.
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


def _base(ref: ModelRef, seconds: float, visitor: Visitor) -> BaseModelProposal:
    model, name, revision = str(ref), ref.name, ref.revision or None
    api = hub_api(visitor.acts_with)
    with hub_errors(name, revision=revision):
        info = api.model_info(name, revision=revision, expand=["baseModels"], timeout=seconds)
    data: Any = info.base_models or {}
    bases = [str(each["id"]) for each in data.get("models") or () if each.get("id")]
    if not bases:
        return BaseModelProposal(model, None, "its card names no base model")
    if len(bases) > 1:
        return BaseModelProposal(
            model, None, f"its card names {len(bases)} base models: choose one of {', '.join(bases[:5])}"
        )
    if bases[0] == name:
        return BaseModelProposal(model, None, "its card names the model itself as its base")
    return BaseModelProposal(str(ref.on(read_ref(bases[0]))) if data.get("relation") == "adapter" else model, bases[0])
