"""`diffing`, and `python -m diffing`: the command line, and how it ends when it is stopped from outside.

Imports nothing of the package before the signals have their handlers: Ctrl-C in the seconds in which libraries are
loaded is a Ctrl-C too. A stopped process ends at once, as a killed one would, since an exception may come up anywhere,
also where a library swallows it. Nothing is lost by that: every answer is stored as soon as it is there.
"""

import os
import signal
import sys
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, whoever ends services, and a terminal that is closed."""
_RESUMABLE = ("run", "demo", "bench")
"""Commands that keep what was answered."""
_SHOW_CURSOR = b"\x1b[?25h"
"""Progress bars hide it."""
_UNREAD = 1
"""The exit code where whoever reads the output, as in `diffing show | head`, has enough; typer and rich take it too."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line.

    Args:
        arguments: Those after the program's name; None takes the process's own.
    """
    _end_when_told(sys.argv[1:] if arguments is None else arguments)
    from diffing.cli import main as run_command

    try:
        run_command(arguments)
    finally:
        _flush()


def _flush() -> None:
    """Python itself would tell of a broken pipe with a traceback, when it ends."""
    if sys.stdout is None:  # closed by who started this
        return
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(_UNREAD)
        sys.stderr.write(f"diffing: The output cannot be written ({error.strerror}). Write it elsewhere\n")
        sys.exit(2)


def _end_when_told(arguments: list[str]) -> None:
    command = next((each for each in arguments if not each.startswith("-")), "")
    kept = ". What was done is kept; the same command goes on from there" if command in _RESUMABLE else ""
    line = f"diffing: stopped{kept}\n".encode()

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
