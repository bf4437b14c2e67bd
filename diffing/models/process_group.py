"""`ProcessGroup`: the processes, started by `torchrun` or `accelerate launch`, that share the work of one run.

Each process has a number (its rank) and works on every n-th item. The processes exchange their results through
`torch.distributed` with the backend gloo, which works on CPUs and GPUs and between machines.
"""

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from diffing.errors import ModelError, SettingError

_T = TypeVar("_T")
_Env: TypeAlias = Mapping[str, str]
_PATIENCE_AT_START = datetime.timedelta(minutes=10)
"""How long a process waits at the start until all are there."""
_PATIENCE = datetime.timedelta(days=30)
"""How long a process waits for the others: as long as a run may take. If one of them ends, the wait ends at once."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of one run, seen from one of them."""

    rank: int
    """The number of this process, from 0; process 0 writes the report."""
    size: int
    """The number of processes, at least 2."""
    local_rank: int
    """The number of this process on its machine, from 0; it decides which GPU the process uses."""
    local_size: int
    """The number of processes on this machine."""

    @property
    def is_first(self) -> bool:
        """Whether this process finishes the run and writes the report."""
        return self.rank == 0

    def share(self, items: Sequence[_T]) -> range:
        """The places of the items that this process works on: every n-th, so that long items spread evenly."""
        return range(self.rank, len(items), self.size)

    def exchange(self, topic: str, result: _T) -> list[_T]:
        """Gives this process's result to all others, and returns the results of all, ordered by rank.

        Args:
            topic: What the result answers; all processes must be at the same topic.
            result: Any object that can be pickled.

        Raises:
            SettingError: The processes are at different topics, because their commands differ.
            ModelError: Another process ended before its part was done.
        """
        from torch import distributed

        _join(self.rank, self.size)
        everyone: list[Any] = [None] * self.size
        try:
            distributed.all_gather_object(everyone, (topic, result))
        except RuntimeError:
            raise ModelError(
                "Another process of this run ended before its part was done. Its own message says why; the same "
                "command continues from there."
            ) from None
        if len({each for each, _ in everyone}) > 1:
            raise SettingError(
                f"The {self.size} processes of this run ask different questions. Start all of them with the same "
                "command, on the same files"
            )
        return [each for _, each in everyone]


def _join(rank: int, size: int) -> None:
    """Connects this process with the others, once.

    Raises:
        ModelError: Not all of them are there.
    """
    from torch import distributed
    from torch.distributed.rendezvous import rendezvous

    if distributed.is_initialized():
        return
    try:
        store, _, _ = next(rendezvous("env://", rank, size, timeout=_PATIENCE_AT_START))
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=_PATIENCE)
    except (RuntimeError, ValueError):  # torch raises the second if the address of the first process is missing
        raise ModelError(
            f"Process {rank} of {size} did not find the others within {_PATIENCE_AT_START.seconds // 60} minutes. "
            "Start all of them with torchrun or accelerate launch, with the same command."
        ) from None


def started_group(environment: _Env | None = None) -> ProcessGroup | None:
    """The group in which this process was started; None for a process of its own.

    Args:
        environment: The variables that `torchrun` and `accelerate launch` set; None takes those of the process.

    Raises:
        SettingError: The variables contradict each other.
    """
    given: _Env = os.environ if environment is None else environment
    try:
        size = int(given.get("WORLD_SIZE", "1"))
        rank = int(given.get("RANK", "0"))
        local_rank = int(given.get("LOCAL_RANK", str(rank)))
        local_size = int(given.get("LOCAL_WORLD_SIZE", str(size)))
    except ValueError:
        rank = size = local_rank = local_size = -1
    if size == 1 and "MASTER_ADDR" not in given:  # other programs use these names as well
        return None
    if not (0 <= rank < size and 0 <= local_rank < local_size <= size):
        raise SettingError(
            "RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE do not describe a group of processes: expected "
            "0 <= RANK < WORLD_SIZE. Start the run with torchrun or accelerate launch, or unset them"
        )
    return ProcessGroup(rank, size, local_rank, local_size) if size > 1 else None
