"""Packs a whole report into a zip file: the saved report folder, the HTML page and a README on how to open them."""

import io
import tempfile
import zipfile
from collections.abc import Mapping

from diffing.outputs.headline import headline
from diffing.outputs.phrasing import explanation, one_line
from diffing.rendering import environment, templates_of
from diffing.report import save_report
from diffing.report.index import index_of
from diffing.report.schema import DOCUMENT, TABLES
from diffing.types import Report

PAGE, README = "report.html", "README.txt"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can hold; a fixed time keeps the bytes the same."""
_OTHER_TABLE = "Records of one method or check."
_COMPRESSED = ".parquet"


def archive(report: Report, name: str, page: bytes) -> bytes:
    """Returns the zip file; everything is in one folder.

    Args:
        report: The report without addresses of servers.
        name: Name of the folder.
        page: The report as an HTML page.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = {path.name: path.read_bytes() for path in sorted(save_report(report, folder).iterdir())}
    tables = [each.removesuffix(_COMPRESSED) for each in saved if each != DOCUMENT]
    content = {README: _readme(report, name, tables), PAGE: page, **saved}
    return _zipped({f"{name}/{each}": data for each, data in content.items()})


def _readme(report: Report, name: str, tables: list[str]) -> bytes:
    # the file is plain text, so values from outside only have to be on one line and without control characters
    templates = environment(templates_of(__package__), escapes=False)
    template = templates.get_template("README.txt.jinja")
    names = index_of(report).names
    title = f"How {names.a} and {names.b} differ"
    text = template.render(
        title=title,
        headline=one_line(headline(report), 1000),
        explanation=one_line(explanation(report), 1000),
        name=name,
        page=PAGE,
        document=DOCUMENT,
        tables=[(f"{table}.parquet", TABLES[table].doc if table in TABLES else _OTHER_TABLE) for table in tables],
    )
    return f"{text}\n".encode()


def _zipped(content: Mapping[str, bytes]) -> bytes:
    """Zips files by path; the same files always give the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as zipped:
        for path, data in content.items():
            member = zipfile.ZipInfo(path, date_time=_EARLIEST)
            member.external_attr = 0o644 << 16
            member.create_system = 3  # Unix, also on other systems
            how = zipfile.ZIP_STORED if path.endswith(_COMPRESSED) else zipfile.ZIP_DEFLATED
            zipped.writestr(member, data, compress_type=how)
    return sink.getvalue()
