"""Creates download files on demand in folders that Gradio serves. It does not depend on the page."""

import os
import secrets
import threading
from pathlib import Path

from diffing.outputs.formats import DownloadFormat
from diffing.types import Report
from diffing.view.download_writer import write_download


class ServedDownloads:
    """The download files of all visitors. It is thread-safe.

    Each file lies in a folder whose name cannot be guessed, so only those who were given its path can fetch it.
    """

    def __init__(self, folder: Path) -> None:
        """Creates no file yet.

        Args:
            folder: A folder that Gradio serves; created if it is missing.
        """
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[tuple[Path, str], Path] = {}

    def file(self, result: Path, report: Report, form: DownloadFormat) -> Path:
        """The file of a result. An existing file is returned unless it has been removed.

        Args:
            result: The folder of the result, which identifies it.
            report: The report in that folder.
            form: The format of the file.

        Raises:
            SettingError: The file cannot be written.
        """
        with self._lock:
            there = self._made.get((result, form.key))
        if there is not None:
            try:
                os.utime(there)  # the oldest files are removed first
            except FileNotFoundError:
                pass
            else:
                return there
        place = self._folder / secrets.token_urlsafe(24)
        place.mkdir(mode=0o700, parents=True)
        made = write_download(result, report, form, place)
        with self._lock:
            self._made[result, form.key] = made
        return made
