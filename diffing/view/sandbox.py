"""Runs a module of ours on untrusted data in a child process with limits, so that the page survives a crash or a hang.

A thread would not be enough: while it frees a large object or searches a large text, no other visitor is answered.
"""

import os
import subprocess
import sys
import threading

from diffing.jobs import CLOCK_PER_PROCESSOR_SECOND

MEMORY = 4 * 2**30
"""Bytes of address space, including libraries."""
SECONDS = 30.0
"""Seconds of computing time."""
_AT_ONCE = threading.BoundedSemaphore(2)


def run_sandboxed(
    module: str, *arguments: str, given: bytes = b"", memory: int = MEMORY, seconds: float = SECONDS
) -> bytes | None:
    """Runs a module and returns what it writes to standard output; None if it failed or exceeded a limit.

    Args:
        module: The module. When it is run, it must first call `diffing.jobs.keep_within_bounds`.
        arguments: Command line arguments after the two limits.
        given: Standard input.
        memory: Maximum number of bytes of address space.
        seconds: Maximum computing time.
    """
    # libraries parse hostile bytes there, so it gets no environment variable that could hold a secret
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "OMP_NUM_THREADS": "1"}
    environment |= {each: os.environ[each] for each in ("PATH", "HOME", "LD_LIBRARY_PATH") if each in os.environ}
    command = [sys.executable, "-P", "-m", module, str(memory), str(seconds), *arguments]
    try:
        with _AT_ONCE:
            done = subprocess.run(
                command, env=environment, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=CLOCK_PER_PROCESSOR_SECOND * seconds, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
