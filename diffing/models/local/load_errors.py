"""Turns any exception raised while a model is loaded into a `ModelError` of one line that keeps the reason."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from diffing.errors import DiffingError, ModelError

logger = logging.getLogger(__name__)

_SAID = 300
"""The maximum number of characters of another library's message."""


@contextmanager
def one_line(what: str, advice: str) -> Iterator[None]:
    """Turns every failure into a `ModelError` that reads `what: reason; advice.`.

    The files of a model come from strangers, and loading them can raise any exception: transformers, PEFT, quantisation
    libraries and Jinja raise many types, tokenizers and safetensors bare `Exception`s, and the model's own code
    anything. A list of their types would never be complete; whoever looks for the place finds the traceback in the
    debug log.

    Args:
        what: What went wrong, with the model's name.
        advice: What to do about it.

    Raises:
        ModelError: In place of all others but our own, which say already what to do, and interruptions.
    """
    try:
        yield
    except DiffingError:
        raise
    except BaseException as error:
        if is_out_of_memory(error):
            line = f"{what}: out of memory; quantise the model (4bit), use a smaller one, or a provider."
        elif isinstance(error, Exception) or _is_panic(error):
            missing = isinstance(error, ImportError)
            line = f"{what}: {reason(error)}; {'install what is missing, or use another model' if missing else advice}."
        else:  # the user interrupts, or the process ends
            raise
        logger.debug("%s", line, exc_info=True)
        raise ModelError(line) from None  # the traceback would keep the tensors alive


def _is_panic(error: BaseException) -> bool:
    """Whether a library in Rust (tokenizers) panicked; PyO3 exports no class for this, and it is not an `Exception`."""
    return type(error).__name__ == "PanicException"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on any device."""
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    import torch

    return (
        isinstance(error, torch.OutOfMemoryError)
        or "DefaultCPUAllocator" in str(error)
        or "out of memory" in str(error)
    )


def reason(error: BaseException) -> str:
    """The message of an error and of its causes, in one short line without the final full stop."""
    notes = getattr(error, "__notes__", [])
    said = _cleaned(str(notes[0])) if notes else _words(error)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    behind = "" if cause is None or notes else _words(cause)
    if behind and behind not in said:
        said = f"{said} ({behind})"
    return said if len(said) <= _SAID else said[:_SAID].rstrip() + "..."


def _words(error: BaseException) -> str:
    lines = [line for line in map(_cleaned, _lines(error)) if line]
    if not lines:
        return type(error).__name__
    said = lines[0]
    if said.endswith(":") and len(lines) > 1:  # a heading says nothing without the lines below it
        said = f"{said} {lines[1]}"
    said = said.rstrip(".:;")
    if isinstance(error, KeyError):
        return f"there is no {said}"
    # the message of an AssertionError is often only a number
    return said if " " in said else f"{type(error).__name__}: {said}"


def _cleaned(line: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())


def _lines(error: BaseException) -> list[str]:
    try:
        return str(error)[:10_000].splitlines()
    except Exception:  # noqa: BLE001 - errors of code that comes with a model may fail to print themselves
        return []


class _Collected(logging.Handler):
    """A log handler that collects messages."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Stores the message of a log record."""
        self.texts.append(record.getMessage())


@contextmanager
def quiet() -> Iterator[None]:
    """A context manager that suppresses the log messages, warnings and progress bars of transformers and PEFT.

    Whatever matters is checked and reported in one line elsewhere. An exception gets the suppressed messages as its
    reason, because transformers reports some errors only in a logged table.
    """
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    library, collected = logging.getLogger("transformers"), _Collected()
    handlers, propagates, level = library.handlers[:], library.propagate, library.level
    library.handlers, library.propagate = [collected], False
    library.setLevel(logging.WARNING)  # even if the user has set a higher log level
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        lines = [line for text in collected.texts for line in text.splitlines()]
        found = [line for line in lines if line.startswith("Error")] or [
            line for line in lines if "| MISSING" in line or "| MISMATCH" in line
        ]
        if found:
            error.add_note(found[0].replace("|", " ").removeprefix("Error: "))
        raise
    finally:
        library.handlers, library.propagate = handlers, propagates
        library.setLevel(level)
