"""Loads the configuration, weights and tokenizer of a model from files on this machine.

The Hub is contacted only for code that a trusted model keeps in another repository.
"""

import inspect
import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from diffing.errors import MissingExtraError
from diffing.models.local.load_errors import one_line, quiet
from diffing.models.local.memory import dtype_name, on_accelerator
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import check_fetched
from diffing.models.local.weights import check_types, check_weights

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


_UNLOADED, _AGAIN = "cannot be loaded", "get its files again or use another model"


def read_config(name: str, folder: Path, options: LocalOptions) -> "PretrainedConfig":
    """Reads the configuration of a model, with the model's own code if that is trusted.

    Raises:
        ModelError: It cannot be read, or the code fails.
    """
    from transformers import AutoConfig

    with one_line(f"{name} {_UNLOADED}", _AGAIN), quiet():
        config: PretrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
    return config


def load_weights(name: str, folder: Path, options: LocalOptions) -> "PreTrainedModel":
    """Loads a model, ready to run, and checks that every weight comes from its files.

    Raises:
        ModelError: The files do not make a model, or not all of one.
        MissingExtraError: Quantisation without bitsandbytes.
    """
    # otherwise a thread of transformers has a bot open a pull request on repositories without safetensors
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # bitsandbytes warns in every layer for every token
    import torch
    from transformers import GenerationConfig

    config = read_config(name, folder, options)
    with one_line(f"{name} {_UNLOADED}", _AGAIN), quiet():
        _drop_unusable_settings(config)
        loaded: tuple[Any, dict[str, Any]] = _auto_class(config, options).from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, dtype_name(options, gpu=on_accelerator(options))),
            device_map=options.device or "auto",
            quantization_config=_quantization(options),
            use_safetensors=None if options.allow_pickle else True,
            trust_remote_code=options.trust_remote_code,
            # otherwise transformers checks the settings of the file, which are not used
            generation_config=GenerationConfig(),  # type: ignore[no-untyped-call]
            # `check_weights` reports both in one line
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
        model, info = loaded
        unused = frozenset(info["unexpected_keys"])
        info["unexpected_keys"] = _of_text(info["unexpected_keys"], type(model), config)
        check_weights(name, folder, type(model).__name__, len(list(model.parameters())), info)
        check_types(name, folder, model, unused)
    ready: PreTrainedModel = model.eval()
    return ready


def _drop_unusable_settings(config: "PretrainedConfig") -> None:
    """Removes generation settings that older versions wrote into the configuration and that make loading fail.

    Settings that the configuration's own class also defines are kept, because they may belong to the architecture.
    """
    from transformers import GenerationConfig

    try:
        GenerationConfig.from_model_config(config)
    except Exception:  # noqa: BLE001 - whatever the values of a stranger's file lead to
        architecture = inspect.signature(type(config)).parameters
        for key in vars(GenerationConfig()).keys() & vars(config).keys():  # type: ignore[no-untyped-call]
            if key not in architecture:
                delattr(config, key)


def _auto_class(config: "PretrainedConfig", options: LocalOptions) -> Any:  # noqa: ANN401 - transformers' are untyped
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoModelForCausalLM, AutoModelForImageTextToText

    own = getattr(config, "auto_map", None)
    remote = options.trust_remote_code and isinstance(own, dict) and "AutoModelForCausalLM" in own
    causal = remote or type(config) in MODEL_FOR_CAUSAL_LM_MAPPING
    return AutoModelForCausalLM if causal else AutoModelForImageTextToText


def _of_text(unexpected: Collection[str], loaded: type, config: "PretrainedConfig") -> list[str]:
    """The unused weights of a model's files that do not belong to a vision part.

    For some models (Llama 3.2 and 4), transformers has a class for text only, and this class is loaded.
    """
    import torch
    from transformers import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, AutoModelForImageTextToText

    if not unexpected or MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING.get(type(config), loaded) is loaded:
        return list(unexpected)
    auto: Any = AutoModelForImageTextToText  # transformers does not declare its type
    with torch.device("meta"):
        whole = auto.from_config(config)
    # in files, the names lack the first part
    known = {".".join(parts[start:]) for key in whole.state_dict() for parts in [key.split(".")] for start in range(3)}
    return [key for key in unexpected if key not in known]


def load_tokenizer(name: str, folder: Path, options: LocalOptions, **settings: object) -> "PreTrainedTokenizerBase":
    """Loads a tokenizer from a folder.

    Args:
        name: The name of the model or adapter, for messages.
        folder: The folder of its files.
        options: Only `trust_remote_code` matters here.
        settings: Values that replace the folder's own settings, such as `eos_token`.

    Raises:
        ModelError: There is no usable tokenizer.
    """
    from transformers import AutoTokenizer

    fast = folder / "tokenizer.json"
    check_fetched(name, *([fast] if fast.is_file() else sorted(folder.glob("*.model"))))
    with one_line(f"{name} has no usable tokenizer", "expected tokenizer.json beside the model"), quiet():
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=options.trust_remote_code, **settings
        )
        tokenizer("text")  # even if the files can be read, their values may be unusable
    return tokenizer


def _quantization(options: LocalOptions) -> object | None:
    if options.quantization is None:
        return None
    import torch
    from transformers import BitsAndBytesConfig
    from transformers.utils import is_bitsandbytes_available  # type: ignore[attr-defined]

    if not is_bitsandbytes_available():
        raise MissingExtraError("Loading weights in 4 or 8 bits", "quantized")
    make: Any = BitsAndBytesConfig
    if options.quantization == "8bit":
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns at every step
        return cast("object", make(load_in_8bit=True))
    return cast("object", make(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16))
