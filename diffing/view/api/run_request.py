"""The parameters with which programs request a comparison: the main settings by name, all others in one object."""

from dataclasses import dataclass
from typing import Any

from diffing.config import DiffConfig, Limits
from diffing.errors import SettingError
from diffing.settings import described


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A requested comparison."""

    config: DiffConfig
    """The settings of the run."""
    limits: Limits
    """The caller's own limits."""


def read_request(
    model_a: str,
    model_b: str,
    prompts: str | None = None,
    domain: list[str] | None = None,
    train: int = 300,
    heldout: int = 150,
    suspect: str | None = None,
    method: list[str] | None = None,
    llm: str | None = None,
    reader: str | None = None,
    system_prompt_a: str | None = None,
    system_prompt_b: str | None = None,
    max_new_tokens: int = 512,
    temperature: float = 0.0,
    max_calls: int | None = None,
    settings: dict[str, Any] | None = None,
) -> RunRequest:
    """Builds a request from the parameters of an API call.

    Args:
        model_a: The first model: org/name[@revision] of the Hugging Face Hub, base+adapter, or
            providers:org/name[:provider] to ask Inference Providers in the caller's name.
        model_b: The second model, likewise; may be the first again, with another system prompt or revision.
        prompts: A dataset of the Hub (org/name[@revision][:config][/split]); default: 814 bundled prompts over
            33 domains.
        domain: Only prompts of these domains, or of these kinds of bundled prompts ("advice").
        train: Maximum number of prompts from which hypotheses come.
        heldout: Maximum number of prompts that only test hypotheses.
        suspect: A suspected difference in words ("advice on medicines"): the LLM writes prompts that could show it.
        method: Any of lexical, sae and llm; default: lexical, and also sae if a reader is given, and llm if an LLM is
            given.
        llm: The LLM that describes differences, judges and rates, such as providers:Qwen/Qwen3-32B.
        reader: The model whose activations the sparse autoencoder reads: gpt2, qwen2.5-7b, llama-3.1-8b, ...
        system_prompt_a: A system prompt for model A only.
        system_prompt_b: A system prompt for model B only.
        max_new_tokens: Maximum number of tokens per response.
        temperature: Sampling temperature; 0 is greedy.
        max_calls: Maximum number of calls to remote models; the run stops cleanly there.
        settings: Any other setting of `diffing run`, such as {"sample_b": 1, "judging": "full"}.

    Raises:
        SettingError: A setting does not exist, or has the wrong type.
    """
    named: dict[str, Any] = {
        name: value for name, value in locals().items() if value is not None and name != "settings"
    }
    return _request(named, settings or {})


def _request(named: dict[str, Any], others: dict[str, Any]) -> RunRequest:
    """Builds a request from the settings that have a parameter and all others, by name."""
    limits = described(Limits)
    known = described(DiffConfig).keys() | limits.keys()
    for name in others:
        if name not in known:
            raise SettingError(
                f"settings: there is no {name!r:.60}. Expected the name of a setting of `diffing run`, with underscores"
            )
        if name in named:
            raise SettingError(f"settings: {name} has a parameter of its own. Use that instead")
    every = named | others
    return RunRequest(
        config=DiffConfig(**{name: value for name, value in every.items() if name not in limits}),
        limits=Limits(**{name: value for name, value in every.items() if name in limits}),
    )
