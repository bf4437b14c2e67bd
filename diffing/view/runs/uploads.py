"""Responses that visitors upload: stored for a week under keys that cannot be guessed, and parsed in a limited process.

A stranger's file may be made to fill the memory or to take forever. So it is first parsed in a process with limits (see
`diffing.models.recorded.upload_sandbox`), away from the one that serves all visitors; only then can a run use it.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffing.errors import LimitError, SettingError
from diffing.jobs import CLOCK_PER_PROCESSOR_SECOND
from diffing.model_ref import ModelPlace, ModelRef, read_ref
from diffing.view.runs.run_store import digest

if TYPE_CHECKING:
    from diffing.config import DiffConfig

MOST_BYTES = 20 << 20
"""Maximum size in bytes of all files of one upload together, and of each file after unpacking."""
MOST_FILES = 2
"""Maximum number of files: the responses, and the prompts if they are in a file of their own."""
_PER_OWNER, _MOST_KEPT = 6, 100
_KEPT_SECONDS = 7 * 24 * 3600.0
_OPENING_MEMORY = 2 << 30
"""Bytes of address space for parsing; the libraries alone take about half of it."""
_OPENING_SECONDS = 30
"""Seconds of processor time for parsing."""
_AT_ONCE, _WAIT_SECONDS = 2, 20.0
_NAME_LENGTH = 80
_UPLOAD = re.compile(r"upload:[^/]*/(?P<key>[\w-]{24})", re.ASCII)
_READ, _OWNER = "read.json", "owner"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A parsed upload."""

    spec: str
    """The model string under which a run can use it."""
    name: str
    """The name of the file."""
    shape: str
    """The format that was recognized."""
    responses: int
    """The number of responses."""
    model: str
    """The model that gave the responses."""


class VisitorUploads:
    """The uploads of one app, stored in one folder. It is thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = threading.Lock()
        self._opening = threading.BoundedSemaphore(_AT_ONCE)

    def begin(self, owner: str) -> str:
        """Creates an empty upload.

        Args:
            owner: The visitor's owner name, as for runs.

        Returns:
            The key of the upload.

        Raises:
            LimitError: Too many uploads are stored.
        """
        who = digest(owner)
        with self._changed:
            kept = sorted(self._kept(), key=lambda each: each[1])
            own = [folder for folder, _, theirs in kept if theirs == who]
            late = [folder for folder, since, _ in kept if time.time() - since > _KEPT_SECONDS]
            gone = {*late, *own[: max(0, len(own) - _PER_OWNER + 1)]}
            for folder in gone:
                shutil.rmtree(folder, ignore_errors=True)
            if len(kept) - len(gone) >= _MOST_KEPT:
                raise LimitError("Too many uploads are stored here just now: come back later")
            key = secrets.token_urlsafe(18)
            (self._folder / key).mkdir(mode=0o700, parents=True)
            (self._folder / key / _OWNER).write_text(who)
        return key

    def add(self, key: str, number: int, name: str, at: int, data: bytes) -> None:
        """Appends a piece to a file.

        Args:
            key: The key of the upload.
            number: The index of the file, 0 or 1.
            name: The file name that the visitor's browser sent.
            at: The offset of the piece in bytes.
            data: The bytes of the piece.

        Raises:
            SettingError: There is no such upload, the format is not supported, or a piece is missing.
            LimitError: The upload is too large.
        """
        folder = self._of(key) / str(number)
        if (folder.parent / _READ).exists() or not 0 <= number < MOST_FILES:
            raise SettingError(f"Expected at most {MOST_FILES} files of responses: choose them again")
        with self._changed:
            folder.mkdir(exist_ok=True)
            path = folder / _safe(name)
            if [each for each in folder.iterdir() if each != path] or at != (
                path.stat().st_size if path.exists() else 0
            ):
                raise SettingError("The upload was interrupted: choose the file again")
            if sum(each.stat().st_size for each in folder.parent.glob("[01]/*")) + len(data) > MOST_BYTES:
                raise LimitError(f"Files are larger than {MOST_BYTES >> 20} MB: upload only a part")
            with path.open("ab") as file:
                file.write(data)

    def finish(self, key: str, columns: str | None) -> UploadedFile:
        """Parses an upload in a process with limits of memory and time.

        Args:
            key: The key of the upload.
            columns: Which column holds what, if that cannot be recognized.

        Raises:
            SettingError: The file cannot be used.
            LimitError: Parsing takes too long, or too many files are being parsed.
        """
        folder = self._of(key)
        files = [str(path.relative_to(folder)) for path in sorted(folder.glob("[01]/*"))]
        if not files:
            raise SettingError("Nothing was uploaded: choose a file")
        found = self._opened(folder, files, columns)
        if "problem" in found:
            raise SettingError(str(found["problem"]))
        source = str(found["source"])
        (folder / _READ).write_text(json.dumps(source))
        name = Path(read_ref(source).name).name
        spec = str(ModelRef(ModelPlace.RECORDED, f"upload:{name}/{key}"))
        return UploadedFile(spec, name, str(found["shape"]), int(found["responses"]), str(found["model"]))

    def resolved(self, config: "DiffConfig") -> "DiffConfig":
        """Replaces the model strings of uploads in a config by the paths of their files.

        Raises:
            SettingError: An upload does not exist any more.
        """
        return replace(config, model_a=self._source(config.model_a), model_b=self._source(config.model_b))

    def _source(self, spec: str) -> str:
        match = _upload_in(spec)
        if match is None:
            return spec
        folder = self._of(match["key"])
        try:
            source = json.loads((folder / _READ).read_text())
        except OSError:
            raise SettingError("The upload was not finished: choose the file again") from None
        answers, *prompts = (str(folder / part.name) for part in read_ref(source).parts)
        return str(ModelRef(ModelPlace.RECORDED, answers, companion=next(iter(prompts), None)))

    def _of(self, key: str) -> Path:
        folder = self._folder / key
        if re.fullmatch(r"[\w-]{24}", key, re.ASCII) is None or not folder.is_dir():
            raise SettingError("There is no such upload, or it was removed after a week: choose the file again")
        return folder

    def _kept(self) -> Iterator[tuple[Path, float, str]]:
        """Yields the folder, the creation time and the owner of every upload."""
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            owner = folder / _OWNER
            if owner.is_file():
                yield folder, owner.stat().st_mtime, owner.read_text()

    def _opened(self, folder: Path, files: list[str], columns: str | None) -> dict[str, Any]:
        with self._turn():
            path = os.pathsep.join(entry for entry in sys.path if entry)  # the child imports what this process does
            bounds = {"most": MOST_BYTES, "memory": _OPENING_MEMORY, "seconds": _OPENING_SECONDS}
            order = json.dumps({"files": files, "columns": columns, **bounds})
            try:
                # -P (safe path): an uploaded file must not be imported in place of a module
                done = subprocess.run(
                    [sys.executable, "-P", "-m", "diffing.models.recorded.upload_sandbox"],
                    input=order.encode(),
                    capture_output=True,
                    cwd=folder,
                    env={"PYTHONPATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
                    timeout=CLOCK_PER_PROCESSOR_SECOND * _OPENING_SECONDS,
                )
                found = json.loads(done.stdout or b"null")
            except (subprocess.TimeoutExpired, ValueError):
                found = None
        if not isinstance(found, dict):  # the system has killed it
            raise LimitError("Reading the file takes more memory or time than allowed here: upload only a part")
        return found

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._opening.acquire(timeout=_WAIT_SECONDS):
            raise LimitError("Many files are being read just now: try again in a moment")
        try:
            yield
        finally:
            self._opening.release()


def is_upload(spec: str) -> bool:
    """Whether a model string names an upload."""
    return _upload_in(spec) is not None


def _upload_in(spec: str) -> re.Match[str] | None:
    ref = read_ref(spec)
    return _UPLOAD.fullmatch(ref.source) if ref.place == ModelPlace.RECORDED else None


def _safe(name: str) -> str:
    """A file name without characters that have a meaning in file systems or model strings.

    Raises:
        SettingError: The file name's ending belongs to no supported format.
    """
    from diffing.models.recorded.source import SUFFIXES
    from diffing.rows.content import suffix_of

    plain = re.sub(r"[^\w.-]", "_", name.replace("\\", "/").rpartition("/")[2], flags=re.ASCII).lstrip(".")
    if suffix_of(Path(plain)) not in SUFFIXES:
        raise SettingError(f"Files of responses end in {', '.join(SUFFIXES)}, this one is {name!r:.60}")
    return plain[-_NAME_LENGTH:].lstrip(".-")
