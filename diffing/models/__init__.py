"""Loads models: `load_model` chooses the backend for a model string, such as local weights or a server.

A new backend is a file with a `Model` and one line in `diffing/registry.py`. The libraries of a backend are imported
only when it is used.
"""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from diffing import registry
from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef, parse_spec
from diffing.models.base import Model, Price, Sampling

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.models.meter import Meter

__all__ = ["LoadOptions", "Model", "Price", "Sampling", "load_model"]

Quantization: TypeAlias = Literal["4bit", "8bit"]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is loaded or reached. Tokens and keys come from the environment or the login, not from here."""

    dtype: str = "auto"
    """Local models: the data type. `auto` is bfloat16 on a GPU and on a CPU that is fast at it, else float32."""
    quantization: Quantization | None = None
    """Local models: load the weights in 4 or 8 bits, on a GPU."""
    chat_template: str | None = None
    """Local models: a file with a Jinja chat template to use instead of the model's own."""
    trust_remote_code: bool = False
    """Local models: run code from the model's repository."""
    allow_pickle: bool = False
    """Local models: allow weights that are not safetensors."""
    local_rank: int | None = None
    """Local models: the number of this process on its machine, if several share a run; it uses the GPU of that number.
    """
    base_url: str | None = None
    """`openai:` models: the server's address, if the model string has none; else OPENAI_BASE_URL is used."""
    bill_to: str | None = None
    """`providers:` models: the organisation that pays."""
    columns: str | None = None
    """`recorded:` models: the meaning of the columns, as `prompt=question,response=text`, if not recognised."""
    concurrency: int = 8
    """Remote models: maximum number of simultaneous requests."""
    timeout: float = 120.0
    """Remote models: seconds to wait for one answer."""


def load_local(ref: ModelRef, options: LoadOptions) -> Model:
    """Loads weights from the Hub or a folder onto this machine."""
    from diffing.models.local import LocalModel, LocalOptions
    from diffing.models.local.memory import device_of_rank

    return LocalModel.load(
        ref,
        options=LocalOptions(
            dtype=options.dtype,
            quantization=options.quantization,
            chat_template=options.chat_template,
            trust_remote_code=options.trust_remote_code,
            allow_pickle=options.allow_pickle,
            device=device_of_rank(options.local_rank) if options.local_rank is not None else None,
        ),
    )


def load_providers(ref: ModelRef, options: LoadOptions) -> Model:
    """Prepares a model that Hugging Face Inference Providers serve."""
    from diffing.models.providers import ProvidersModel

    return ProvidersModel(
        ref.name,
        provider=ref.provider or "auto",
        bill_to=options.bill_to,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )


def load_openai(ref: ModelRef, options: LoadOptions) -> Model:
    """Prepares a model on an OpenAI-compatible server."""
    from diffing.models.openai_compatible import OpenAIModel

    url = ref.address or options.base_url or os.environ.get("OPENAI_BASE_URL")
    if not url:
        raise SettingError(
            f"{ref} needs the address of its server. Give --base-url, for example http://localhost:8000/v1"
        )
    return OpenAIModel(ref.name, url, concurrency=options.concurrency, timeout=options.timeout)


def load_recorded(ref: ModelRef, options: LoadOptions) -> Model:
    """Opens recorded responses as a model."""
    from diffing.models.recorded import RecordedModel

    return RecordedModel.open(ref.source, columns=options.columns)


def load_vllm(ref: ModelRef, options: LoadOptions) -> Model:
    """Finds a model that vLLM runs on this machine."""
    from diffing.models.local import LocalOptions
    from diffing.models.vllm import VllmModel

    if options.quantization is not None or options.local_rank is not None:
        raise SettingError(
            f"{ref}: vLLM uses all GPUs from one process, and weights as they are stored. Leave out --quantization, "
            "and start a single process"
        )
    return VllmModel.load(
        ref,
        options=LocalOptions(
            dtype=options.dtype,
            chat_template=options.chat_template,
            trust_remote_code=options.trust_remote_code,
            allow_pickle=options.allow_pickle,
        ),
    )


def load_model(
    spec: str,
    *,
    options: LoadOptions | None = None,
    cache: "Store | Literal['default'] | None" = "default",
    meter: "Meter | None" = None,
    price: Price | None = None,
) -> Model:
    """Chooses the backend for a model string and loads the model.

    Args:
        spec: `org/name[@revision]`, a folder, `base+adapter`, `providers:org/name[:provider]`, `openai:name[@URL]`,
            `recorded:file` or `recorded:user/dataset`, `vllm:org/name`.
        options: How the model is loaded or reached.
        cache: The cache of completions; `default` is the one in the user's cache folder, None turns caching off.
        meter: Hard limits that all remote models of a run share.
        price: Dollars per million tokens of a remote model.

    Raises:
        SettingError: The string names no known backend, or is incomplete.
        ModelError: The model cannot be loaded or reached.
        HubError: The Hub refused, or could not be reached.
        MissingExtraError: The backend's libraries are not installed.
    """
    ref = parse_spec(spec)
    backend = registry.BACKENDS.get("local" if ref.runs_here else ref.place)
    if backend is None:
        raise SettingError(
            f"{spec!r:.80}: '{ref.place:.40}:' is not a known kind of model. "
            f"Expected one of {', '.join(f'{k}:' for k in registry.BACKENDS)}"
        )
    model: Model = registry.load(backend)(ref, options or LoadOptions())
    if ref.place == ModelPlace.RECORDED:
        return model  # its answers are stored in a file already
    return _wrapped(model, cache, meter, price)


def _wrapped(
    model: Model, cache: "Store | Literal['default'] | None", meter: "Meter | None", price: Price | None
) -> Model:
    """Wraps a model in a meter and a cache, in this order, so that the meter counts only calls that are really made."""
    if meter is not None and model.remote:
        from diffing.models.meter import MeteredModel

        model = MeteredModel(model, meter, price)
    if cache is None:
        return model
    from diffing.models.cache import CachedModel, default_store

    return CachedModel(model, default_store() if cache == "default" else cache)
