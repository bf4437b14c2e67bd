"""The whole report in one zip: the folder as diffing saves it, the page, and a text on how to open them."""

import io
import tempfile
import zipfile
from collections.abc import Mapping

from diffing.outputs.phrasing import explanation, headline, one_line
from diffing.rendering import environment, templates_of
from diffing.report import save_report
from diffing.report.index import index_of
from diffing.report.schema import DOCUMENT, TABLES
from diffing.types import Report

PAGE, README = "report.html", "README.txt"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold: the files' times say nothing."""
_OTHER_TABLE = "Records of one method or check."
_PRESSED = ".parquet"


def archive(report: Report, name: str, page: bytes) -> bytes:
    """The zip; everything is in one folder.

    Args:
        report: As it may be told.
        name: Of the folder.
        page: The report as an HTML page.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = {path.name: path.read_bytes() for path in sorted(save_report(report, folder).iterdir())}
    tables = [each.removesuffix(_PRESSED) for each in saved if each != DOCUMENT]
    content = {README: _readme(report, name, tables), PAGE: page, **saved}
    return _zipped({f"{name}/{each}": data for each, data in content.items()})


def _readme(report: Report, name: str, tables: list[str]) -> bytes:
    # plain text: values from outside are on one line, and without control characters
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
    """A zip of files by path; the same files give the same bytes."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as zipped:
        for path, data in content.items():
            member = zipfile.ZipInfo(path, date_time=_EARLIEST)
            member.external_attr = 0o644 << 16
            member.create_system = 3  # Unix, wherever it is made
            how = zipfile.ZIP_STORED if path.endswith(_PRESSED) else zipfile.ZIP_DEFLATED
            zipped.writestr(member, data, compress_type=how)
    return sink.getvalue()
