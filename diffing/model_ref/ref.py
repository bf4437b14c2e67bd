"""What a model string says, and how it is printed."""

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
    """Where a model's answers come from; a backend of another name has its prefix as its place."""

    HUB = "hub"
    """Weights on the Hugging Face Hub, run on this machine."""
    FOLDER = "folder"
    """Weights in a folder, run on this machine."""
    NAMED = "named"
    """A name of which nothing more is known, as a recording may give it."""
    PROVIDERS = "providers"
    """An inference provider, asked through the Hub."""
    OPENAI = "openai"
    """An OpenAI-compatible server."""
    RECORDED = "recorded"
    """Responses in a file or a dataset."""
    SCRIPTED = "scripted"
    """A function in Python."""


ON_THIS_MACHINE = (ModelPlace.HUB, ModelPlace.FOLDER, ModelPlace.NAMED)
"""Places that no prefix names."""
LOCAL_PREFIX = "local"
"""What may stand before the name of weights that this machine runs."""


@dataclass(frozen=True, slots=True)
class ModelRef:
    """What a model string says. `str` prints exactly the text that was read."""

    place: str
    """A `ModelPlace`, or the prefix of another backend."""
    name: str
    """`org/name`, a folder, the name on the server, or the recorded file or dataset."""
    revision: str | None = None
    """Branch, tag or commit on the Hub; in an id of a folder or a recording, the hash of its content."""
    adapter: "ModelRef | None" = None
    """The adapter on this base model."""
    provider: str | None = None
    """The inference provider; None lets the router choose."""
    address: str | None = None
    """The server's URL; in an id without its scheme."""
    companion: str | None = None
    """For recorded responses: the file that holds their prompts."""
    loading: str | None = None
    """In an id: how the weights were loaded, such as `bfloat16` or `4bit#bfloat16`."""
    marked: bool = field(default=False, compare=False)
    """Whether it is written with `local:`, which adds nothing to its meaning."""

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
        behind = "".join(f"{sign}{value}" for sign, value in pieces if value is not None)
        return f"{prefix}:{self.name}{behind}" if prefix else f"{self.name}{behind}"

    @property
    def prefixed(self) -> bool:
        """Whether the string says with a prefix where the model is."""
        return self.marked or self.place not in ON_THIS_MACHINE

    @property
    def remote(self) -> bool:
        """Whether a server is asked."""
        return self.place in (ModelPlace.PROVIDERS, ModelPlace.OPENAI)

    @property
    def runs_here(self) -> bool:
        """Whether it is weights that this machine runs."""
        return self.place in ON_THIS_MACHINE

    @property
    def parts(self) -> tuple["ModelRef", ...]:
        """The model alone; or its base and its adapter, as two models."""
        if self.adapter is None:
            return (self,)
        return (replace(self, adapter=None, loading=None, marked=False), self.adapter)

    @property
    def commit(self) -> str | None:
        """The revision where it is a whole commit of the Hub."""
        return self.revision if self.revision and _COMMIT.fullmatch(self.revision) else None

    @property
    def short_commit(self) -> str | None:
        """The first letters of the commit."""
        return self.commit[:_SHORT_HASH] if self.commit else None

    @property
    def repository(self) -> str | None:
        """The repository on the Hub whose name this part has, if any."""
        may_be = self.place in (ModelPlace.HUB, ModelPlace.NAMED, ModelPlace.PROVIDERS)
        return self.name if may_be and is_hub_name(self.name) else None

    @property
    def repositories(self) -> tuple[str, ...]:
        """The Hub's `org/name` of all that the model is made of: a base and its adapter are two, a folder is none."""
        names = (part.repository for part in self.parts)
        return tuple(dict.fromkeys(name for name in names if name and "/" in name))

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that a spec names."""
        return path_of(self.name).resolve() if self.place == ModelPlace.FOLDER else None

    @property
    def source(self) -> str:
        """Where recorded responses are, as `parse_recorded_spec` reads it."""
        return str(self).partition(":")[2]

    @property
    def published(self) -> "ModelRef":
        """The model as anybody may read it: without the address of a server and how the weights were loaded."""
        return replace(self, address=None, loading=None)

    @property
    def unpinned(self) -> "ModelRef":
        """The same model of whatever revision, behind whatever address."""
        adapter = self.adapter.unpinned if self.adapter else None
        return replace(self, revision=None, address=None, adapter=adapter)

    @property
    def plain(self) -> str:
        """Names alone, without a prefix: `org/base+org/adapter`, `org/name:provider`."""
        return "+".join(part.name if part.provider is None else f"{part.name}:{part.provider}" for part in self.parts)

    @property
    def plain_at_commit(self) -> str:
        """Names alone, each with the first letters of its commit: `org/base@1234567+org/adapter@89abcde`."""
        return "+".join(f"{part.plain}@{part.short_commit}" if part.commit else part.plain for part in self.parts)

    @property
    def short(self) -> str:
        """The last part of each path, without the ending of a file: `base+adapter`, `answers`."""
        return "+".join(_last_name(piece) for part in self.parts for piece in part.name.split("+"))

    @property
    def short_at_revision(self) -> str:
        """Short names with a revision each, hashes shortened: `base@1234567+adapter@89abcde`."""
        return "+".join(_at_revision(part) for part in self.parts)

    def at(self, revision: str) -> "ModelRef":
        """The model at a revision; of a base with an adapter it is the adapter's."""
        if self.adapter is not None:
            return replace(self, adapter=self.adapter.at(revision))
        return replace(self, revision=revision)

    def on(self, base: "ModelRef") -> "ModelRef":
        """This adapter on a base model."""
        return replace(base, adapter=self)

    def loaded(self, *how: str) -> "ModelRef":
        """The model with how its weights were loaded, such as `4bit` and `bfloat16`."""
        return replace(self, loading="#".join(how) or None)

    def pinned_to(self, found: "ModelRef") -> "ModelRef | None":
        """The model at the commits at which it was found, so that it can be given again; None if it is not the Hub's.

        Args:
            found: The id that this spec had when it was loaded.
        """
        pinned = found.published
        commits = self.runs_here and all(part.commit for part in pinned.parts)
        return pinned if commits and pinned.plain == self.plain else None


def is_hub_name(name: str) -> bool:
    """Whether a name can be that of a repository on the Hub."""
    return bool(_HUB_NAME.fullmatch(name))


def _last_name(path: str) -> str:
    return _FILE_ENDING.sub("", path.rstrip("/").rsplit("/", 1)[-1])


def _at_revision(part: ModelRef) -> str:
    revision = part.revision or part.address or ""
    shown = revision[:_SHORT_HASH] if _LONG_HASH.fullmatch(revision) else revision
    return f"{part.short}@{shown}" if shown else part.short
