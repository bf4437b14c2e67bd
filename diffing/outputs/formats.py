"""Defines the download formats of a report (zip, HTML, PNG, Markdown, CSV, parquet) and the names of their files.

None of the files contains the address of a server (see `address_removal`), because downloads are passed on to others.
System prompts stay, because they are part of what was compared. The same report always gives the same bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffing.atomic_write import write_atomically
from diffing.outputs.address_removal import public_report
from diffing.outputs.figures import png_of, preview
from diffing.outputs.files.csv_table import table_as_csv
from diffing.outputs.files.markdown_report import markdown_report
from diffing.outputs.files.report_archive import archive
from diffing.outputs.flat_findings import findings_table, parquet
from diffing.outputs.html import render
from diffing.report.index import index_of
from diffing.types import Report

_UNSAFE = re.compile(r"[^\w.-]+|\.{2,}", re.ASCII)
_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(?=\.)", re.IGNORECASE)
"""Names that Windows reserves for devices, even with a file extension."""


@dataclass(frozen=True, slots=True)
class DownloadFormat:
    """One download format of reports."""

    key: str
    """The value for `diffing export --format`; also the extension of its files."""
    label: str
    """The label of its download button."""
    holds: str
    """One or two sentences about its content and use."""
    make: Callable[[Report, str], bytes]
    """Makes the file's content from a report without addresses and its safe name."""

    def file_name(self, report: Report) -> str:
        """Returns the file's name, such as `base-vs-tuned.csv`, made of safe characters only."""
        return f"{safe_name(report)}.{self.key}"

    def content(self, report: Report) -> bytes:
        """Returns the file's content.

        Args:
            report: The report as the run made it; this method removes the addresses of servers.
        """
        public = public_report(report)
        return self.make(public, safe_name(public))

    def write(self, report: Report, folder: Path | str) -> Path:
        """Writes the file into a folder, under its own name.

        Args:
            report: The report to write.
            folder: An existing folder.

        Returns:
            The path of the file.

        Raises:
            SettingError: The file cannot be written.
        """
        return write_atomically(self.content(report), Path(folder) / self.file_name(report))


ZIP = DownloadFormat(
    "zip",
    "Everything (zip)",
    "The whole report with every response and verdict, the page, and a note on how to open both. Keep it as an "
    "archive, or unpack it for `diffing show` and `load_report`.",
    lambda report, name: archive(report, name, render(report).encode()),
)
HTML = DownloadFormat(
    "html",
    "Page (HTML)",
    "The result as one page that opens in any browser, without a network connection.",
    lambda report, _: render(report).encode(),
)
PNG = DownloadFormat(
    "png",
    "Picture (PNG)",
    "The strongest confirmed differences at a glance, 1200 by 630 pixels, for posts and link previews.",
    lambda report, _: png_of(preview(report)),
)
MD = DownloadFormat(
    "md",
    "Text (Markdown)",
    "The headline, findings with intervals, examples, settings and untested hypotheses, for reading, wikis and issues.",
    lambda report, _: markdown_report(report).encode(),
)
CSV = DownloadFormat(
    "csv",
    "Findings (CSV)",
    "One row per finding, for spreadsheets. The file is UTF-8 with a byte order mark, which Excel needs. Each text is "
    "on one line, and no text can act as a formula.",
    lambda report, _: table_as_csv(findings_table(report)),
)
PARQUET = DownloadFormat(
    "parquet",
    "Findings (parquet)",
    "The same rows and columns with their types and unchanged texts, for pandas, polars and DuckDB.",
    lambda report, _: parquet(findings_table(report)),
)


def safe_name(report: Report) -> str:
    """Returns a name for files and folders that works on every system, such as `base-vs-tuned`.

    Args:
        report: The report; its models' short names form the name.
    """
    names = index_of(report).names
    parts = (_UNSAFE.sub("-", name).strip(".-_") or "model" for name in (names.a, names.b))
    return _DEVICE.sub(r"\1-", "-vs-".join(parts))
