"""Writes the download files of a result; for large reports, in a sandboxed process."""

import sys
from pathlib import Path

from diffing.errors import SettingError
from diffing.jobs import keep_within_bounds
from diffing.outputs.downloads import FORMATS
from diffing.outputs.formats import DownloadFormat
from diffing.types import Report
from diffing.view.report_size import is_small
from diffing.view.sandbox import run_sandboxed

_SECONDS = 60.0
"""Limit of computing time. The HTML page of a report of 10,000 prompts takes a tenth of it."""


def write_download(result: Path, report: Report, form: DownloadFormat, place: Path) -> Path:
    """Writes one download file of a result.

    Args:
        result: The folder of the result.
        report: The report in that folder.
        form: The format of the file.
        place: The folder to write the file into.

    Raises:
        SettingError: The file cannot be written, or writing it takes too long or too much memory.
    """
    if is_small(report):
        return form.write(report, place)
    output = run_sandboxed(__name__, str(result), form.key, str(place), seconds=_SECONDS)
    if output is None:
        raise SettingError(
            "Writing this file takes too long or too much memory here. Choose another format, or open the result on "
            "your own machine"
        )
    return Path(output.decode())


def main(memory: str, seconds: str, result: str, key: str, place: str) -> None:
    """Writes the file and prints its path."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    from diffing.report import load_report

    sys.stdout.write(str(FORMATS[key].write(load_report(Path(result), token=False), place)))


if __name__ == "__main__":
    main(*sys.argv[1:])
