"""Finds an SAE in the registry of sae-lens or in a folder, reads its configuration, and loads its weights.

Reading the configuration is cheap; only `load` reads the weights.
"""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from diffing.errors import MissingExtraError, ModelError, SettingError
from diffing.hub import hub_api, hub_errors
from diffing.methods.sae.presets import PRESETS
from diffing.paths import existing

_CONFIG, _WEIGHTS = "cfg.json", "sae_weights.safetensors"
_NEURONPEDIA = "https://www.neuronpedia.org"
_LOOK_AT_SEQUENCES = ("temporal",)


@dataclass(frozen=True, slots=True)
class SaeFacts:
    """The configuration of an SAE, which is known without its weights."""

    architecture: str
    """The architecture's name in sae-lens."""
    d_in: int
    """The dimension of the activations that it reads."""
    d_sae: int
    """The number of latents."""
    hook: str
    """The hook that it reads, as TransformerLens names it or as a path of modules."""
    reader: str | None
    """The model that it was trained on, if its configuration names one."""
    neuronpedia: str | None
    """Its id on Neuronpedia, if it has public pages there."""
    centred: bool
    """Whether it was trained on a residual stream from which the mean over the dimensions was subtracted."""


class SaeSource(Protocol):
    """An SAE's files."""

    @property
    def name(self) -> str:
        """The SAE's name as the user gave it."""

    @property
    def identity(self) -> str:
        """Name and content: `release/sae_id@commit-sha`, or `folder-name@hash-of-the-files`."""

    @property
    def facts(self) -> SaeFacts:
        """The SAE's configuration.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: There is no such SAE, or it cannot be used.
        """

    def load(self, device: str) -> Any:  # noqa: ANN401 - sae-lens is untyped
        """Loads the SAE with sae-lens, in float32.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: Its files are broken.
        """


def find_sae(spec: str) -> SaeSource:
    """Finds an SAE by a folder or by `release/sae_id`, without downloading anything.

    Raises:
        SettingError: There is no such folder or registry entry.
        MissingExtraError: sae-lens is not installed.
    """
    folder = existing(spec)
    if folder and folder.is_dir():
        return FolderSae(folder.resolve())
    release, _, sae_id = spec.partition("/")
    known = _registry()
    if release in known and sae_id in known[release].saes_map:
        return RegistrySae(release, sae_id)
    if release in known:
        ids = sorted(known[release].saes_map)
        shown = ", ".join(ids[:6]) + (f" and {len(ids) - 6} more" if len(ids) > 6 else "")
        raise SettingError(f"The release {release} has no SAE {sae_id!r:.100}: expected {release}/ and one of {shown}")
    raise SettingError(
        f"The SAE {spec!r:.100} is neither a folder nor release/sae_id of sae-lens' registry: "
        f"expected for example {PRESETS['qwen2.5-7b'].sae}, or one of the presets {', '.join(PRESETS)}"
    )


def _registry() -> Mapping[str, Any]:
    """Reads the table of releases of sae-lens, which takes a second."""
    try:
        from sae_lens.loading.pretrained_saes_directory import get_pretrained_saes_directory
    except ImportError:
        raise MissingExtraError("The SAE method", "sae") from None
    directory: Mapping[str, Any] = get_pretrained_saes_directory()
    return directory


class RegistrySae:
    """An SAE in the registry of sae-lens, given by release and id."""

    def __init__(self, release: str, sae_id: str) -> None:
        self.name = f"{release}/{sae_id}"
        """`release/sae_id`."""
        self._release = release
        self._sae_id = sae_id
        self._entry = _registry()[release]

    @cached_property
    def identity(self) -> str:
        """Returns the name and a digest of the content; see `SaeSource.identity`."""
        repo: str = self._entry.repo_id
        with hub_errors(repo):
            return f"{self.name}@{hub_api().resolve_revision(repo).resolved}"

    @cached_property
    def facts(self) -> SaeFacts:
        """See `SaeSource.facts`."""
        from sae_lens.loading.pretrained_sae_loaders import load_sae_config_from_huggingface

        with hub_errors(self._entry.repo_id):
            config = load_sae_config_from_huggingface(self._release, self._sae_id)
        return _facts(self.name, config, self._entry.model, self._entry.neuronpedia_id.get(self._sae_id))

    def load(self, device: str) -> Any:  # noqa: ANN401
        """See `SaeSource.load`."""
        from sae_lens import SAE

        with hub_errors(self._entry.repo_id), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about loading the reader in TransformerLens, which is not used
            return SAE.from_pretrained(self._release, self._sae_id, device=device, dtype="float32")


class FolderSae:
    """An SAE in a local folder that sae-lens saved."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The folder."""
        missing = [name for name in (_CONFIG, _WEIGHTS) if not (path / name).is_file()]
        if missing:
            raise SettingError(
                f"The folder {path.name} has no {missing[0]}: expected an SAE as sae-lens' save_inference_model "
                "writes it"
            )

    @property
    def name(self) -> str:
        """The folder's name without its path."""
        return self.path.name

    @cached_property
    def identity(self) -> str:
        """Returns the name and a digest of the content; see `SaeSource.identity`."""
        digest = hashlib.sha256()
        for name in (_CONFIG, _WEIGHTS):
            with (self.path / name).open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return f"{self.name}@{digest.hexdigest()[:12]}"

    @cached_property
    def facts(self) -> SaeFacts:
        """See `SaeSource.facts`."""
        try:
            from sae_lens.loading.pretrained_sae_loaders import handle_config_defaulting
        except ImportError:
            raise MissingExtraError("The SAE method", "sae") from None
        try:
            config = json.loads((self.path / _CONFIG).read_text("utf-8"))
            return _facts(self.name, handle_config_defaulting(config), None, None)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"The SAE {self.name} has a {_CONFIG} that cannot be used ({error}): save it again with sae-lens"
            ) from None

    def load(self, device: str) -> Any:  # noqa: ANN401
        """See `SaeSource.load`."""
        from sae_lens import SAE
        from safetensors import SafetensorError

        try:
            return SAE.load_from_disk(self.path, device=device, dtype="float32")
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"The SAE {self.name} cannot be loaded ({error}): save it again with sae-lens") from None


def _facts(name: str, config: Mapping[str, Any], reader: str | None, neuronpedia: str | None) -> SaeFacts:
    from sae_lens.registry import SAE_CLASS_REGISTRY

    metadata = config.get("metadata") or {}
    architecture = str(config["architecture"])
    if architecture not in SAE_CLASS_REGISTRY:
        raise ModelError(
            f"The SAE {name} is saved as {architecture!r}, expected one of {', '.join(sorted(SAE_CLASS_REGISTRY))}: "
            "save an SAE in training with sae-lens' save_inference_model"
        )
    if architecture in _LOOK_AT_SEQUENCES:
        raise ModelError(
            f"The SAE {name} is {architecture}: its latents depend on other tokens, which is not supported. Choose "
            "another SAE"
        )
    hook = metadata.get("hook_name")
    if metadata.get("hf_hook_name") and "hook_mlp_in" in str(hook):
        hook = metadata[
            "hf_hook_name"
        ]  # in TransformerLens this is the stream before the norm, but the SAE reads what comes after it
    if not hook:
        raise ModelError(f"The SAE {name} does not say which hook it reads (metadata.hook_name): choose another SAE")
    if metadata.get("hook_head_index") is not None:
        raise ModelError(
            f"The SAE {name} reads a single attention head, which is not supported: choose an SAE on the residual "
            "stream"
        )
    kwargs = metadata.get("model_from_pretrained_kwargs") or {}
    return SaeFacts(
        architecture=architecture,
        d_in=int(config["d_in"]),
        d_sae=int(config["d_sae"]),
        hook=str(hook),
        reader=_reader(reader or metadata.get("model_name")),
        neuronpedia=neuronpedia or metadata.get("neuronpedia_id"),
        centred=bool(kwargs.get("center_writing_weights")),
    )


def _reader(name: str | None) -> str | None:
    """Returns the Hub id of a model that may have a short TransformerLens name (`gpt2-small`)."""
    if not name or "/" in name:
        return name
    from transformer_lens.supported_models import MODEL_ALIASES

    return next((official for official, aliases in MODEL_ALIASES.items() if name in aliases), None)


def feature_url(neuronpedia: str | None, index: int) -> str | None:
    """Returns the address of a latent's public page, if there is one."""
    return f"{_NEURONPEDIA}/{neuronpedia}/{index}" if neuronpedia else None
