"""Loads a PEFT adapter onto a base model, and checks that all of its weights fit and none is randomly initialised.

Whether the adapter changes the model's output is checked in `sanity_checks.py`.
"""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from huggingface_hub import parse_local_safetensors_file_metadata

from diffing.errors import MissingExtraError, ModelError
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.sources import ADAPTER_CONFIG
from diffing.models.local.weight_sizes import ADAPTER_WEIGHTS

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_PREFIX = "base_model.model."
"""The prefix that PEFT adds to the names of the base model's modules."""


def check_adapter(name: str, config: Mapping[str, Any]) -> None:
    """Refuses, before anything is downloaded, an adapter that does not belong to a text-generating model.

    An adapter is weights over a base; PEFT would also follow its configuration to other files, and import code.

    Args:
        name: The adapter's.
        config: Its adapter_config.json.

    Raises:
        ModelError: It is for another task, or names other files or modules to load.
    """
    if not isinstance(config.get("peft_type"), str):
        raise ModelError(f"The adapter {name} has no peft_type in its {ADAPTER_CONFIG}: expected what PEFT saves.")
    if config["peft_type"].upper() == "XLORA" or config.get("megatron_config") is not None:
        raise ModelError(
            f"The adapter {name} names other adapters or modules to load (X-LoRA or Megatron), which is not done: "
            "expected an adapter that is complete in itself; merge it first."
        )
    task = config.get("task_type")
    if task not in (None, "CAUSAL_LM"):
        raise ModelError(
            f"The adapter {name} is for the task {str(task)[:50]}: expected one for a model that writes text "
            "(CAUSAL_LM); use another adapter."
        )


def add_adapter(model: "PreTrainedModel", name: str, folder: Path) -> "PreTrainedModel":
    """Applies an adapter to a model; the base's weights are not changed.

    Raises:
        ModelError: The adapter was made for another base, or is not complete.
        MissingExtraError: peft is not installed.
    """
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("An adapter (base+adapter)", "local") from None

    what = f"The adapter {name} does not fit the base model"
    with one_line(what, "name the base it was made for, or get its files again"), quiet():
        stored = parse_local_safetensors_file_metadata(folder / ADAPTER_WEIGHTS).tensors
        _resize_embeddings(model, name, {key: tuple(tensor.shape) for key, tensor in stored.items()})
        adapted: Any = PeftModel.from_pretrained(model, str(folder))
        # loading for the first time does not report unused weights; loading again changes nothing and does
        told = adapted.load_adapter(str(folder), adapted.active_adapter)
        lost = _lost(adapted, folder / ADAPTER_WEIGHTS, told.unexpected_keys)
        _check_keys(name, adapted, len(stored), told.missing_keys, lost)
    return cast("PreTrainedModel", adapted.eval())  # a PeftModel can stand in for one, but is no subclass


def _resize_embeddings(model: "PreTrainedModel", name: str, stored: Mapping[str, tuple[int, ...]]) -> None:
    """Resizes the embeddings to those saved with the adapter, which may have learnt new tokens.

    Rows for which the adapter has no values would be random.
    """
    names = {id(module): path for path, module in model.named_modules()}
    both: Any = model  # PEFT's methods have no types
    ends = (each for each in (both.get_input_embeddings(), both.get_output_embeddings()) if each is not None)
    modules = {names[id(module)]: module for module in ends if id(module) in names}
    brought = {path: rows for path in modules if (rows := _rows(path, stored)) is not None}
    if not brought:
        return
    before = {path: len(cast("Any", module).weight) for path, module in modules.items()}
    rows = max(brought.values())
    if all(before[path] == rows for path in brought):
        return
    weights = {id(cast("Any", module).weight) for module in modules.values()}
    bare = sorted(set(modules) - set(brought)) if len(weights) > 1 else []
    if bare and rows > max(before.values()):
        raise ModelError(
            f"The adapter {name} brings embeddings of {rows:,} tokens and nothing for {bare[0]}, which has "
            f"{before[bare[0]]:,}: expected both; save it with save_embedding_layers=True."
        )
    model.resize_token_embeddings(rows, mean_resizing=False)


def _rows(path: str, stored: Mapping[str, tuple[int, ...]]) -> int | None:
    whole = (f"{path}.weight", f"{path}.base_layer.weight")
    return next((shape[0] for key, shape in stored.items() if key.removeprefix(_PREFIX) in whole), None)


def _check_keys(name: str, adapted: Any, stored: int, missing: Collection[str], unexpected: Collection[str]) -> None:  # noqa: ANN401
    if any(config.is_prompt_learning for config in adapted.peft_config.values()):
        unexpected = ()  # PEFT itself puts learnt prompts into place, either completely or not at all
    if unexpected:
        raise ModelError(
            f"The adapter {name} does not fit the base model, which has no place for {len(unexpected)} of its {stored} "
            f"weights, such as {_shown(adapted, unexpected)}; name the base it was made for."
        )
    lacking = _unshared(adapted, missing)
    if lacking:
        raise ModelError(
            f"The adapter {name} lacks {len(lacking)} of its weights, which would be random, such as "
            f"{_shown(adapted, lacking)}; get its files again."
        )


def _lost(adapted: Any, file: Path, unexpected: Collection[str]) -> list[str]:  # noqa: ANN401
    """The unused weights of the adapter that are not in the model under another name.

    PEFT stores some under a second name (`lm_head.modules_to_save.weight` beside `lm_head.weight`), and puts others
    into place by itself (the projections of VeRA).
    """
    if not unexpected:
        return []
    import torch
    from safetensors import safe_open

    places = dict(adapted.named_parameters(remove_duplicate=False)) | dict(adapted.named_buffers())

    def arrived(key: str, stored: torch.Tensor) -> bool:
        own = (place for name, place in places.items() if _goes_on(key, name) and place.shape == stored.shape)
        return any(torch.equal(place, stored.to(place)) for place in own)

    with safe_open(file, framework="pt") as tensors:
        stored = {key: tensors.get_tensor(key) for key in set(tensors.keys()) & set(unexpected)}
    return [key for key in unexpected if key not in stored or not arrived(key, stored[key])]


def _goes_on(short: str, long: str) -> bool:
    """Whether a dotted name equals another one with additional parts in between."""
    parts = iter(long.split("."))
    return all(part in parts for part in short.split("."))


def _unshared(adapted: Any, missing: Collection[str]) -> list[str]:  # noqa: ANN401
    """Lists each weight once, even if it has several names; some adapters share one bank of vectors over all layers."""
    if not missing:
        return []
    parameters = dict(adapted.named_parameters(remove_duplicate=False))
    loaded = {id(parameter) for key, parameter in parameters.items() if key not in missing}
    return [key for key in missing if id(parameters.get(key)) not in loaded]


def _shown(adapted: Any, keys: Collection[str]) -> str:  # noqa: ANN401
    """The name of the first weight, as in the file, for error messages."""
    return min(keys).removeprefix(_PREFIX).replace(f".{adapted.active_adapter}.", ".")[:100]


def learnt_tokens(folder: Path) -> list[int]:
    """The tokens whose embeddings an adapter changes individually; some adapters affect nothing else."""
    config = json.loads((folder / ADAPTER_CONFIG).read_bytes())
    named = [config.get("token_indices"), config.get("trainable_token_indices")]
    lists = [each for value in named for each in (value.values() if isinstance(value, dict) else [value])]
    return [
        token for each in lists if isinstance(each, list) for token in each if isinstance(token, int) and token >= 0
    ]
