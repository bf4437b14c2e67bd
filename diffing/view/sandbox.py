"""Work on what strangers wrote, in a process of its own: it may take long, or die of it, and the page goes on.

A thread would not do: while it frees what it made, or looks through one large text, nobody else is answered.
"""

import os
import subprocess
import sys
import threading

MEMORY = 4 * 2**30
"""Bytes of address space, libraries included."""
SECONDS = 30.0
"""Of computing."""
_PATIENCE = 4
"""Times as long is waited, on a machine that is busy."""
_AT_ONCE = threading.BoundedSemaphore(2)


def run_apart(
    module: str, *arguments: str, given: bytes = b"", memory: int = MEMORY, seconds: float = SECONDS
) -> bytes | None:
    """What a module of ours writes; None where it failed, or took too much.

    Args:
        module: Calls `diffing.jobs.keep_within_bounds` before all else when it is run.
        arguments: What it is started with.
        given: What it reads.
        memory: Bytes that it may take.
        seconds: Time that it may take.
    """
    # hostile bytes meet libraries there: nothing of this process's environment that could be a secret
    environment = {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry), "OMP_NUM_THREADS": "1"}
    environment |= {each: os.environ[each] for each in ("PATH", "HOME", "LD_LIBRARY_PATH") if each in os.environ}
    command = [sys.executable, "-P", "-m", module, str(memory), str(seconds), *arguments]
    try:
        with _AT_ONCE:
            done = subprocess.run(
                command, env=environment, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                timeout=_PATIENCE * seconds, check=False,
            )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
