"""A file on disk, whole or not at all. Knows no content."""

import os
import threading
from pathlib import Path

from diffing.errors import SettingError


def write_whole(content: bytes, path: Path, *, make_folder: bool = False) -> Path:
    """Writes a file; one that is there is replaced when all of the new one is written.

    Args:
        content: All of it.
        path: The file.
        make_folder: Whether its folder is made if it is missing.

    Returns:
        The path.

    Raises:
        SettingError: It cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise SettingError(f"Cannot write {path}: {reason}. Give a file in a folder that can be written") from error
    return path
