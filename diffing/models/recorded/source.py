"""Reads recorded responses from a file, a folder or a Hub dataset; a second file may hold their prompts."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffing.errors import HubError, SettingError
from diffing.model_ref import parse_recorded_spec
from diffing.models.recorded.shapes import Beside, RecordingShape
from diffing.models.recorded.shapes.inspect_log import SUFFIX as EVAL
from diffing.models.recorded.shapes.inspect_log import read_archive
from diffing.models.recorded.shapes.shape import id_at
from diffing.paths import existing, path_of
from diffing.rows.content import MOST_BYTES, check_regular, read_content, suffix_of
from diffing.rows.dataset_errors import one_line, reading_failures
from diffing.rows.table_files import SUFFIXES as TABLES
from diffing.rows.table_files import PlacedRow, RowPlace, first_line, read_table
from diffing.rows.turns import RowError

SUFFIXES = (*TABLES, EVAL)
"""The formats, by the ending of a file's name; `.gz` may follow."""
_DATASET = re.compile(
    r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^:/]+))?(?::(?P<config>[^/]+))?(?:/(?P<split>\w+(?:\.\w+)*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """The rows of recorded responses, with their origin."""

    source: str
    """The source as the user wrote it, for messages."""
    name: str
    """The file's name, or the dataset's."""
    digest: str
    """sha256 of the content, hex."""
    rows: tuple[PlacedRow, ...]
    """The rows with their positions."""
    path: Path | None = None
    """The file; None for a dataset."""
    companion: Path | None = None
    """The second file; None if none was given."""


def read_source(source: str, most: int = MOST_BYTES) -> RecordedSource:
    """Reads all rows.

    Args:
        source: A file of responses, a folder of such files, or a Hub dataset `user/name[@revision][:config][/split]`.
            `answers.jsonl+questions.jsonl` names the file of the prompts too.
        most: The maximum size of a file in bytes, unpacked.

    Raises:
        SettingError: There is no such file, its format cannot be read, or a line is malformed.
        MissingExtraError: A format whose library is not installed.
        HubError: The Hub has no such dataset, or cannot be reached.
    """
    ref = parse_recorded_spec(source)
    path, companion = existing(ref.name), existing(ref.companion or "")
    if path is not None and ref.companion is not None:
        if companion is None or not companion.is_file():
            raise SettingError(
                f"{ref.companion[:300]}: there is no such file. Expected the file of prompts behind the +"
            )
        return _read_file(source, path, most, companion)
    if path is not None and path.is_dir():
        return _read_dataset(source, path.name, str(path), {})
    if path is not None:
        return _read_file(source, path, most, None)
    return _read_from_hub(source)


def _read_from_hub(source: str) -> RecordedSource:
    match = _DATASET.fullmatch(source)
    if match is None or source.startswith((".", "/", "~")) or suffix_of(path_of(source)) in SUFFIXES:
        raise SettingError(
            f"{source[:300]}: there is no such file. Expected a file that ends in {', '.join(SUFFIXES)}, or user/name "
            "of a Hub dataset"
        )
    from diffing.hub import check_data_files, head_of, hub_api

    parts = match.groupdict()
    api = hub_api()
    sha = head_of(api, parts["name"], repo_type="dataset", revision=parts["revision"])
    check_data_files(api, parts["name"], sha)
    return _read_dataset(source, parts["name"], parts["name"], {**parts, "revision": sha})


def _read_file(source: str, path: Path, most: int, companion: Path | None) -> RecordedSource:
    check_regular(source, path)
    suffix = suffix_of(path)
    if suffix not in SUFFIXES:
        raise SettingError(
            f"{source}: files of responses end in {', '.join(SUFFIXES)}, this one in {suffix or 'nothing'}"
        )
    content = read_content(source, path, most)
    if not content.strip():
        raise SettingError(f"{source} is empty: expected rows with a prompt and a response")
    digest = hashlib.sha256(content).hexdigest()
    if suffix == EVAL:
        rows: tuple[PlacedRow, ...] = ((RowPlace("line", 1), read_archive(source, content, most)),)
    else:
        rows = tuple(read_table(source, suffix, content, most=most))
    return RecordedSource(source, path.name, digest, rows, path, companion)


def beside(source: RecordedSource, shape: RecordingShape, most: int = MOST_BYTES) -> Beside:
    """The rows of the companion file of a format by their key; empty if there is no such file.

    Args:
        source: The responses.
        shape: The format of the responses.
        most: Maximum size of the companion file in bytes, unpacked.

    Raises:
        SettingError: The companion file cannot be used, or the user named one although the format has none.
    """
    if shape.companion is None:
        if source.companion:
            raise SettingError(f"{source.source}: {shape.name} hold their own prompts. Leave the second file out")
        return {}
    looked_for = shape.companion.names(source.path) if source.path else ()
    path = source.companion or next((each for each in looked_for if each.is_file()), None)
    if path is None:
        return {}
    rows: dict[str, Mapping[str, object]] = {}
    for place, row in read_table(str(path), suffix_of(path), read_content(str(path), path, most), most=most):
        try:
            key = id_at(row, shape.companion.key)
        except (RowError, SettingError) as error:
            raise SettingError(f"{path}, {place}: {error}") from None
        if key is None or key in rows:
            got = "none" if key is None else f"{key[:60]!r} twice"
            raise SettingError(f"{path}, {place}: expected a `{shape.companion.key}` of its own in each row, got {got}")
        rows[key] = row
    if not rows:
        raise SettingError(f"{path} holds no rows: expected the {shape.companion.what}")
    return rows


def _read_dataset(source: str, name: str, path: str, parts: Mapping[str, str | None]) -> RecordedSource:
    """Rows of a Hub dataset, or of a folder in one of the forms that `datasets` knows."""
    import datasets
    import httpx2
    from datasets import exceptions

    try:
        loaded: Any = datasets.load_dataset(path, parts.get("config"), revision=parts.get("revision"))
    except exceptions.DatasetNotFoundError:
        raise HubError(
            f"{source}: there is no such dataset on the Hub, or it is private or gated. "
            "Check the name, or run `hf auth login` with an account that may read it"
        ) from None
    except reading_failures() as error:
        raise SettingError(f"{source} cannot be read as a dataset: {one_line(error)}") from None
    except (OSError, httpx2.TransportError) as error:
        raise HubError(f"{source}: the Hub cannot be reached ({first_line(error)}). Check the network") from None
    split = parts.get("split") or (next(iter(loaded)) if len(loaded) == 1 else None)
    if split not in loaded:
        raise SettingError(
            f"{source} has the splits {', '.join(loaded)}: choose one, as user/name/SPLIT, or give the file itself"
        )
    rows = tuple((RowPlace("row", number), row) for number, row in enumerate(loaded[split], start=1))
    content = json.dumps([row for _, row in rows], sort_keys=True, default=str)
    return RecordedSource(source, name, hashlib.sha256(content.encode()).hexdigest(), rows)
