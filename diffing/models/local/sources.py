"""The files of a model, in a folder or a Hub repository: their identity (commit or hash), sizes and download.

Only configurations and the headers of safetensors files are read; no weights are loaded, and none are downloaded before
`fetch`.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import NotASafetensorsRepoError, RemoteEntryNotFoundError

from diffing.errors import ModelError, SettingError
from diffing.hub import TIMEOUT, BoundedApi, hub_errors
from diffing.model_ref import ModelPlace, ModelRef
from diffing.models.local.load_errors import one_line
from diffing.models.local.weight_sizes import (
    ADAPTER_WEIGHTS,
    INDEX,
    ModelSize,
    adapter_size,
    check_fetched,
    local_size,
    missing_shards,
    no_adapter_weights,
    pickled_size,
    shards,
    shards_missing,
)

MODEL_CONFIG = "config.json"
ADAPTER_CONFIG = "adapter_config.json"
_MOST_JSON, _MOST_ADAPTER = 20_000_000, 10_000_000_000
"""The maximum size in bytes of the files that are read to determine a model's size. The files come from strangers."""
_PICKLED = (".bin", ".pt", ".pth")
_TEXT_FILES = ("*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken")
_MORE_TEMPLATES = "additional_chat_templates/*.jinja"


class ModelFiles(Protocol):
    """The files of a model or an adapter."""

    @property
    def name(self) -> str:
        """The name of the model or adapter, for messages."""

    @property
    def identity(self) -> ModelRef:
        """The id, from the name and the content: `org/name@commit-sha` or `folder-name@hash-of-the-files`."""

    @property
    def config(self) -> Mapping[str, Any]:
        """The parsed config.json, or adapter_config.json for an adapter.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: There is no such file.
        """

    @property
    def size(self) -> ModelSize:
        """The size of the model, from the headers of the weight files.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: There are no weights that may be loaded.
        """

    def fetch(self, *, code: bool) -> Path:
        """Downloads missing files and returns their folder; `code` includes Python files."""


def open_source(ref: ModelRef, api: BoundedApi, *, adapter: bool = False, allow_pickle: bool = False) -> ModelFiles:
    """Finds the files of a model or an adapter, and resolves the revision to a commit.

    Raises:
        HubError: The repository or revision does not exist, may not be read, or the Hub cannot be reached.
    """
    config_name = ADAPTER_CONFIG if adapter else MODEL_CONFIG
    if folder := ref.folder:
        return Folder(folder, config_name, allow_pickle)
    return Repository(ref, api, config_name, allow_pickle)


class Folder:
    """The files of a model in a folder on this machine."""

    def __init__(self, path: Path, config_name: str, allow_pickle: bool) -> None:
        self._path = path
        self._config_name = config_name
        self._allow_pickle = allow_pickle

    @property
    def name(self) -> str:
        """The folder's own name, without its path."""
        return self._path.name

    @cached_property
    def identity(self) -> ModelRef:
        """`folder-name@sha256[:12]` over names and full contents of weights, configurations, tokenizer and templates.

        The contents are hashed completely because the cache of responses relies on the id: two training runs can write
        files of equal size and header.
        """
        pickled = [f"*{end}" for end in _PICKLED if self._allow_pickle]
        patterns = ["*.safetensors", *_TEXT_FILES, _MORE_TEMPLATES, "*.py", *pickled]
        digest = hashlib.sha256()
        with one_line(f"{self.name}: its files cannot be read", "check their permissions"):
            files = sorted({file for pattern in patterns for file in self._path.glob(pattern) if file.is_file()})
            for file in files:
                stat, name = file.stat(), file.relative_to(self._path).as_posix()
                line = f"{name}\0{_sha256(file, stat.st_size, stat.st_mtime_ns)}\n"
                digest.update(line.encode(errors="surrogateescape"))  # a file name need not be UTF-8
        return ModelRef(ModelPlace.FOLDER, self.name, digest.hexdigest()[:12])

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The parsed config.json, or adapter_config.json for an adapter."""
        return _read_config(self._path, self._config_name, self.name)

    @cached_property
    def size(self) -> ModelSize:
        """The size of the model, from the headers of the weight files."""
        if self._config_name == ADAPTER_CONFIG:
            return adapter_size(self._path, self.name)
        size = local_size(self._path, self.name)
        if size is not None:
            return size
        pickled = {file.name: file.stat().st_size for file in self._path.iterdir() if file.name.endswith(_PICKLED)}
        missing = missing_shards(self._path, self.name)
        if missing and not (pickled and self._allow_pickle):
            raise shards_missing(self.name, missing, len(shards(self._path, self.name)))
        size = pickled_size(self.name, pickled, self._allow_pickle, missing=False)
        check_fetched(self.name, *(self._path / name for name in size.files))
        return size

    def fetch(self, *, code: bool) -> Path:
        """The folder itself."""
        return self._path


class Repository:
    """The files of a model on the Hub, pinned to one commit; cached files are used without contacting the Hub."""

    def __init__(self, ref: ModelRef, api: BoundedApi, config_name: str, allow_pickle: bool) -> None:
        self.name = ref.name
        """`org/name`."""
        self._api = api
        self._config_name = config_name
        self._allow_pickle = allow_pickle
        with hub_errors(ref.name, revision=ref.revision):
            self._sha = str(api.resolve_revision(ref.name, revision=ref.revision).resolved)

    @property
    def identity(self) -> ModelRef:
        """`org/name@commit-sha`."""
        return ModelRef(ModelPlace.HUB, self.name, self._sha)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The parsed config.json, or adapter_config.json for an adapter."""
        return _read_config(self._snapshot, self._config_name, self.name)

    @cached_property
    def _snapshot(self) -> Path:
        """The folder of this commit in the cache; to find it, the configuration is fetched, which may be refused."""
        with hub_errors(self.name):
            try:
                return Path(self._download(self._config_name)).parent
            except RemoteEntryNotFoundError:
                pass
            if self._config_name == MODEL_CONFIG:
                try:
                    return Path(self._download(ADAPTER_CONFIG)).parent
                except RemoteEntryNotFoundError:
                    pass
        raise _no_config(self.name, self._config_name)

    def _download(self, file: str) -> str:
        if not isinstance(try_to_load_from_cache(self.name, file, revision=self._sha), str):
            self._check_sizes(file, INDEX)
        return self._api.hf_hub_download(self.name, file, revision=self._sha, etag_timeout=TIMEOUT)

    def _check_sizes(self, *names: str) -> None:
        for file in self._api.get_paths_info(self.name, list(names), revision=self._sha):
            size, most = getattr(file, "size", 0), _MOST_ADAPTER if file.path == ADAPTER_WEIGHTS else _MOST_JSON
            if size > most:
                raise ModelError(
                    f"{self.name}: its {file.path} has {size / 1e6:,.0f} MB, expected at most {most / 1e6:,.0f} MB: "
                    "use another model."
                )

    @cached_property
    def size(self) -> ModelSize:
        """The size of the model, from the headers of the weight files."""
        folder = self._snapshot
        if self._config_name == ADAPTER_CONFIG:
            with hub_errors(self.name):  # the file is small, so it is downloaded
                try:
                    self._download(ADAPTER_WEIGHTS)
                except RemoteEntryNotFoundError:
                    raise no_adapter_weights(self.name) from None
            return adapter_size(folder, self.name)
        return local_size(folder, self.name) or self._remote_size(folder)

    def _remote_size(self, folder: Path) -> ModelSize:
        unreadable = f"{self.name}: its safetensors files cannot be read"
        with one_line(unreadable, "use another revision"), hub_errors(self.name):
            info = self._api.model_info(self.name, revision=self._sha, files_metadata=True, timeout=TIMEOUT)
            sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or ()}
            if "model.safetensors" not in sizes and INDEX in sizes:
                self._download(INDEX)
                named = shards(folder, self.name)
                missing = tuple(name for name in named if name not in sizes)
                if missing:
                    raise shards_missing(self.name, missing, len(named))
            try:
                header = self._api.get_safetensors_metadata(self.name, revision=self._sha, timeout=TIMEOUT)
            except NotASafetensorsRepoError:
                header = None
        if header is None:
            pickled = {file: size for file, size in sizes.items() if "/" not in file and file.endswith(_PICKLED)}
            return pickled_size(self.name, pickled, self._allow_pickle, missing=True)
        files = tuple(sorted(header.files_metadata))
        return ModelSize(
            stored_as=dict(sorted(header.parameter_count.items())),
            stored_bytes=sum(sizes.get(file, 0) for file in files),
            missing_bytes=sum(sizes.get(file, 0) for file in files if not (folder / file).exists()),
            files=files,
        )

    def fetch(self, *, code: bool) -> Path:
        """Downloads missing files and returns their folder, without weights in formats that are not loaded."""
        patterns = [*self.size.files, *_TEXT_FILES, *(["*.py"] if code else [])]
        if any(file.endswith(".safetensors") for file in self.size.files):
            patterns.append("*.safetensors.index.json")
        with hub_errors(self.name):
            return Path(
                self._api.snapshot_download(
                    self.name, revision=self._sha, allow_patterns=patterns, etag_timeout=TIMEOUT
                )
            )


@lru_cache(maxsize=4096)
def _sha256(file: Path, size: int, mtime_ns: int) -> str:
    """The hash of a file. Size and time are part of the cache key, so a changed file is hashed again."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_config(folder: Path, name: str, model: str) -> Mapping[str, Any]:
    if (folder / name).is_file():
        return _read_object(folder, name, model)
    if name == MODEL_CONFIG and (folder / ADAPTER_CONFIG).is_file():
        named = _read_object(folder, ADAPTER_CONFIG, model).get("base_model_name_or_path")
        base = named if isinstance(named, str) and named and named.isprintable() and len(named) < 200 else "base"
        raise SettingError(
            f"{model} is an adapter: expected base+adapter; name its base model too, as in {base}+{model}."
        )
    raise _no_config(model, name)


def _read_object(folder: Path, name: str, model: str) -> Mapping[str, Any]:
    check_fetched(model, folder / name)
    try:
        config = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{model}: its {name} is not JSON ({error}); get the file again.") from None
    if not isinstance(config, dict):
        raise ModelError(
            f"{model}: its {name} holds a {type(config).__name__}, expected an object; get the file again."
        )
    return config


def _no_config(model: str, name: str) -> ModelError:
    what = "an adapter (PEFT)" if name == ADAPTER_CONFIG else "a model in transformers' format"
    return ModelError(f"{model} has no {name}: expected the files of {what}; check that it is one.")
