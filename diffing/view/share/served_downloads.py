"""Files of results, made when somebody wants them, where Gradio serves them. Knows no page."""

import os
import secrets
import threading
from pathlib import Path

from diffing.outputs.formats import Format
from diffing.types import Report
from diffing.view.download_making import make_file


class Downloads:
    """Each file lies in a folder of its own, whose name cannot be guessed: whoever has the path was given it.

    Threads may share it.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is made yet.

        Args:
            folder: One that Gradio serves; made where missing.
        """
        self._folder = folder
        self._lock = threading.Lock()
        self._made: dict[tuple[Path, str], Path] = {}

    def file(self, result: Path, report: Report, form: Format) -> Path:
        """The file of a result; the one that is there, as long as nobody has removed it.

        Args:
            result: The result's folder, which tells it from others.
            report: What is in it.
            form: The file's format.

        Raises:
            SettingError: It cannot be written.
        """
        with self._lock:
            there = self._made.get((result, form.key))
        if there is not None:
            try:
                os.utime(there)  # files are removed by their age
            except FileNotFoundError:
                pass
            else:
                return there
        place = self._folder / secrets.token_urlsafe(24)
        place.mkdir(mode=0o700, parents=True)
        made = make_file(result, report, form, place)
        with self._lock:
            self._made[result, form.key] = made
        return made
