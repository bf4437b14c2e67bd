"""The process in which a job is done: calls the function that it is told over its standard input.

It ends with the process that started it, also if that is killed: the input ends then.
"""

import logging
import os
import pickle
import sys
import threading

from diffing.jobs.process_limits import lower_priority
from diffing.masking import MaskingFormatter


def main() -> None:
    """Calls one function; the process ends with it."""
    function, arguments = pickle.load(sys.stdin.buffer)  # from the process that started this one, and from nobody else
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
