"""Golden files: what a test made once and a person looked at.

`DIFFING_REGENERATE=1 pytest tests/report tests/outputs` makes them anew; look at the diff before it is committed.
"""

import os
from pathlib import Path


def golden(path: Path, made: str) -> str:
    """The golden file's text; where the environment asks for it, `made` becomes the file first."""
    if os.environ.get("DIFFING_REGENERATE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert path.exists(), f"{path.name} is missing: run DIFFING_REGENERATE=1 pytest and look at what it makes"
    return path.read_text(encoding="utf-8")
