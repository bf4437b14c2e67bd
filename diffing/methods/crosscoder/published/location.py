"""Finds the files of a published crosscoder, in a folder or on the Hub, by `org/name[@revision][/folder]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from diffing.errors import ModelError, SettingError
from diffing.hub import TIMEOUT, BoundedApi, head_of, hub_api, hub_errors
from diffing.model_ref import ModelPlace, ModelRef, is_hub_name
from diffing.paths import existing

_SPEC = re.compile(
    r"(?P<name>[\w.-]{1,96}/[\w.-]{1,96})(?:@(?P<revision>[^/\s]{1,200}))?(?:/(?P<folder>[^\s\\]{1,200}))?"
)


class FolderContents(Protocol):
    """The files of one folder."""

    @property
    def name(self) -> str:
        """The name as the user gave it, without the path of a folder."""

    @property
    def identity(self) -> str:
        """The name with a commit; a folder's is its name alone, since its content is hashed when it is read."""

    def sizes(self) -> Mapping[str, int]:
        """The size in bytes of every file, by its path below the folder.

        Raises:
            HubError: The Hub refuses or cannot be reached.
            ModelError: The folder cannot be read.
        """

    def fetch(self, file: str) -> Path:
        """The path on this machine of one of these files.

        Raises:
            HubError: The Hub refuses or cannot be reached.
        """


def check_spec(spec: str) -> None:
    """Requires the name of a folder that exists, or what can name a repository.

    Raises:
        SettingError: It is neither.
    """
    folder = existing(spec)
    if (folder and folder.is_dir()) or _parse(spec):
        return
    raise SettingError(
        f"--crosscoder is {spec!r:.100}: expected org/name[@revision][/folder] of the Hub, or a folder. Check the "
        "spelling"
    )


def find_files(spec: str) -> FolderContents:
    """Finds the files; on the Hub, a revision is resolved to a commit.

    Raises:
        SettingError: The spec names nothing.
        HubError: The repository is missing, private or gated, or the Hub cannot be reached.
    """
    check_spec(spec)
    folder = existing(spec)
    if folder and folder.is_dir():
        return FolderFiles(folder.resolve())
    parsed = _parse(spec)
    assert parsed is not None
    api = hub_api()
    name = parsed["name"]
    return HubFiles(api, name, head_of(api, name, revision=parsed["revision"]), parsed["folder"] or "")


def _parse(spec: str) -> "re.Match[str] | None":
    parsed = _SPEC.fullmatch(spec)
    parts = PurePosixPath(parsed["folder"] or ".").parts if parsed else ()
    return parsed if parsed and is_hub_name(parsed["name"]) and ".." not in parts else None


@dataclass(frozen=True, slots=True)
class FilesBelow:
    """The files of a folder among others."""

    files: FolderContents
    """The others."""
    folder: str
    """The folder's name."""

    @property
    def name(self) -> str:
        """See `FolderContents.name`."""
        return f"{self.files.name}/{self.folder}"

    @property
    def identity(self) -> str:
        """See `FolderContents.identity`."""
        return f"{self.files.identity}/{self.folder}"

    def sizes(self) -> Mapping[str, int]:
        """See `FolderContents.sizes`."""
        start = f"{self.folder}/"
        found = self.files.sizes().items()
        return {name.removeprefix(start): size for name, size in found if name.startswith(start)}

    def fetch(self, file: str) -> Path:
        """See `FolderContents.fetch`."""
        return self.files.fetch(f"{self.folder}/{file}")


@dataclass(frozen=True)
class FolderFiles:
    """Files in a folder on this machine."""

    path: Path
    """The folder."""

    @property
    def name(self) -> str:
        """See `FolderContents.name`."""
        return self.path.name

    @property
    def identity(self) -> str:
        """See `FolderContents.identity`."""
        return self.path.name

    def sizes(self) -> Mapping[str, int]:
        """See `FolderContents.sizes`; of folders below, only direct files are listed."""
        try:
            found = [*self.path.glob("*"), *self.path.glob("*/*")]
            return {
                str(each.relative_to(self.path).as_posix()): each.stat().st_size for each in found if each.is_file()
            }
        except OSError as error:
            raise ModelError(f"The folder {self.name} cannot be read ({error.strerror}): check its rights") from None

    def fetch(self, file: str) -> Path:
        """See `FolderContents.fetch`."""
        return self.path / file


@dataclass(frozen=True)
class HubFiles:
    """Files of one commit of a repository on the Hub."""

    api: BoundedApi
    """The client."""
    repository: str
    """`org/name`."""
    commit: str
    """The commit."""
    folder: str
    """The folder in the repository; empty for the repository itself."""

    @property
    def name(self) -> str:
        """See `FolderContents.name`."""
        return f"{self.repository}/{self.folder}" if self.folder else self.repository

    @property
    def identity(self) -> str:
        """See `FolderContents.identity`."""
        commit = str(ModelRef(ModelPlace.HUB, self.repository, self.commit))
        return f"{commit}/{self.folder}" if self.folder else commit

    def sizes(self) -> Mapping[str, int]:
        """See `FolderContents.sizes`."""
        start = f"{self.folder.rstrip('/')}/" if self.folder else ""
        with hub_errors(self.repository):
            info = self.api.model_info(self.repository, revision=self.commit, files_metadata=True, timeout=TIMEOUT)
        files = {each.rfilename: each.size or 0 for each in info.siblings or ()}
        return {name.removeprefix(start): size for name, size in files.items() if name.startswith(start)}

    def fetch(self, file: str) -> Path:
        """See `FolderContents.fetch`."""
        path = f"{self.folder.rstrip('/')}/{file}" if self.folder else file
        with hub_errors(self.repository):
            return Path(self.api.hf_hub_download(self.repository, path, revision=self.commit, etag_timeout=TIMEOUT))
