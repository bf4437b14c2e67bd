"""Entry point of a worker process: calls one function, pickled on standard input; its return value is not sent back.

The process ends when its parent ends, even if the parent is killed, because its standard input is closed then.
"""

import logging
import os
import pickle
import sys
import threading

from diffing.jobs.process_limits import lower_priority
from diffing.masking import MaskingFormatter


def main() -> None:
    """Calls one function; the process ends when the function returns."""
    function, arguments = pickle.load(sys.stdin.buffer)  # safe: only the parent process can write to this pipe
    threading.Thread(target=_end_with_parent, daemon=True).start()
    lower_priority()
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("diffing").setLevel(logging.INFO)
    function(*arguments)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
