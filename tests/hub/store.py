"""What a repository holds: contents by their hash, trees, commits and refs. Knows no HTTP, and nobody's rights."""

import hashlib
from dataclasses import dataclass, field
from typing import Literal

from tests.hub.talk import Discussion

Kind = Literal["model", "dataset", "space"]
Tree = dict[str, "Entry"]
"""Path to file; folders exist only as parts of paths."""
MAIN = "refs/heads/main"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree."""

    oid: str
    """git's hash of the blob; for a large file, of its pointer."""
    size: int
    lfs: str | None = None
    """sha256 of a large file."""

    @property
    def etag(self) -> str:
        return self.lfs or self.oid


class Blobs:
    """Contents by hash, shared by all repositories of a Hub."""

    def __init__(self) -> None:
        self._regular: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}
        """By sha256."""

    def add(self, content: bytes) -> Entry:
        oid = git_hash(content)
        self._regular[oid] = content
        return Entry(oid, len(content))

    def add_large(self, content: bytes) -> Entry:
        oid = hashlib.sha256(content).hexdigest()
        self.large[oid] = content
        return self.large_entry(oid)

    def large_entry(self, oid: str) -> Entry:
        size = len(self.large[oid])
        return Entry(git_hash(pointer(oid, size)), size, oid)

    def read(self, entry: Entry) -> bytes:
        return self._regular[entry.oid] if entry.lfs is None else self.large[entry.lfs]


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def pointer(oid: str, size: int) -> bytes:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode()


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    parent: str | None
    tree: Tree
    title: str
    message: str
    author: str
    date: str


@dataclass(frozen=True, slots=True)
class Signature:
    """Who commits, when, with which words."""

    author: str
    date: str
    title: str
    message: str = ""


@dataclass
class Repository:
    id: str
    kind: Kind
    blobs: Blobs
    created_at: str
    private: bool = False
    gated: bool = False
    disabled: bool = False
    discussions_disabled: bool = False
    granted: set[str] = field(default_factory=set)
    """Users who were let through the gate."""
    refs: dict[str, str] = field(default_factory=dict)
    """Full names, such as refs/heads/main, refs/tags/v1, refs/pr/1, to commits."""
    history: dict[str, Commit] = field(default_factory=dict)
    """By sha, in the order of making."""
    discussions: list[Discussion] = field(default_factory=list)

    @property
    def owner(self) -> str:
        return self.id.split("/")[0]

    @property
    def head(self) -> str:
        return self.refs[MAIN]

    @property
    def pulls(self) -> list[Discussion]:
        return [each for each in self.discussions if each.is_pull_request]

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag, full ref or (abbreviated) sha means; None where there is none."""
        for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if ref in self.refs:
                return self.refs[ref]
        starting = [sha for sha in self.history if len(revision) >= 7 and sha.startswith(revision)]
        return starting[0] if len(starting) == 1 else None

    def tree(self, revision: str = "main") -> Tree:
        return self.history[self._known(revision)].tree

    def files(self, revision: str = "main") -> dict[str, bytes]:
        """Path to content."""
        return {path: self.blobs.read(entry) for path, entry in self.tree(revision).items()}

    def commits(self, revision: str = "main") -> list[Commit]:
        """Newest first."""
        found, sha = [], self.resolve(revision)
        while sha is not None:
            found.append(self.history[sha])
            sha = found[-1].parent
        return found

    def commit(self, ref: str, tree: Tree, signature: Signature, *, parent: str | None = None) -> Commit:
        """Adds a commit to `ref`, which starts at `parent` where it is new."""
        parent = self.refs.get(ref, parent)
        names = sorted(f"{path} {entry.etag}" for path, entry in tree.items())
        made_of = [self.kind, self.id, len(self.history), parent, *vars_of(signature), *names]
        sha = hashlib.sha1("\0".join(map(str, made_of)).encode(), usedforsecurity=False).hexdigest()
        commit = Commit(sha, parent, tree, signature.title, signature.message, signature.author, signature.date)
        self.history[sha] = commit
        self.refs[ref] = sha
        return commit

    def discussion(self, num: int) -> Discussion | None:
        return self.discussions[num - 1] if 1 <= num <= len(self.discussions) else None

    def changes(self, pull: Discussion) -> dict[str, Entry | None]:
        """Path to new content (None: deleted) of what a pull request changes, seen from where it left main."""
        assert pull.base is not None
        before, after = self.history[pull.base].tree, self.tree(pull.ref)
        return {path: after.get(path) for path in sorted({*before, *after}) if before.get(path) != after.get(path)}

    def conflicts(self, pull: Discussion) -> list[str]:
        """Paths that main has changed otherwise since."""
        assert pull.base is not None
        before, now = self.history[pull.base].tree, self.tree()
        changes = self.changes(pull)
        return [path for path, new in changes.items() if now.get(path) not in (before.get(path), new)]

    def merged(self, pull: Discussion) -> Tree:
        """main with the changes of a pull request."""
        tree = {**self.tree(), **self.changes(pull)}
        return {path: entry for path, entry in tree.items() if entry is not None}

    def _known(self, revision: str) -> str:
        sha = self.resolve(revision)
        if sha is None:
            raise KeyError(f"{self.id} has no revision {revision}")
        return sha


def vars_of(signature: Signature) -> tuple[str, str, str]:
    return signature.author, signature.title, signature.message
