"""Jobs that outlive the process that took them: kept in a file, done in a process of their own, tried again.

`JobStore` keeps them, `ChildProcess` does one, `Supervisor` keeps a process alive that does one after another, and
`keep_within_bounds` limits what a process may take. Knows neither the page nor the annotator, which both build on it.
"""

from diffing.jobs.clock import RunningClock, WallClock
from diffing.jobs.process import ChildProcess, Supervisor
from diffing.jobs.process_limits import can_bound, keep_within_bounds
from diffing.jobs.store import Job, JobStore, State

__all__ = [
    "ChildProcess",
    "Job",
    "JobStore",
    "RunningClock",
    "State",
    "Supervisor",
    "WallClock",
    "can_bound",
    "keep_within_bounds",
]
