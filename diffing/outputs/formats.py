"""The formats that a report can be taken away in, and how their files are named.

The addresses of servers are in none of them (see `public`): what is taken away is passed on, and nothing that a
file is for needs them. System prompts stay, since without them nobody knows what was compared. The same report gives
the same bytes.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffing.atomic_write import write_atomically
from diffing.outputs.figures import png_of, preview
from diffing.outputs.files.archive import archive
from diffing.outputs.files.sheet import sheet
from diffing.outputs.files.text import text
from diffing.outputs.findings_table import findings_table, parquet
from diffing.outputs.html import render
from diffing.outputs.without_addresses import public_report
from diffing.report.index import index_of
from diffing.types import Report

_UNSAFE = re.compile(r"[^\w.-]+|\.{2,}", re.ASCII)
_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(?=\.)", re.IGNORECASE)
"""What Windows takes for a device, also with an ending."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    key: str
    """What `diffing export --format` is given; also the ending of its files."""
    label: str
    """What a button says."""
    holds: str
    """What is in it and what it is good for, in one or two sentences."""
    make: Callable[[Report, str], bytes]
    """The file's content, of a report that may be told and its safe name."""

    def file_name(self, report: Report) -> str:
        """The file's name: `base-vs-tuned.csv`, of safe characters only."""
        return f"{safe_name(report)}.{self.key}"

    def content(self, report: Report) -> bytes:
        """The file's content.

        Args:
            report: As it was made; addresses of servers are left out here.
        """
        public = public_report(report)
        return self.make(public, safe_name(public))

    def write(self, report: Report, folder: Path | str) -> Path:
        """Writes the file into a folder, under its own name.

        Args:
            report: What is taken away.
            folder: Must exist.

        Returns:
            The file.

        Raises:
            SettingError: It cannot be written.
        """
        return write_atomically(self.content(report), Path(folder) / self.file_name(report))


ZIP = Format(
    "zip",
    "Everything (zip)",
    "The whole report with every response and verdict, the page, and how to open both: for keeping, and for "
    "`diffing show` and `load_report` after unpacking.",
    lambda report, name: archive(report, name, render(report).encode()),
)
HTML = Format(
    "html",
    "Page (HTML)",
    "The result as one page that opens in any browser, without a network.",
    lambda report, _: render(report).encode(),
)
PNG = Format(
    "png",
    "Picture (PNG)",
    "The strongest confirmed differences at a glance, 1200 by 630 pixels: for posts and previews of links.",
    lambda report, _: png_of(preview(report)),
)
MD = Format(
    "md",
    "Text (Markdown)",
    "Headline, findings with intervals, examples, settings and what was not tested: for reading, wikis and issues.",
    lambda report, _: text(report).encode(),
)
CSV = Format(
    "csv",
    "Findings (CSV)",
    "One row per finding, for spreadsheets: UTF-8 with a byte order mark, by which Excel knows it; texts on "
    "one line, and none that a spreadsheet would compute.",
    lambda report, _: sheet(findings_table(report)),
)
PARQUET = Format(
    "parquet",
    "Findings (parquet)",
    "The same rows and columns with their types, for pandas, polars and DuckDB; texts as they are.",
    lambda report, _: parquet(findings_table(report)),
)


def safe_name(report: Report) -> str:
    """A name for files and folders on every system: `base-vs-tuned`, after the models' short names.

    Args:
        report: Whose models they are.
    """
    names = index_of(report).names
    parts = (_UNSAFE.sub("-", name).strip(".-_") or "model" for name in (names.a, names.b))
    return _DEVICE.sub(r"\1-", "-vs-".join(parts))
