"""Saves a report to a folder and loads it back unchanged. `SCHEMA.md` documents the folder.

A save that fails or is killed does not leave half a report unnoticed: all new files are first written to a temporary
folder and then moved over the old ones, `report.json` last, whose digests reveal a mix of old and new files.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diffing.errors import SettingError
from diffing.judgements import Judgements
from diffing.paths import path_of
from diffing.report.dataset_download import locate_report
from diffing.report.earlier_versions import LAST_WITH_FINDINGS, read_earlier
from diffing.report.findings_rows import evidence_rows, finding_row, rating_rows
from diffing.report.folder_lock import locked_folder
from diffing.report.json_document import read_document, read_settings, to_document
from diffing.report.judgements_table import judgement_table
from diffing.report.levels_table import level_rows
from diffing.report.parquet import method_table, our_table, to_parquet
from diffing.report.report_assembly import report_of
from diffing.report.schema import DOCUMENT, SCHEMA_VERSION
from diffing.types import (
    Report,
    Scalar,
)

_TABLE_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_FILE_NAME = re.compile(r"[a-z0-9_]+\.parquet")
_SAVING = ".saving-"
_PATIENCE = 60.0
"""The longest time to wait for another process that saves to the same folder, in seconds."""


def save_report(report: Report, folder: Path | str) -> Path:
    """Saves a report and replaces an earlier report in the folder; other files there are left alone.

    The same report always gives the same bytes.

    Args:
        report: The report to save. Lone surrogates in its texts are saved as U+FFFD.
        folder: The folder to save to; it is created if it does not exist.

    Returns:
        The folder.

    Raises:
        SettingError: The folder cannot be written (permission, disk full, a file of that name), or another run is
            using it.
        ValueError: A table's name or rows, or a response's prompt id, are not as `Report` promises.
    """
    folder = path_of(folder)
    contents = _contents(report)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    document = json.dumps(to_document(report, digests), ensure_ascii=False, allow_nan=False, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked_folder(folder, patience=_PATIENCE):
            _replace(folder, {**contents, DOCUMENT: f"{document}\n".encode()})
    except OSError as error:
        raise SettingError(
            f"Cannot save the report in {folder}: {error.strerror or error}. Expected a folder that can be written: "
            "free space or choose another one; a rerun makes no model call twice"
        ) from error
    return folder


def load_report(source: Path | str, token: str | bool | None = None) -> Report:
    """Loads a report from a folder or from a dataset on the Hub.

    Args:
        source: The folder of the report, or as text also `user/name[@revision]`. If a folder of that name exists, it
            is used.
        token: The Hub token to use; None uses the saved one, False uses none.

    Raises:
        SettingError: There is no report, its schema is newer, or a file is missing or damaged.
        HubError: The dataset does not exist, you have no access, or the Hub cannot be reached.
    """
    folder = locate_report(source, token)
    raw = _read_json(folder)
    with _damage(folder):
        earlier = None
        if raw["schema_version"] <= LAST_WITH_FINDINGS:
            document, earlier = read_earlier(raw)
        else:
            document = read_document(raw)
        contents = {name: _read_table(folder, name, digest) for name, digest in document.files.items()}
        return report_of(document, contents, earlier)


@contextmanager
def _damage(folder: Path) -> Iterator[None]:
    """Turns any exception that a damaged or forged report raises into a `SettingError` of one line."""
    import pyarrow as pa

    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, pa.ArrowException) as error:
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        detail = " ".join(f"{kind}{error}".split())
        raise SettingError(
            f"The report in {folder} is damaged ({detail:.300}). Rerun the diff to create it again"
        ) from error


def load_settings(folder: Path) -> dict[str, Scalar]:
    """Loads the settings of the run that saved a report, even if the report's tables are missing or damaged.

    Args:
        folder: The folder of the report.

    Raises:
        SettingError: There is no report, its schema is newer, or its document is damaged.
    """
    document = _read_json(folder)
    with _damage(folder):
        return read_settings(document)


def _contents(report: Report) -> dict[str, bytes]:
    """Returns the bytes of every parquet file of the report, by file name."""
    strange = [name for name in report.tables if not _TABLE_NAME.fullmatch(name)]
    if strange:
        raise ValueError(f"expected tables named <method>_<table> in lower case, got {strange[0]!r}")
    ours = {
        "prompts": _prompt_rows(report),
        "responses": _response_rows(report),
        "findings": (tuple(finding_row(finding).values()) for finding in report.findings),
        "ratings": rating_rows(report),
        "evidence": evidence_rows(report),
        "levels": level_rows(report),
    }
    judgements = {"judgements.parquet": judgement_table(Judgements.of(report.judgements))}
    return (
        {f"{name}.parquet": to_parquet(our_table(name, rows)) for name, rows in ours.items()}
        | judgements
        | {f"{name}.parquet": method_table(name, rows) for name, rows in report.tables.items()}
    )


def _prompt_rows(report: Report) -> Iterator[tuple[object, ...]]:
    for pair in report.pairs:
        prompt = pair.prompt
        messages = [{"role": message.role, "content": message.content} for message in prompt.messages]
        yield prompt.id, prompt.split, prompt.source, prompt.domain, messages


def _response_rows(report: Report) -> Iterator[tuple[object, ...]]:
    for pair in report.pairs:
        for side, r in (("a", pair.a), ("b", pair.b)):
            if r.prompt_id != pair.prompt.id:
                raise ValueError(f"expected a response to prompt {pair.prompt.id!r}, got one to {r.prompt_id!r}")
            tokens = (r.prompt_tokens, r.completion_tokens)
            yield r.prompt_id, side, r.model, r.text, r.finish, r.sample, r.thinking, *tokens


def _replace(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes all files to a temporary folder, moves them into place, the document last, and deletes old tables."""
    old = _old_files(folder)
    saving = Path(tempfile.mkdtemp(prefix=_SAVING, dir=folder))
    try:
        for name, content in contents.items():
            with (saving / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name in contents:
            (saving / name).replace(folder / name)
    finally:
        shutil.rmtree(saving, ignore_errors=True)
    for name in old - contents.keys():
        (folder / name).unlink(missing_ok=True)
    for left_over in folder.glob(f"{_SAVING}*"):  # of runs that were killed
        shutil.rmtree(left_over, ignore_errors=True)


def _old_files(folder: Path) -> set[str]:
    """Returns the file names of the tables of the report that is being replaced, and of no other files."""
    try:
        names = json.loads((folder / DOCUMENT).read_bytes())["files"]
        return {name for name in names if _FILE_NAME.fullmatch(name)}
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def _read_json(folder: Path) -> dict[str, Any]:
    path = folder / DOCUMENT
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SettingError(
            f"{folder} is not a report: expected a folder with {DOCUMENT}. Give the folder that a run was saved to"
        ) from error
    except OSError as error:
        raise SettingError(f"Cannot read {path}: {error.strerror or error}. Fix this and try again") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{path} is damaged: expected JSON. Rerun the diff to create it again") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SettingError(
            f"{path} does not belong to a report: expected a schema_version of {SCHEMA_VERSION}, got {version!r:.40}"
        )
    if version > SCHEMA_VERSION:
        raise SettingError(
            f"{folder} has schema version {version}, but this diffing reads only up to {SCHEMA_VERSION}. Update diffing"
        )
    return dict(document)


def _read_table(folder: Path, name: str, digest: str) -> bytes:
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"no table can be named {name!r:.60}")
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise SettingError(
            f"The report in {folder} is not complete: {name} is missing. Copy the whole folder, or rerun the diff"
        ) from error
    except OSError as error:
        raise SettingError(f"Cannot read {folder / name}: {error.strerror or error}. Fix this and try again") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise SettingError(
            f"{folder / name} is not the file that was saved with {DOCUMENT}: damaged, changed, or from a save that "
            "was interrupted. Rerun the diff to create it again"
        )
    return content
