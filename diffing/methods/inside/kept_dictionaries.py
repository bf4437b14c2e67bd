"""Finds the trained crosscoders and adapters that are kept in the cache, and bounds the space that they take.

Each training has a folder of its own. While it runs, its checkpoints are there; afterwards only what was trained, which
the same run reuses and `diffing push --dictionary` publishes.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_BYTES = 20_000_000_000
"""The largest size of all trainings together; the oldest ones are removed first."""
TRAINING = "training.json"
"""The file that says how a dictionary was trained."""
DIFFERENCE = "difference"
"""The folder of the difference dictionary beside the crosscoder."""
_DICTIONARY = "dictionary"
_LARGEST = 1 << 20
"""Larger descriptions of a training are not parsed (1 MB)."""


def dictionary_folder(training: Path) -> Path:
    """Returns where the finished dictionary of a training is kept."""
    return training / _DICTIONARY


def described(dictionary: Path) -> Mapping[str, Any] | None:
    """Reads how a kept dictionary was trained; None if the folder holds none."""
    file = dictionary / TRAINING
    try:
        if file.stat().st_size > _LARGEST:
            return None
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def find_dictionary(trainings: Path, hash_: str) -> Path | None:
    """Finds a kept dictionary.

    Args:
        trainings: The folder of all trainings.
        hash_: The hash by which a report names the dictionary.

    Returns:
        Its folder, or None if it is not kept.
    """
    kept = (file.parent for file in sorted(trainings.glob(f"*/{_DICTIONARY}/{TRAINING}")))
    return next((each for each in kept if (described(each) or {}).get("hash") == hash_), None)


def remove_oldest(trainings: Path, current: Path, most: int = MOST_BYTES) -> None:
    """Removes the oldest trainings until all together take no more than `most` bytes; never the current one."""
    sizes = {each: _size(each) for each in trainings.iterdir() if each.is_dir()}
    for training in sorted(sizes, key=lambda each: each.stat().st_mtime):
        if sum(sizes.values()) <= most:
            return
        if training != current:
            shutil.rmtree(training, ignore_errors=True)
            del sizes[training]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
