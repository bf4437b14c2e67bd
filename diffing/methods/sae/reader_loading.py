"""Opens a reader model and an SAE by name, and checks that they fit together before any weights are downloaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from diffing.errors import HubError, MissingExtraError, ModelError, SettingError
from diffing.hub import hub_api
from diffing.methods.sae.hook_names import SaeHook, find_hook
from diffing.methods.sae.presets import PRESETS
from diffing.methods.sae.sae_files import SaeFacts, SaeSource, find_sae
from diffing.model_ref import parse_local_spec
from diffing.models.local.memory import dtype_name, gigabytes, needed_bytes, on_accelerator, this_machine
from diffing.models.local.sources import ModelFiles, open_source
from diffing.models.local.spec import LocalOptions
from diffing.models.local.weight_sizes import ModelSize

if TYPE_CHECKING:
    from transformers import PretrainedConfig

    from diffing.methods.sae.activations import SaeReader

_MARGIN = 1.2
_OTHERS = f"Choose another preset ({', '.join(PRESETS)})"


@dataclass(frozen=True)
class UnloadedSaeReader:
    """A reader and an SAE that fit together; their weights are not loaded yet."""

    sae: SaeSource
    """The SAE's files."""
    reader: ModelFiles
    """The reader's files."""
    hook: SaeHook
    """The place in the reader at which the SAE reads."""
    options: LocalOptions
    """How the reader is loaded."""

    @property
    def facts(self) -> SaeFacts:
        """The SAE's configuration."""
        return self.sae.facts

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """Everything but the text that affects the value of a latent."""
        dtype = dtype_name(self.options, gpu=on_accelerator(self.options))
        return (str(self.reader.identity), self.sae.identity, dtype)

    def load(self) -> "SaeReader":
        """Loads the reader and the SAE.

        Raises:
            ModelError: There is too little memory, or files are broken.
            HubError: The Hub refuses or cannot be reached.
        """
        from diffing.methods.sae.activations import SaeReader
        from diffing.methods.sae.encode import encoder_for
        from diffing.methods.sae.reader import load_reader

        _check_memory(self)
        reader = load_reader(
            self.reader.fetch(code=self.options.trust_remote_code), self.reader.name, self.hook, self.options
        )
        sae = self.sae.load(str(reader.device))
        sae.turn_off_forward_pass_hook_z_reshaping()  # transformers concatenates the heads already
        return SaeReader(reader, encoder_for(sae), sae, centred=self.facts.centred)


def open_sae(reader: str | None, sae: str | None, options: LocalOptions | None = None) -> UnloadedSaeReader:
    """Finds a reader and an SAE and checks that they fit together.

    Args:
        reader: The name of a preset, or the reader as `org/name[@revision]` or a folder; None takes the model that
            the SAE was trained on.
        sae: `release/sae_id` or a folder; None takes the preset's SAE.
        options: How the reader is loaded.

    Raises:
        SettingError: There is no reader or SAE of that name.
        ModelError: The SAE and the reader do not fit together.
        HubError: A repository is missing, private or gated, or there is no network.
        MissingExtraError: sae-lens, torch or transformers are not installed.
    """
    options = options or LocalOptions()
    preset = PRESETS.get(reader or "")
    if preset is not None:
        reader = preset.reader
    if sae is None and preset is None:
        raise SettingError(
            f"No SAE is given for the reader {reader}. Name an SAE as release/sae_id or folder. Presets: "
            f"{', '.join(PRESETS)}"
        )
    found = find_sae(sae if sae is not None else preset.sae)  # type: ignore[union-attr]
    facts = found.facts
    reader = reader or facts.reader
    if reader is None:
        raise SettingError(
            f"The SAE {found.name} does not say which model it reads. Name the reader as org/name or folder"
        )
    source = _open_reader(reader, options)
    config = text_config(source)
    hook = find_hook(facts.hook, config)
    _check_size(found.name, facts, source.name, hook, config)
    return UnloadedSaeReader(found, source, hook, options)


def _open_reader(reader: str, options: LocalOptions) -> ModelFiles:
    ref = parse_local_spec(reader)
    if ref.adapter is not None:
        raise SettingError(f"The reader is {reader}, a base model with an adapter: expected a model without an adapter")
    try:
        source = open_source(ref, hub_api(), allow_pickle=options.allow_pickle)
        _ = source.config  # a gated repository raises here
    except HubError as error:
        if not error.gated:
            raise
        free = ", ".join(name for name, preset in PRESETS.items() if not preset.gated)
        raise HubError(f"{error} Presets whose readers are not gated: {free}", gated=True) from None
    return source


def text_config(source: ModelFiles) -> "PretrainedConfig":
    """Reads the configuration of a reader's text model.

    Raises:
        ModelError: transformers does not know the architecture.
        MissingExtraError: transformers is not installed.
    """
    try:
        from transformers import AutoConfig
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    except ImportError:
        raise MissingExtraError("The SAE method", "sae") from None
    raw: dict[str, Any] = dict(source.config)
    model_type = raw.pop("model_type", None)
    if model_type not in CONFIG_MAPPING:
        raise ModelError(
            f"The reader {source.name} has the model type {model_type!r}, which transformers does not know. {_OTHERS}"
        )
    config: PretrainedConfig = AutoConfig.for_model(model_type, **raw).get_text_config()
    return config


def _check_size(sae: str, facts: SaeFacts, reader: str, hook: SaeHook, config: "PretrainedConfig") -> None:
    size = config.hidden_size
    if hook.module.endswith(("o_proj", "c_proj", "dense")) and hook.at == "input":  # the concatenated heads
        size = config.num_attention_heads * (
            getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        )
    if facts.d_in != size:
        made_for = f" It was made for {facts.reader}." if facts.reader else ""
        raise ModelError(
            f"The SAE {sae} reads {facts.d_in} numbers per token, but the reader {reader} has {size} there.{made_for} "
            "Name that reader"
        )


def _check_memory(opened: UnloadedSaeReader) -> None:
    machine, options = this_machine(), opened.options
    gpu = machine.gpu > 0 and options.device != "cpu"
    size = cut_size(opened.reader.size, opened.reader.config, text_config(opened.reader), opened.hook.layers)
    of_sae = 2 * 4 * opened.facts.d_in * opened.facts.d_sae  # encoder and decoder in float32 while it is being loaded
    needed = _MARGIN * needed_bytes(size, opened.reader.config, options, gpu=gpu) + of_sae
    room = machine.gpu + machine.ram if gpu else machine.ram
    if size.missing_bytes > machine.disk:
        raise ModelError(
            f"The reader {opened.reader.name} needs {gigabytes(size.missing_bytes)} on disk, "
            f"but {gigabytes(machine.disk)} are free. "
            f"Free some space, or point HF_HOME to a larger disk. {_OTHERS}"
        )
    if needed > room:
        raise ModelError(
            f"The reader {opened.reader.name} (its first {opened.hook.layers} layers) and the SAE need about "
            f"{gigabytes(needed)} of memory, "
            f"but {gigabytes(room)} are free. {_OTHERS}"
        )


def cut_size(size: ModelSize, raw: Mapping[str, Any], config: "PretrainedConfig", layers: int) -> ModelSize:
    """Reduces a reader's size to that of its first layers, without the head."""
    if not size.parameters:
        return size
    embedding = config.vocab_size * config.hidden_size
    tied = raw.get("tie_word_embeddings", config.tie_word_embeddings)
    of_layers = max(size.parameters - embedding * (1 if tied else 2), 0)
    share = min((embedding + of_layers * layers / config.num_hidden_layers) / size.parameters, 1.0)
    return ModelSize(
        {kind: round(count * share) for kind, count in size.stored_as.items()},
        round(size.stored_bytes * share),
        size.missing_bytes,
        size.files,
    )
