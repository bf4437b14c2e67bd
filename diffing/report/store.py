"""Saves a report to a folder and loads it back equal. The folder is documented in `SCHEMA.md`.

A killed or failed save leaves no half report: all files are first written beside the old ones and then moved over them,
`report.json` last; its digests tell a folder in which old and new files met.
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
from diffing.report.assembly import report_of
from diffing.report.document import read_document, settings_of, to_document
from diffing.report.earlier import LAST_WITH_FINDINGS, read_earlier
from diffing.report.findings import evidence_rows, finding_row, rating_rows
from diffing.report.folder_lock import alone_in
from diffing.report.hub import folder_of
from diffing.report.parquet import method_table, our_table, to_parquet
from diffing.report.schema import DOCUMENT, SCHEMA_VERSION
from diffing.report.verdicts import judgement_table
from diffing.types import (
    Report,
    Scalar,
)

_TABLE_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")
_FILE_NAME = re.compile(r"[a-z0-9_]+\.parquet")
_SAVING = ".saving-"
_PATIENCE = 60.0
"""Seconds to wait for another process that saves into the same folder."""


def save_report(report: Report, folder: Path | str) -> Path:
    """Saves a report; the same report gives the same bytes. Replaces a report that is there, touches no other file.

    Args:
        report: What to save. Lone surrogates in its texts are saved as U+FFFD.
        folder: Made where it does not exist.

    Returns:
        The folder.

    Raises:
        SettingError: The folder cannot be written (permission, disk full, a file of that name), or another run is
            at work in it.
        ValueError: A table's name or rows, or a response's prompt id, are not as `Report` promises.
    """
    folder = path_of(folder)
    contents = _contents(report)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    document = json.dumps(to_document(report, digests), ensure_ascii=False, allow_nan=False, indent=1)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder, patience=_PATIENCE):
            _replace(folder, {**contents, DOCUMENT: f"{document}\n".encode()})
    except OSError as error:
        raise SettingError(
            f"Cannot save the report in {folder}: {error.strerror or error}. Expected a folder that can be written: "
            "free space or choose another one; a rerun makes no model call twice"
        ) from error
    return folder


def load_report(source: Path | str, token: str | bool | None = None) -> Report:
    """The report that `save_report` was given, or that was published on the Hub.

    Args:
        source: The folder it was saved in; as text also `user/name[@revision]`. A folder that exists wins.
        token: For the Hub; None takes the saved one, False none.

    Raises:
        SettingError: No report there, a newer schema, a file missing or damaged.
        HubError: Published, but missing, not for you, or out of reach.
    """
    folder = folder_of(source, token)
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
    """One line for whatever reading a damaged report, or one that somebody made up, raises."""
    import pyarrow as pa

    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, pa.ArrowException) as error:
        kind = "" if type(error) is ValueError else f"{type(error).__name__}: "
        detail = " ".join(f"{kind}{error}".split())
        raise SettingError(
            f"The report in {folder} is damaged ({detail:.300}). Rerun the diff to make it anew"
        ) from error


def load_settings(folder: Path) -> dict[str, Scalar]:
    """The settings of the run that left a report, also where its tables are missing or damaged.

    Args:
        folder: Where it was saved.

    Raises:
        SettingError: No report there, a newer schema, or its document is damaged.
    """
    document = _read_json(folder)
    with _damage(folder):
        return settings_of(document)


def _contents(report: Report) -> dict[str, bytes]:
    """Every parquet file by name."""
    strange = [name for name in report.tables if not _TABLE_NAME.fullmatch(name)]
    if strange:
        raise ValueError(f"expected tables named <method>_<table> in lower case, got {strange[0]!r}")
    ours = {
        "prompts": _prompt_rows(report),
        "responses": _response_rows(report),
        "findings": (tuple(finding_row(finding).values()) for finding in report.findings),
        "ratings": rating_rows(report),
        "evidence": evidence_rows(report),
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
    """Writes all files beside the old ones, moves them into place, the document last, and clears what is left over."""
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
    """Tables of the report that is being replaced; never files that are not a report's."""
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
        raise SettingError(f"Cannot read {path}: {error.strerror or error}. Mend that and try again") from error
    except (ValueError, RecursionError) as error:
        raise SettingError(f"{path} is damaged: expected JSON. Rerun the diff to make it anew") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise SettingError(
            f"{path} is not a report's: expected a schema_version of {SCHEMA_VERSION}, got {version!r:.40}"
        )
    if version > SCHEMA_VERSION:
        raise SettingError(
            f"{folder} has schema version {version}, this diffing reads up to {SCHEMA_VERSION}. Update diffing"
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
        raise SettingError(
            f"Cannot read {folder / name}: {error.strerror or error}. Mend that and try again"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise SettingError(
            f"{folder / name} is not the file that was saved with {DOCUMENT}: damaged, changed, or from a save that "
            "was cut off. Rerun the diff to make it anew"
        )
    return content
