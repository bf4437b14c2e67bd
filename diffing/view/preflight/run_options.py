"""Tells where a model can run (here, or by Inference Providers) and why not elsewhere, with a run's own checks."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from diffing.errors import DiffingError, HubError, SettingError
from diffing.hub import TIMEOUT, BoundedApi, hub_api, hub_errors
from diffing.model_ref import ModelPlace, by_providers, parse_local_spec
from diffing.models.local.spec import LocalOptions
from diffing.view.runs.access import SignInError, may_read
from diffing.view.runs.visitor_rules import is_path
from diffing.view.visitor import Visitor
from diffing.view.zero.machine import find_model, machine_in_words

Runner: TypeAlias = Literal["here", "providers"]


@dataclass(frozen=True, slots=True)
class RunOption:
    """One way to run a model."""

    where: Runner
    """`here`: on this machine; `providers`: by Inference Providers."""
    label: str
    """The name of the place, for people."""
    model: str
    """The model string that runs the model there."""
    obstacle: str = ""
    """Why the model cannot run there, and what to do; empty if it can."""
    remark: str = ""
    """A note for the visitor if the model can run there."""
    sign_in: bool = False
    """Whether signing in, or with another account, would help."""
    missing: bool = False
    """Whether the Hub has no model of this name that the visitor may see."""


def find_run_options(
    name: str, visitor: Visitor, *, options: LocalOptions | None = None
) -> tuple[RunOption, RunOption]:
    """The ways to run a model: on this machine, and by Inference Providers.

    Args:
        name: `org/name[@revision]`, `base+adapter` or, on your own machine, a folder.
        visitor: The visitor who asks.
        options: How the model would be loaded here.
    """
    return _here(name.strip(), visitor, options or LocalOptions()), _providers(name.strip(), visitor)


def _here(name: str, visitor: Visitor, options: LocalOptions) -> RunOption:
    label = "This Space" if visitor.rules.public else "This machine"
    try:
        label = machine_in_words(public=visitor.rules.public)
        remark = _loadable(name, visitor, options)
    except DiffingError as error:
        return RunOption(
            "here", label, name, str(error), sign_in=isinstance(error, SignInError), missing=_is_missing(error)
        )
    return RunOption("here", label, name, remark=remark)


def _is_missing(error: DiffingError) -> bool:
    if isinstance(error, SignInError):
        return error.missing
    return isinstance(error, HubError) and error.missing


def _loadable(name: str, visitor: Visitor, options: LocalOptions) -> str:
    """A note about a model that can be loaded here.

    Raises:
        DiffingError: The model cannot be loaded here.
    """
    if visitor.rules.public and is_path(name):
        raise SettingError("It names a folder, which only your own machine may read: use a model on the Hub")
    parts = [part for part in parse_local_spec(name).parts if part.place == ModelPlace.HUB]
    api = hub_api(visitor.acts_with)
    if visitor.rules.public:
        for part in parts:
            may_read(api, "model", part.name, signed_in=visitor.token is not None)
    find_model(name, options, visitor.acts_with)
    if parts and not _has_template(api, parts[0].name, parts[0].revision):
        return "It has no chat template (like most base models), so prompts are formatted as “User: ... Assistant:”"
    return ""


def _has_template(api: BoundedApi, repo_id: str, revision: str | None) -> bool:
    with hub_errors(repo_id, revision=revision):
        info = api.model_info(repo_id, revision=revision, expand=["config", "siblings"], timeout=TIMEOUT)
    files = {sibling.rfilename for sibling in info.siblings or ()}
    tokenizer = (info.config or {}).get("tokenizer_config") or {}
    return "chat_template.jinja" in files or bool(tokenizer.get("chat_template"))


def _providers(name: str, visitor: Visitor) -> RunOption:
    label, model = "Inference Providers", by_providers(name)
    if name.count("/") != 1 or set(name) & set("+@: ") or name.startswith((".", "/", "~")):
        return RunOption(
            "providers", label, model, "Providers serve only unmodified models of the Hub: expected org/name"
        )
    if visitor.token is None and visitor.rules.public:
        return RunOption(
            "providers", label, model, "Sign in first, because Inference Providers bill your account", sign_in=True
        )
    try:
        with hub_errors(name):
            info = hub_api(visitor.acts_with).model_info(name, expand=["inferenceProviderMapping"], timeout=TIMEOUT)
    except DiffingError as error:
        return RunOption("providers", label, model, obstacle=str(error))
    mapping = info.inference_provider_mapping or ()
    serving = sorted(each.provider for each in mapping if each.status == "live" and each.task == "conversational")
    if not serving:
        return RunOption("providers", label, model, "No provider serves it for chat: run it on a machine instead")
    return RunOption("providers", label, model, remark=f"Served by {', '.join(serving)}")
