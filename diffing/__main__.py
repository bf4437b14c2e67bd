"""Starts the command line (`diffing`, `python -m diffing`), with handlers that end it at once on Ctrl-C and signals.

The signal handlers are installed before anything else of the package is imported, so that Ctrl-C also works during the
seconds in which libraries load. A stopped process exits at once instead of raising an exception, because a library
could swallow the exception. Nothing is lost, since every answer is stored as soon as it arrives.
"""

import gc
import io
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Sent by Ctrl-C, by service managers and by a closing terminal."""
_RESUMABLE = ("run", "demo", "bench")
"""Commands that store answers, so that the same command continues after a stop."""
_SHOW_CURSOR = b"\x1b[?25h"
"""Makes the cursor visible again, which progress bars hide."""
_PIPE_CLOSED = 1
"""The exit code if the reader of the output stops reading, as in `diffing show | head`; typer and rich use it too."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: The arguments after the program's name; None takes those of the process.
    """
    _exit_on_signals(sys.argv[1:] if arguments is None else arguments)
    _print_what_can_be_printed()
    from diffing.cli import main as run_command

    gc.freeze()  # what is imported stays: the garbage collector need not look through it again, nor at the end
    try:
        run_command(arguments)
    finally:
        _flush()


def _print_what_can_be_printed() -> None:
    """Prints a question mark for what an output's encoding does not have, such as curly quotes in ASCII."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            with suppress(OSError):  # nobody reads it any more, which the first line that is printed tells
                stream.reconfigure(errors="replace")


def _flush() -> None:
    """Writes out what is buffered, because Python would report a broken pipe with a traceback at exit."""
    if sys.stdout is None:  # the parent process closed it
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(_PIPE_CLOSED)
        from diffing.cli.commands import full_disk

        line = full_disk(error) or f"The output cannot be written ({error.strerror}). Write it elsewhere"
        sys.stderr.write(f"diffing: {line}\n")
        sys.exit(2)


def _exit_on_signals(arguments: list[str]) -> None:
    """Installs handlers that print one line and exit with 128 plus the signal's number."""
    command = next((each for each in arguments if not each.startswith("-")), "")
    hint = ". What was done is kept; the same command continues from there" if command in _RESUMABLE else ""
    line = f"diffing: stopped{hint}\n".encode()

    def end(number: int, frame: FrameType | None) -> None:
        try:
            if os.isatty(2):
                os.write(2, b"\n" + _SHOW_CURSOR)
            os.write(2, line)
        except OSError:  # the terminal is gone
            pass
        os._exit(128 + number)

    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # a signal that is ignored already, by `nohup` or a shell's background job, stays ignored
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)


if __name__ == "__main__":
    main()
