"""Persistent background jobs: they survive restarts, run in separate processes and are retried.

`JobStore` keeps jobs in a file, `ChildProcess` runs one function in a process, `Supervisor` keeps a worker process
alive, and `keep_within_bounds` limits the resources of a process. The web page and the annotator both build on this.
"""

from diffing.jobs.clock import RunningClock, WallClock
from diffing.jobs.process import ChildProcess, Supervisor
from diffing.jobs.process_limits import CLOCK_PER_PROCESSOR_SECOND, can_bound, keep_within_bounds
from diffing.jobs.store import JobStore, State, StoredJob

__all__ = [
    "CLOCK_PER_PROCESSOR_SECOND",
    "ChildProcess",
    "JobStore",
    "RunningClock",
    "State",
    "StoredJob",
    "Supervisor",
    "WallClock",
    "can_bound",
    "keep_within_bounds",
]
