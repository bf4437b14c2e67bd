"""`ModelRef`, a parsed model string with its parts (place, name, revision, adapter ...), and its printed forms."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from diffing.paths import path_of

_HUB_NAME = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LONG_HASH = re.compile(r"[0-9a-f]{12,64}")
_FILE_ENDING = re.compile(r"\.(jsonl|json|csv|parquet|gguf)$")
_SHORT_HASH = 7


class ModelPlace(StrEnum):
    """The place where a model runs or is stored; for backends that are not listed here, the place is their prefix."""

    HUB = "hub"
    """Weights on the Hugging Face Hub, run on this machine."""
    FOLDER = "folder"
    """Weights in a folder, run on this machine."""
    NAMED = "named"
    """Unknown: only a name is given, as in some recordings."""
    PROVIDERS = "providers"
    """An inference provider, called through the Hub."""
    OPENAI = "openai"
    """An OpenAI-compatible server."""
    VLLM = "vllm"
    """Weights on the Hub or in a folder, which vLLM runs on this machine."""
    RECORDED = "recorded"
    """Responses in a file or a dataset."""
    SCRIPTED = "scripted"
    """A function in Python."""


ON_THIS_MACHINE = (ModelPlace.HUB, ModelPlace.FOLDER, ModelPlace.NAMED)
"""Places whose model strings have no prefix."""
LOCAL_PREFIX = "local"
"""Optional prefix for the name of weights that run on this machine."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A parsed model string. `str` returns exactly the text that was parsed."""

    place: str
    """A `ModelPlace`, or the prefix of another backend."""
    name: str
    """`org/name`, a folder, the name on the server, or the recorded file or dataset."""
    revision: str | None = None
    """Branch, tag or commit on the Hub; in the id of a folder or a recording, the hash of its content."""
    adapter: "ModelRef | None" = None
    """The adapter that is applied to this base model."""
    provider: str | None = None
    """The inference provider; None lets the router choose."""
    address: str | None = None
    """The server's URL; in an id, without the scheme."""
    companion: str | None = None
    """For recorded responses: the file that holds their prompts."""
    loading: str | None = None
    """In an id: how the weights were loaded, such as `bfloat16` or `4bit#bfloat16`."""
    marked: bool = field(default=False, compare=False)
    """Whether the string begins with `local:`, which does not change its meaning."""

    def __str__(self) -> str:
        prefix = LOCAL_PREFIX if self.marked else "" if self.place in ON_THIS_MACHINE else self.place
        pieces = (
            (":", self.provider),
            ("@", self.revision),
            ("@", self.address),
            ("+", self.companion),
            ("+", self.adapter),
            ("#", self.loading),
        )
        suffix = "".join(f"{sign}{value}" for sign, value in pieces if value is not None)
        return f"{prefix}:{self.name}{suffix}" if prefix else f"{self.name}{suffix}"

    @property
    def prefixed(self) -> bool:
        """Whether the string has a prefix such as `openai:`."""
        return self.marked or self.place not in ON_THIS_MACHINE

    @property
    def remote(self) -> bool:
        """Whether the model is called on a server."""
        return self.place in (ModelPlace.PROVIDERS, ModelPlace.OPENAI)

    @property
    def runs_here(self) -> bool:
        """Whether the model is weights that run on this machine."""
        return self.place in ON_THIS_MACHINE

    @property
    def parts(self) -> tuple["ModelRef", ...]:
        """The base and the adapter as two models; without an adapter, only the model itself."""
        if self.adapter is None:
            return (self,)
        return (replace(self, adapter=None, loading=None, marked=False), self.adapter)

    @property
    def commit(self) -> str | None:
        """The revision if it is a full commit hash of the Hub, else None."""
        return self.revision if self.revision and _COMMIT.fullmatch(self.revision) else None

    @property
    def short_commit(self) -> str | None:
        """The first seven characters of the commit, if there is one."""
        return self.commit[:_SHORT_HASH] if self.commit else None

    @property
    def repository(self) -> str | None:
        """The name of the model's repository on the Hub; None if the name cannot be a repository."""
        may_be = self.place in (ModelPlace.HUB, ModelPlace.NAMED, ModelPlace.PROVIDERS, ModelPlace.VLLM)
        return self.name if may_be and is_hub_name(self.name) else None

    @property
    def hub_page(self) -> str | None:
        """The web page of the model on the Hub, at its commit if that is known; None for folders and other places.

        Of a base with an adapter, it is the page of the adapter.
        """
        last = self.parts[-1]
        if not last.repository or "/" not in last.repository or (last.revision and not last.commit):
            return None
        return f"https://huggingface.co/{last.repository}" + (f"/tree/{last.commit}" if last.commit else "")

    @property
    def repositories(self) -> tuple[str, ...]:
        """The `org/name` of each Hub repository of the model: two for a base with an adapter, none for a folder."""
        names = (part.repository for part in self.parts)
        return tuple(dict.fromkeys(name for name in names if name and "/" in name))

    @property
    def folder(self) -> Path | None:
        """The folder of the weights on this machine; None if the model is not in a folder."""
        return path_of(self.name).resolve() if self.place == ModelPlace.FOLDER else None

    @property
    def source(self) -> str:
        """The location of recorded responses, in the form that `parse_recorded_spec` parses."""
        return str(self).partition(":")[2]

    @property
    def published(self) -> "ModelRef":
        """The model in the form for publication: without the server's address and without loading details."""
        return replace(self, address=None, loading=None)

    @property
    def unpinned(self) -> "ModelRef":
        """The model without revision and address, for comparing models regardless of these."""
        adapter = self.adapter.unpinned if self.adapter else None
        return replace(self, revision=None, address=None, adapter=adapter)

    @property
    def plain(self) -> str:
        """The names without prefix and revision: `org/base+org/adapter`, `org/name:provider`."""
        return "+".join(part.name if part.provider is None else f"{part.name}:{part.provider}" for part in self.parts)

    @property
    def plain_at_commit(self) -> str:
        """The names with shortened commits: `org/base@1234567+org/adapter@89abcde`."""
        return "+".join(f"{part.plain}@{part.short_commit}" if part.commit else part.plain for part in self.parts)

    @property
    def short(self) -> str:
        """The last part of each path, without file ending: `base+adapter`, `answers`."""
        return "+".join(_last_name(piece) for part in self.parts for piece in part.name.split("+"))

    @property
    def short_at_revision(self) -> str:
        """The short names with shortened revisions: `base@1234567+adapter@89abcde`."""
        return "+".join(_at_revision(part) for part in self.parts)

    def at(self, revision: str) -> "ModelRef":
        """The model at another revision; if there is an adapter, the adapter's revision is changed."""
        if self.adapter is not None:
            return replace(self, adapter=self.adapter.at(revision))
        return replace(self, revision=revision)

    def on(self, base: "ModelRef") -> "ModelRef":
        """This adapter applied to a base model."""
        return replace(base, adapter=self)

    def loaded(self, *how: str) -> "ModelRef":
        """The model with details of how it was loaded, such as `4bit` and `bfloat16`, after those that it has."""
        return replace(self, loading="#".join([self.loading, *how] if self.loading else how) or None)

    def pinned_to(self, found: "ModelRef") -> "ModelRef | None":
        """The model pinned to the commits of a run, so that it can be loaded again; None if it is not on the Hub.

        Args:
            found: The id that this spec had when it was loaded.
        """
        pinned = found.published
        commits = self.runs_here and all(part.commit for part in pinned.parts)
        return pinned if commits and pinned.plain == self.plain else None


def is_hub_name(name: str) -> bool:
    """Whether a text can be the name of a repository on the Hub."""
    return bool(_HUB_NAME.fullmatch(name))


def _last_name(path: str) -> str:
    return _FILE_ENDING.sub("", path.rstrip("/").rsplit("/", 1)[-1])


def _at_revision(part: ModelRef) -> str:
    revision = part.revision or part.address or ""
    shown = revision[:_SHORT_HASH] if _LONG_HASH.fullmatch(revision) else revision
    return f"{part.short}@{shown}" if shown else part.short
