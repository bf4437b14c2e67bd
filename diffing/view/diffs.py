"""Diffs on the Hub that visitors opened."""

import secrets
import threading
from collections import OrderedDict
from pathlib import Path

from diffing.errors import SettingError
from diffing.report.hub import folder_of
from diffing.view.start import Visitor

_MOST = 1000


class Diffs:
    """Hands out keys that cannot be guessed: whoever has one was allowed to read the diff."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folders: OrderedDict[str, Path] = OrderedDict()

    def open(self, repo_id: str, visitor: Visitor) -> str:
        """Downloads a diff where it is not yet here.

        Args:
            repo_id: `user/name[@revision]`.
            visitor: Who wants to read it.

        Raises:
            HubError: There is none that this visitor may read.
        """
        folder = folder_of(repo_id, visitor.acts_with)
        key = secrets.token_urlsafe(18)
        with self._lock:
            self._folders[key] = folder
            while len(self._folders) > _MOST:
                self._folders.popitem(last=False)
        return key

    def folder(self, key: str) -> Path:
        """The folder of a key.

        Raises:
            SettingError: It is unknown, or was handed out long ago.
        """
        with self._lock:
            if key not in self._folders:
                raise SettingError("This diff is not open here any more: reload the page")
            return self._folders[key]
