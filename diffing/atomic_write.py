"""Writes a file to disk atomically, so that readers see either the old or the complete new content."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from diffing.errors import SettingError


def write_atomically(content: bytes | Iterable[bytes], path: Path, *, make_folder: bool = False) -> Path:
    """Writes a file; an existing file is replaced only once the new content is written completely.

    Args:
        content: The whole content, or its parts in order, which need not fit into memory together.
        path: The file.
        make_folder: Whether to create the folder of the file if it is missing.

    Returns:
        The path.

    Raises:
        SettingError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise SettingError(f"Cannot write {path}: {reason}. Give a file in a folder that can be written") from error
    return path
