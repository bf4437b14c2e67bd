"""Diffs on the Hub: which ones a visitor may see, and those that visitors opened."""

import secrets
import shutil
import tempfile
import threading
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path

from diffing.errors import DiffingError, SettingError
from diffing.hub import hub_api, hub_errors
from diffing.model_ref import ModelRef, read_ref
from diffing.outputs.dataset import Newest, Published, newest_reports
from diffing.outputs.dataset.identity import Identity
from diffing.report.dataset_download import FOLDER, download_into, parse_dataset_name
from diffing.report.schema import DOCUMENT
from diffing.view import caching
from diffing.view.report_check import check_openable
from diffing.view.runs.access import may_read
from diffing.view.visitor import Visitor

MOST_BYTES = 200_000_000
"""Of one report; one of 10,000 prompts has about a quarter."""
MOST_KEPT_BYTES = 5_000_000_000
"""Of all reports on the disk; those opened longest ago go first."""
_MOST_KEYS = 1000
_REMEMBERED_SECONDS = 60.0
_SEARCH_SECONDS = 6.0
"""After which somebody who looks for diffs is told what was found until then."""
_LOCKS = 16
"""Downloads at a time."""


class Diffs:
    """Hands out keys that cannot be guessed: whoever has one was allowed to read the diff."""

    def __init__(self, folder: Path, *, most: int = MOST_BYTES, kept: int = MOST_KEPT_BYTES) -> None:
        """Reports that are there from before are used again, after whoever asks was checked.

        Args:
            folder: Where reports are put, one folder each; made where missing.
            most: Bytes of one report.
            kept: Bytes of all.
        """
        self._folder, self._most, self._kept = folder, most, kept
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in folder.glob("new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        self._lock = threading.Lock()
        self._downloads = tuple(threading.Lock() for _ in range(_LOCKS))
        self._folders: OrderedDict[str, Path] = OrderedDict()
        self._newest = caching.kept(_REMEMBERED_SECONDS, _newest)

    def open(self, repo_id: str, visitor: Visitor) -> str:
        """Downloads a diff where it is not yet here, after the Hub said that this visitor may read it.

        Args:
            repo_id: `user/name[@revision]`; anybody's text, which never becomes a path.
            visitor: Who wants to read it.

        Returns:
            A key for `folder`.

        Raises:
            SettingError: It is no name of a dataset.
            SignInError: There is none that this visitor may read.
            HubError: There is no report in it, or the Hub cannot be reached.
            LimitError: It is too large, or takes too much to open.
        """
        named = parse_dataset_name(repo_id)
        if named is None:
            raise SettingError(f"{repo_id!r:.100} is no diff on the Hub: expected the name of a dataset, user/name")
        repo, revision = named
        api = hub_api(visitor.acts_with)
        signed_in = visitor.token is not None or not visitor.rules.public
        may_read(api, "dataset", repo, signed_in=signed_in)
        with hub_errors(repo, revision=revision, repo_type="dataset"):
            sha = str(api.dataset_info(repo, revision=revision, expand=["sha"]).sha)
        place = self._folder / sha256(f"{repo}@{sha}".encode()).hexdigest()[:32]
        with self._downloads[int(place.name, 16) % _LOCKS]:
            if (place / FOLDER / DOCUMENT).is_file():
                place.touch()
            else:
                unfinished = Path(tempfile.mkdtemp(prefix="new-", dir=self._folder))
                try:
                    check_openable(download_into(unfinished, api, repo, sha, most=self._most), repo)
                    shutil.rmtree(place, ignore_errors=True)  # a part of one that was not wholly removed
                    unfinished.replace(place)
                finally:
                    shutil.rmtree(unfinished, ignore_errors=True)
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._make_room(place)
            self._folders[key] = place / FOLDER
            while len(self._folders) > _MOST_KEYS:
                self._folders.popitem(last=False)
        return key

    def folder(self, key: str) -> Path:
        """The folder of a key.

        Raises:
            SettingError: It is unknown, or was handed out long ago.
        """
        with self._lock:
            found = self._folders.get(key)
            if found is None or not found.is_dir():
                raise SettingError("This diff is not open here any more: reload the page")
            self._folders.move_to_end(key)
            return found

    def newest(self, models: tuple[str, ...], visitor: Visitor) -> Newest:
        """The latest published diffs that a visitor may see; remembered for a minute.

        Args:
            models: Only those that compare all of these repositories, `org/name`.
            visitor: Who asks: private ones are found for their owners.

        Raises:
            HubError: The Hub cannot be reached, or refuses.
        """
        return self._newest(models, visitor)

    def published(self, model_a: str, model_b: str, visitor: Visitor) -> tuple[Published, ...]:
        """Published diffs of two models in either order, the newest first; none where the Hub does not answer.

        Args:
            model_a: A model string. Where it names a revision, only diffs of a commit that begins with it are meant.
            model_b: Likewise.
            visitor: Who asks.
        """
        wanted = (read_ref(model_a.strip()), read_ref(model_b.strip()))
        models = tuple(sorted({name for model in wanted for name in model.repositories}))
        if not all(model.repositories for model in wanted):
            return ()
        try:
            found = self.newest(models, visitor)
        except DiffingError:
            return ()
        return tuple(each for each in found.diffs if _compares(each.identity, wanted))

    def _make_room(self, opened: Path) -> None:
        """Removes the reports that were opened longest ago, but not the one that was opened now."""
        kept = [each for each in self._folder.iterdir() if not each.name.startswith("new-")]
        kept.sort(key=lambda each: (each == opened, each.stat().st_mtime), reverse=True)
        size = 0
        for each in kept:
            size += sum(file.stat().st_size for file in each.rglob("*") if file.is_file())
            if size > self._kept and each != opened:
                shutil.rmtree(each, ignore_errors=True)


def _newest(models: tuple[str, ...], visitor: Visitor) -> Newest:
    return newest_reports(hub_api(visitor.acts_with), models, seconds=_SEARCH_SECONDS)


def _compares(identity: Identity, wanted: tuple[ModelRef, ModelRef]) -> bool:
    a, b = read_ref(identity.model_a), read_ref(identity.model_b)
    return any(_is(one, wanted[0]) and _is(other, wanted[1]) for one, other in ((a, b), (b, a)))


def _is(found: ModelRef, wanted: ModelRef) -> bool:
    """Whether a model with its commits is what a model string means."""
    if found.repositories != wanted.repositories:
        return False
    pairs = zip(found.parts, wanted.parts, strict=False)
    return all((part.revision or "").startswith(named.revision or "") for part, named in pairs)
