"""Writes the hints under the fields of the start page that name a model, such as why it cannot be used."""

from diffing.config import DiffConfig
from diffing.model_ref import ModelPlace, is_hub_name, read_ref
from diffing.paths import existing
from diffing.view.preflight import RunOption
from diffing.view.runs.visitor_rules import is_path
from diffing.view.zero import machine_in_words, zero_gpu

_NAMED = "A model is named org/name, with a slash and no spaces"


def form_problem(name: str, *, public: bool) -> str:
    """What is wrong with the form of a name; empty if it can name a model.

    Args:
        name: The text of the field.
        public: Whether strangers use this machine, so that a name cannot be that of a folder.
    """
    ref = read_ref(name)
    if ":" in name or is_path(name) or existing(name) or all(is_hub_name(part.name) for part in ref.parts):
        return ""
    return _NAMED if public else f"{_NAMED}, and there is no folder of this name"


def missing_problem(name: str, option: RunOption) -> str:
    """What to say of a name that the Hub does not know.

    Args:
        name: The text of the field.
        option: How the model would run here.
    """
    ref = read_ref(name)
    if ref.adapter is not None:
        return option.obstacle
    sentence = f"There is no {ref.name} on the Hub, or it is private."
    return sentence if "/" in ref.name else f"{_NAMED}. {sentence}"


def remark(name: str) -> str:
    """Describes a model string with a prefix that says where the model is."""
    ref = read_ref(name)
    kinds: dict[str, str] = {
        ModelPlace.PROVIDERS: "Answered by Inference Providers.",
        ModelPlace.OPENAI: "Answered by your own server.",
        ModelPlace.RECORDED: "Its recorded responses are used; the model is not run.",
    }
    return "Runs on this machine." if ref.marked else kinds.get(ref.place, "")


def run_place(config: DiffConfig, *, public: bool) -> str:
    """Where the models answer, and whether the page can be closed meanwhile, in one or two sentences.

    Args:
        config: The settings of the run.
        public: Whether strangers use this machine.
    """
    refs = [read_ref(spec) for spec in (config.model_a, config.model_b)]
    if not any(ref.runs_here for ref in refs):
        return "You can close the page and come back by its link."
    if zero_gpu():
        return f"Runs on {_of_machine(public=public)}; keep the page open until both models have answered."
    return f"Runs on {_of_machine(public=public)}; you can close the page and come back by its link."


def _of_machine(*, public: bool) -> str:
    return machine_in_words(public=public).replace("This", "this", 1)
