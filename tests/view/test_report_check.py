"""A stranger's report that would end the page is found out in another process."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diffing.errors import LimitError
from diffing.view.examples import example_folder
from diffing.view.report_check import check_openable


def test_what_the_app_ships_with_can_be_opened() -> None:
    check_openable(example_folder("planted"), "alice/diff", memory=2 * 2**30)


def test_few_bytes_that_become_gigabytes(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    shutil.copytree(example_folder("itself"), folder)
    file = folder / "judgements.parquet"
    row = pq.read_table(file).slice(0, 1)
    million = pa.table([pa.repeat(column[0], 1_000_000) for column in row.columns], schema=row.schema)
    with pq.ParquetWriter(file, row.schema, compression="zstd") as writer:
        for _ in range(3):
            writer.write_table(million)
    document = json.loads((folder / "report.json").read_text("utf-8"))
    document["files"][file.name] = hashlib.sha256(file.read_bytes()).hexdigest()
    (folder / "report.json").write_text(json.dumps(document), "utf-8")
    assert file.stat().st_size < 2_000_000
    with pytest.raises(LimitError, match=r"alice/bomb cannot be opened here: .* or 2 GB\. Expected one"):
        check_openable(folder, "alice/bomb", memory=2 * 2**30)


def test_a_damaged_report(tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="alice/none cannot be opened here: it is damaged"):
        check_openable(tmp_path, "alice/none")
