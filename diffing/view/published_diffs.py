"""Finds published diffs on the Hub for a visitor, and downloads those that visitors open."""

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
from diffing.outputs.dataset import NewestDiffs, PublishedDiff, newest_reports
from diffing.outputs.dataset.identity import RunIdentity
from diffing.report.dataset_download import FOLDER, download_into, parse_dataset_name
from diffing.report.schema import DOCUMENT
from diffing.view import caching
from diffing.view.report_check import check_openable
from diffing.view.runs.access import may_read
from diffing.view.visitor import Visitor

MOST_BYTES = 200_000_000
"""Maximum size of one report. A report of 10,000 prompts has about a quarter of this."""
MOST_KEPT_BYTES = 5_000_000_000
"""Maximum size of all downloaded reports. Those opened longest ago are removed first."""
_MOST_KEYS = 1000
_REMEMBERED_SECONDS = 60.0
_SEARCH_SECONDS = 6.0
"""Maximum duration of a search. A visitor then gets the diffs that were found by then."""
_LOCKS = 16
"""Maximum number of parallel downloads."""


class HubDiffs:
    """The downloaded diffs.

    `open` returns keys that cannot be guessed, so holding a key proves permission to read the diff.
    """

    def __init__(self, folder: Path, *, most: int = MOST_BYTES, kept: int = MOST_KEPT_BYTES) -> None:
        """Uses the folder of an earlier process again.

        Its reports are reused once the Hub has confirmed that the visitor may read them.

        Args:
            folder: Holds one folder per report; created if it is missing.
            most: Maximum number of bytes of one report.
            kept: Maximum number of bytes of all reports.
        """
        self._folder, self._most, self._kept = folder, most, kept
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for unfinished in folder.glob("new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        self._lock = threading.Lock()
        self._downloads = tuple(threading.Lock() for _ in range(_LOCKS))
        self._folders: OrderedDict[str, Path] = OrderedDict()
        self._newest = caching.cached_per_visitor(_REMEMBERED_SECONDS, _newest)

    def open(self, repo_id: str, visitor: Visitor) -> str:
        """Checks with the Hub that the visitor may read a diff, and downloads it unless a copy is here.

        Args:
            repo_id: `user/name[@revision]`. It may be any text and never becomes a path.
            visitor: The visitor who wants to read the diff.

        Returns:
            A key for `folder`.

        Raises:
            SettingError: The text is not the name of a dataset.
            SignInError: There is no dataset of this name that the visitor may read.
            HubError: The dataset holds no report, or the Hub cannot be reached.
            LimitError: The report is too large, or opening it takes too long or too much memory.
        """
        named = parse_dataset_name(repo_id)
        if named is None:
            raise SettingError(f"{repo_id!r:.100} is not a diff on the Hub: expected the name of a dataset, user/name")
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
                    shutil.rmtree(place, ignore_errors=True)  # remains of a report that was not removed completely
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
        """The folder of the report that a key stands for.

        Raises:
            SettingError: The key is unknown or too old.
        """
        with self._lock:
            found = self._folders.get(key)
            if found is None or not found.is_dir():
                raise SettingError("This diff is not open here any more: reload the page")
            self._folders.move_to_end(key)
            return found

    def newest(self, models: tuple[str, ...], visitor: Visitor) -> NewestDiffs:
        """The latest published diffs that a visitor may see. The result is cached for a minute.

        Args:
            models: Repositories (`org/name`); only diffs that compare all of these are returned.
            visitor: The visitor who searches. Private diffs are found for their owners only.

        Raises:
            HubError: The Hub cannot be reached, or refuses.
        """
        return self._newest(models, visitor)

    def published(self, model_a: str, model_b: str, visitor: Visitor) -> tuple[PublishedDiff, ...]:
        """Published diffs of two models in either order, the newest first; empty if the Hub does not answer.

        Args:
            model_a: A model string. If it names a revision, only diffs of a commit that begins with that revision
                match.
            model_b: The other model, in the same form.
            visitor: The visitor who searches.
        """
        pair = (read_ref(model_a.strip()), read_ref(model_b.strip()))
        models = tuple(sorted({name for model in pair for name in model.repositories}))
        if not all(model.repositories for model in pair):
            return ()
        try:
            found = self.newest(models, visitor)
        except DiffingError:
            return ()
        return tuple(each for each in found.diffs if _compares(each.identity, pair))

    def _make_room(self, opened: Path) -> None:
        """Removes the reports that were opened longest ago, but never the one that was opened now."""
        kept = [each for each in self._folder.iterdir() if not each.name.startswith("new-")]
        kept.sort(key=lambda each: (each == opened, each.stat().st_mtime), reverse=True)
        size = 0
        for each in kept:
            size += sum(file.stat().st_size for file in each.rglob("*") if file.is_file())
            if size > self._kept and each != opened:
                shutil.rmtree(each, ignore_errors=True)


def _newest(models: tuple[str, ...], visitor: Visitor) -> NewestDiffs:
    return newest_reports(hub_api(visitor.acts_with), models, seconds=_SEARCH_SECONDS)


def _compares(identity: RunIdentity, pair: tuple[ModelRef, ModelRef]) -> bool:
    a, b = read_ref(identity.model_a), read_ref(identity.model_b)
    return any(_is(one, pair[0]) and _is(other, pair[1]) for one, other in ((a, b), (b, a)))


def _is(found: ModelRef, pair: ModelRef) -> bool:
    """Whether a pinned model is one that a model string means."""
    if found.repositories != pair.repositories:
        return False
    pairs = zip(found.parts, pair.parts, strict=False)
    return all((part.revision or "").startswith(named.revision or "") for part, named in pairs)
