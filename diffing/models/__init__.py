"""Models: anything that turns messages into text. `load_model` finds the backend for a model string.

A new backend is a file with a `Model` and one line in `diffing/registry.py`; the libraries of a backend load with it.
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
    """How a model is loaded or reached. Tokens and keys are no options: they come from the environment or the login."""

    dtype: str = "auto"
    """Local: `auto` is bfloat16 on a GPU and on a CPU that is fast at it, else float32."""
    quantization: Quantization | None = None
    """Local: 4 or 8 bits, on a GPU."""
    chat_template: str | None = None
    """Local: a file with a Jinja chat template to use instead of the model's own."""
    trust_remote_code: bool = False
    """Local: run code from the model's repository."""
    allow_pickle: bool = False
    """Local: load weights that are not safetensors."""
    base_url: str | None = None
    """`openai:` models: the server, where the string names none; else the environment's OPENAI_BASE_URL."""
    bill_to: str | None = None
    """`providers:` models: the organisation that pays."""
    columns: str | None = None
    """`recorded:` models: what is what in the rows, as `prompt=question,response=text`, where it cannot be told."""
    concurrency: int = 8
    """Remote: requests at a time."""
    timeout: float = 120.0
    """Remote: seconds to wait for one answer."""


def load_local(ref: ModelRef, options: LoadOptions) -> Model:
    """A model on this machine."""
    from diffing.models.local import LocalModel, LocalOptions

    return LocalModel.load(
        ref,
        options=LocalOptions(
            dtype=options.dtype,
            quantization=options.quantization,
            chat_template=options.chat_template,
            trust_remote_code=options.trust_remote_code,
            allow_pickle=options.allow_pickle,
        ),
    )


def load_providers(ref: ModelRef, options: LoadOptions) -> Model:
    """A model of Inference Providers."""
    from diffing.models.providers import ProvidersModel

    return ProvidersModel(
        ref.name,
        provider=ref.provider or "auto",
        bill_to=options.bill_to,
        concurrency=options.concurrency,
        timeout=options.timeout,
    )


def load_openai(ref: ModelRef, options: LoadOptions) -> Model:
    """A model of a server."""
    from diffing.models.openai_compatible import OpenAIModel

    url = ref.address or options.base_url or os.environ.get("OPENAI_BASE_URL")
    if not url:
        raise SettingError(
            f"{ref} needs the address of its server. Give --base-url, for example http://localhost:8000/v1"
        )
    return OpenAIModel(ref.name, url, concurrency=options.concurrency, timeout=options.timeout)


def load_recorded(ref: ModelRef, options: LoadOptions) -> Model:
    """A recorded model."""
    from diffing.models.recorded import RecordedModel

    return RecordedModel.open(ref.source, columns=options.columns)


def load_model(
    spec: str,
    *,
    options: LoadOptions | None = None,
    cache: "Store | Literal['default'] | None" = "default",
    meter: "Meter | None" = None,
    price: Price | None = None,
) -> Model:
    """Finds the backend for a model string and loads the model.

    Args:
        spec: `org/name[@revision]`, a folder, `base+adapter`, `providers:org/name[:provider]`, `openai:name[@URL]`,
            `recorded:file` or `recorded:user/dataset`.
        options: How it is loaded or reached.
        cache: Where completions are kept; `default` is the user's cache folder, None keeps nothing.
        meter: Hard limits that all remote models of a run share.
        price: Dollars per million tokens of a remote model.

    Raises:
        SettingError: The string names no backend or lacks a part.
        ModelError: The model cannot be loaded or reached.
        HubError: The Hub refused, or could not be reached.
        MissingExtraError: The backend's libraries are not installed.
    """
    ref = parse_spec(spec)
    backend = registry.BACKENDS.get("local" if ref.runs_here else ref.place)
    if backend is None:
        raise SettingError(
            f"{spec!r:.80}: '{ref.place:.40}:' is no kind of model. "
            f"Expected one of {', '.join(f'{k}:' for k in registry.BACKENDS)}"
        )
    model: Model = registry.load(backend)(ref, options or LoadOptions())
    if ref.place == ModelPlace.RECORDED:
        return model  # it reads from a file already
    return _wrapped(model, cache, meter, price)


def _wrapped(
    model: Model, cache: "Store | Literal['default'] | None", meter: "Meter | None", price: Price | None
) -> Model:
    """The meter lies below the cache, so that only what is really asked counts."""
    if meter is not None and model.remote:
        from diffing.models.meter import MeteredModel

        model = MeteredModel(model, meter, price)
    if cache is None:
        return model
    from diffing.models.cache import CachedModel, default_store

    return CachedModel(model, default_store() if cache == "default" else cache)
