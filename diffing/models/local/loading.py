"""From files on this machine to a model and its tokenizer.

Asks the Hub for nothing, but for code that a trusted model keeps elsewhere.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from diffing.errors import MissingExtraError, ModelError
from diffing.models.local.fitting import dtype_name, on_accelerator
from diffing.models.local.sources import ADAPTER_CONFIG
from diffing.models.local.spec import LocalOptions

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

_IMPORTING = threading.Lock()
"""transformers loads its parts when they are first named, and fails where two threads do so at the same time."""


def check_architecture(name: str, config: Mapping[str, Any], options: LocalOptions) -> None:
    """Refuses, before anything is downloaded, what transformers could not load.

    Raises:
        ModelError: The architecture is unknown, needs code that comes with the model, or writes no text.
        MissingExtraError: transformers is not installed.
    """
    try:
        with _IMPORTING:
            from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, __version__
            from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    except ImportError:
        raise MissingExtraError(f"Running {name} on this machine", "local") from None

    if options.trust_remote_code and "auto_map" in config:
        return
    model_type = str(config.get("model_type"))
    if model_type not in CONFIG_MAPPING:
        if "auto_map" in config:
            raise ModelError(
                f"{name} needs Python code that comes with it (model type {model_type!r}), not an architecture that "
                "transformers knows: read that code, then allow it with trust_remote_code."
            )
        raise ModelError(
            f"{name} has the model type {model_type!r}, which transformers {__version__} does not know: "
            "upgrade transformers, or use another model."
        )
    known = CONFIG_MAPPING[model_type]
    if known not in AutoModelForCausalLM._model_mapping and known not in AutoModelForImageTextToText._model_mapping:
        raise ModelError(
            f"{name} is of type {model_type!r}, which does not write text: expected a causal language model."
        )


def load_weights(name: str, folder: Path, options: LocalOptions) -> "PreTrainedModel":
    """The model, ready to run.

    Raises:
        ModelError: The files do not make a model.
        MissingExtraError: Quantisation without bitsandbytes.
    """
    # else a thread of transformers asks a bot to open a pull request on repositories without safetensors
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText
    from transformers.utils import logging as transformers_logging

    # its bar would be drawn into logs and over our own
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
        causal = type(config) in AutoModelForCausalLM._model_mapping or hasattr(config, "auto_map")
        auto = AutoModelForCausalLM if causal else AutoModelForImageTextToText
        model: Any = auto.from_pretrained(
            folder,
            config=config,
            dtype=getattr(torch, dtype_name(options, gpu=on_accelerator(options))),
            device_map=options.device or "auto",
            quantization_config=_quantization(options),
            use_safetensors=None if options.allow_pickle else True,
            trust_remote_code=options.trust_remote_code,
        )
    except (OSError, ValueError, KeyError) as error:  # what from_pretrained raises for broken or unfitting files
        raise ModelError(
            f"{name} cannot be loaded: {_first_line(error)}; get its files again or use another model."
        ) from None
    loaded: PreTrainedModel = model.eval()
    return loaded


def load_tokenizer(name: str, folder: Path, options: LocalOptions) -> "PreTrainedTokenizerBase":
    """The model's tokenizer.

    Raises:
        ModelError: There is none that can be used.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=options.trust_remote_code
        )
    except (
        OSError,
        ValueError,
        KeyError,
        ImportError,
    ) as error:  # ImportError: a tokenizer that wants sentencepiece or tiktoken
        raise ModelError(
            f"{name} has no usable tokenizer: {_first_line(error)}; expected tokenizer.json beside the model."
        ) from None
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
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it would warn of its own rounding at every step
        return cast("object", make(load_in_8bit=True))
    return cast("object", make(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16))


def add_adapter(model: "PreTrainedModel", name: str, folder: Path) -> "PreTrainedModel":
    """The model with an adapter over it; the base's weights stay as they are.

    Raises:
        ModelError: The adapter was made for another base, or names other files or modules to load.
        MissingExtraError: peft is not installed.
    """
    _check_adapter(name, folder)
    try:
        from peft import PeftModel
    except ImportError:
        raise MissingExtraError("An adapter (base+adapter)", "local") from None
    try:
        adapted: Any = PeftModel.from_pretrained(model, str(folder))
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: sizes that differ from the base's
        raise ModelError(
            f"The adapter {name} does not fit the base model: {_first_line(error)}; name the base it was made for."
        ) from None
    return cast("PreTrainedModel", adapted.eval())  # stands for one, without being one


def _check_adapter(name: str, folder: Path) -> None:
    """An adapter is weights over a base; peft would also follow its config to other files, and import code."""
    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_bytes())
        follows = str(config.get("peft_type")).upper() == "XLORA" or config.get("megatron_config") is not None
    except (OSError, ValueError, AttributeError, RecursionError):
        raise ModelError(f"The adapter {name} has no readable {ADAPTER_CONFIG}: expected what peft saves") from None
    if follows:
        raise ModelError(
            f"The adapter {name} names other adapters or modules to load (X-LoRA or Megatron), which is not done: "
            "expected an adapter that is complete in itself; merge it first"
        )


def _first_line(error: Exception) -> str:
    return next((line.strip().rstrip(".:") for line in str(error).splitlines() if line.strip()), type(error).__name__)
