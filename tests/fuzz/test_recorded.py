"""No file of responses makes its reader raise anything but an error in one line."""

import tempfile
from pathlib import Path

from hypothesis import given, settings

from tests.fuzz.recorded import check_recorded, recorded_files


@given(recorded_files())
@settings(max_examples=150, deadline=None)
def test_any_file_is_read_or_refused_in_one_line(file: tuple[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check_recorded(*file, Path(folder))
