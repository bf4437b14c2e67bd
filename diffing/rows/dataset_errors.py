"""What reading a dataset with `datasets` can raise. Knows no source."""

import gzip
import lzma
import zipfile
import zlib


def reading_failures() -> tuple[type[Exception], ...]:
    """Exceptions that a dataset's own files cause: malformed lines, other columns in a later file, broken archives.

    The library passes on what its many readers raise, some of it wrapped; a streamed dataset raises it unwrapped.
    """
    from datasets.exceptions import DatasetsError
    from pyarrow import ArrowException

    broken = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RecursionError)
    return (DatasetsError, ArrowException, FileNotFoundError, ValueError, TypeError, KeyError, *broken)


def told(error: Exception) -> str:
    """A library's message in one line; what it says of differing columns runs over dozens of lines."""
    from datasets.table import CastError

    if isinstance(error, CastError) or isinstance(error.__cause__, CastError):
        return "its files do not have the same columns. Name one file, or one configuration, of it"
    return " ".join(str(error).split())[:300] or type(error).__name__
