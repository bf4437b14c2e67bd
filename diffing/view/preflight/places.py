"""Where a model can run, and why not elsewhere: told before anything is begun, by the check that the run makes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.errors import DiffingError, SettingError
from diffing.hub import TIMEOUT, BoundedApi, hub_api, hub_errors
from diffing.model_ref import ModelPlace, by_providers, parse_local_spec
from diffing.models.local.spec import LocalOptions
from diffing.view.runs.access import SignInError, may_read
from diffing.view.runs.visitor_rules import is_path
from diffing.view.visitor import Visitor
from diffing.view.zero.machine import find_model, machine_in_words

Where: TypeAlias = Literal["here", "providers"]


@dataclass(frozen=True, slots=True)
class Place:
    """One way to run one model."""

    where: Where
    """On this machine, or by Inference Providers."""
    label: str
    """For people."""
    model: str
    """The model string that runs it there."""
    obstacle: str = ""
    """Why not, and what to do; empty where nothing is in the way."""
    remark: str = ""
    """What to know where nothing is in the way."""
    sign_in: bool = False
    """Whether signing in, or as somebody else, would help."""


def places_of(name: str, visitor: Visitor, *, options: LocalOptions | None = None) -> tuple[Place, Place]:
    """The ways to run a model: on this machine, and by Inference Providers.

    Args:
        name: `org/name[@revision]`, `base+adapter`, or on a machine of one's own a folder.
        visitor: Who asks.
        options: How it would be loaded here.
    """
    return _here(name.strip(), visitor, options or LocalOptions()), _providers(name.strip(), visitor)


def _here(name: str, visitor: Visitor, options: LocalOptions) -> Place:
    label = "This Space" if visitor.rules.public else "This machine"
    try:
        label = machine_in_words(public=visitor.rules.public)
        remark = _loadable(name, visitor, options)
    except DiffingError as error:
        return Place("here", label, name, obstacle=str(error), sign_in=isinstance(error, SignInError))
    return Place("here", label, name, remark=remark)


def _loadable(name: str, visitor: Visitor, options: LocalOptions) -> str:
    """What to know of a model that can be loaded here.

    Raises:
        DiffingError: It cannot.
    """
    if visitor.rules.public and is_path(name):
        raise SettingError("It names a folder, which only a machine of your own may read: take a model of the Hub")
    parts = [part for part in parse_local_spec(name).parts if part.place == ModelPlace.HUB]
    api = hub_api(visitor.acts_with)
    if visitor.rules.public:
        for part in parts:
            may_read(api, "model", part.name, signed_in=visitor.token is not None)
    find_model(name, options, visitor.acts_with)
    if parts and not _has_template(api, parts[0].name, parts[0].revision):
        return "It has no chat template, as base models have none: it is asked as 'User: ...', 'Assistant:'"
    return ""


def _has_template(api: BoundedApi, repo_id: str, revision: str | None) -> bool:
    with hub_errors(repo_id, revision=revision):
        info = api.model_info(repo_id, revision=revision, expand=["config", "siblings"], timeout=TIMEOUT)
    files = {sibling.rfilename for sibling in info.siblings or ()}
    tokenizer = (info.config or {}).get("tokenizer_config") or {}
    return "chat_template.jinja" in files or bool(tokenizer.get("chat_template"))


def _providers(name: str, visitor: Visitor) -> Place:
    label, model = "Inference Providers", by_providers(name)
    if name.count("/") != 1 or set(name) & set("+@: ") or name.startswith((".", "/", "~")):
        return Place(
            "providers", label, model, "Providers serve models of the Hub as they are: expected org/name alone"
        )
    if visitor.token is None and visitor.rules.public:
        return Place("providers", label, model, "Sign in: providers answer, and bill, you", sign_in=True)
    try:
        with hub_errors(name):
            info = hub_api(visitor.acts_with).model_info(name, expand=["inferenceProviderMapping"], timeout=TIMEOUT)
    except DiffingError as error:
        return Place("providers", label, model, obstacle=str(error))
    mapping = info.inference_provider_mapping or ()
    serving = sorted(each.provider for each in mapping if each.status == "live" and each.task == "conversational")
    if not serving:
        return Place("providers", label, model, "No provider serves it for chat: run it on a machine instead")
    return Place("providers", label, model, remark=f"Served by {', '.join(serving)}")
