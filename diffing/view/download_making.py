"""Files of results: those of large reports are made in a process of their own."""

import sys
from pathlib import Path

from diffing.errors import SettingError
from diffing.jobs import keep_within_bounds
from diffing.outputs.downloads import FORMATS
from diffing.outputs.formats import Format
from diffing.types import Report
from diffing.view.report_size import is_light
from diffing.view.sandbox import run_apart

_SECONDS = 60.0
"""Of computing; the page of a report of 10,000 prompts takes a tenth."""


def make_file(result: Path, report: Report, form: Format, place: Path) -> Path:
    """Writes a file of a result.

    Args:
        result: The result's folder.
        report: What is in it.
        form: The file's format.
        place: The folder that it is put into.

    Raises:
        SettingError: It cannot be written, or takes too much.
    """
    if is_light(report):
        return form.write(report, place)
    told = run_apart(__name__, str(result), form.key, str(place), seconds=_SECONDS)
    if told is None:
        raise SettingError(
            "This file takes too much to make here. Take another format, or open the result on a machine of your own"
        )
    return Path(told.decode())


def main(memory: str, seconds: str, result: str, key: str, place: str) -> None:
    """Writes the file, and says where it is."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    from diffing.report import load_report

    sys.stdout.write(str(FORMATS[key].write(load_report(Path(result), token=False), place)))


if __name__ == "__main__":
    main(*sys.argv[1:])
