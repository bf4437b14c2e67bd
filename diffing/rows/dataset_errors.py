"""The exceptions that reading a dataset with the `datasets` library can raise, and their text in one line."""

import gzip
import lzma
import zipfile
import zlib


def reading_failures() -> tuple[type[Exception], ...]:
    """The exceptions that a dataset's own files cause: malformed lines, differing columns, broken archives.

    The library passes on the exceptions of its many readers, sometimes wrapped, and unwrapped if data is streamed.
    """
    from datasets.exceptions import DatasetsError
    from pyarrow import ArrowException

    broken = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RecursionError)
    return (DatasetsError, ArrowException, FileNotFoundError, ValueError, TypeError, KeyError, *broken)


def one_line(error: Exception) -> str:
    """A library's error message in one line; the message on differing columns is replaced, as it is very long."""
    from datasets.table import CastError

    if isinstance(error, CastError) or isinstance(error.__cause__, CastError):
        return "its files do not have the same columns. Name one file, or one configuration, of it"
    return " ".join(str(error).split())[:300] or type(error).__name__
