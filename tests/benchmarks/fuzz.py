"""Fuzzes every parser of hostile input: `python -m tests.benchmarks.fuzz --inputs 1000000`; none may raise a traceback.

Prints a line per kind of input with inputs per second and, for every uncaught exception, how often it occurred and the
smallest input that causes it. The exit code is 1 if there is any.
"""

import argparse
import importlib
import logging
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

Make: TypeAlias = Callable[[random.Random], Any]
Check: TypeAlias = Callable[[Any], object]
_PART = 20_000
"""The number of inputs per run of `hypothesis`."""


@dataclass(frozen=True)
class Kind:
    """One kind of input, with the parser that must survive it."""

    name: str
    """The name of the kind, for people."""
    module: str
    """The module within `tests.fuzz`."""
    check: str
    """The name of the function that checks an input."""
    share: float
    """The share of all inputs; slow kinds get few."""
    make: str | None = None
    """The name of its own fast generator, which takes a `random.Random`."""
    strategy: str | None = None
    """The name of its `hypothesis` strategy, if it has no generator."""
    in_folder: bool = False
    """Whether an input is the name and content of a file, for which the check takes a folder."""


KINDS = (
    Kind("model strings", "strings", "check_string", 0.40, make="made_string"),
    Kind("cards", "cards", "check_card", 0.35, make="made_card"),
    Kind("report folders", "reports", "check_report", 0.05, make="made_report"),
    Kind("replies", "replies", "check_reply", 0.10, strategy="replies"),
    Kind("recorded files", "recorded", "check_recorded", 0.10, strategy="recorded_files", in_folder=True),
)


@dataclass
class FuzzOutcome:
    """The outcome of fuzzing one kind of input."""

    inputs: int = 0
    """The number of inputs that were tried."""
    uncaught: dict[str, tuple[int, str]] = field(default_factory=dict)
    """For each place and exception, how often it was raised, and the smallest input."""

    def note(self, error: Exception, value: object) -> None:
        """Counts an exception that was not caught."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if f"{os.sep}diffing{os.sep}" in frame.filename] or frames
        where = f"{type(error).__name__} at {Path(own[-1].filename).name}:{own[-1].lineno}: {str(error)[:100]!a}"
        count, smallest = self.uncaught.get(where, (0, repr(value)))
        self.uncaught[where] = count + 1, min(smallest, repr(value), key=len)


def main() -> int:
    """Runs all kinds, or the given ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="a kind; several")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    chosen = [kind for kind in KINDS if not options.only or kind.name in options.only]
    shares = sum(kind.share for kind in chosen)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # inputs must not be read from files of the current folder
        for kind in chosen:
            failed += tell(kind, round(options.inputs * kind.share / shares), options.seed)
    return 1 if failed else 0


def tell(kind: Kind, inputs: int, seed: int) -> int:
    """Tries one kind and prints the outcome; returns the number of exceptions that were not caught."""
    try:
        module = importlib.import_module(f"tests.fuzz.{kind.module}")
    except ModuleNotFoundError:
        print(f"{kind.name}: there is no tests/fuzz/{kind.module}.py", flush=True)
        return 0
    begun, outcome = time.process_time(), FuzzOutcome()
    check = getattr(module, kind.check)
    with tempfile.TemporaryDirectory() as folder:
        run = (lambda value: check(*value, Path(folder))) if kind.in_folder else check
        if kind.make:
            by_seed(getattr(module, kind.make), run, inputs, seed, outcome)
        else:
            by_hypothesis(getattr(module, str(kind.strategy))(), run, inputs, seed, outcome)
    seconds = time.process_time() - begun
    uncaught = sum(count for count, _ in outcome.uncaught.values())
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate = outcome.inputs / max(seconds, 1e-9)
    counts = (
        f"{outcome.inputs:,} inputs, {rate:,.0f} per second of processor time, {memory:,.0f} MB, {uncaught} uncaught"
    )
    print(f"{kind.name}: {counts}", flush=True)
    for where, (count, smallest) in sorted(outcome.uncaught.items(), key=lambda item: -item[1][0]):
        print(f"  {count:,} x {where}\n    {smallest[:500]}", flush=True)
    return uncaught


def by_seed(make: Make, check: Check, inputs: int, seed: int, outcome: FuzzOutcome) -> None:
    """Tries inputs of the kind's own generator."""
    draw = random.Random(seed)
    for value in (make(draw) for _ in range(inputs)):
        outcome.inputs += 1
        with _noted(outcome, value):
            check(value)


def by_hypothesis(strategy: Any, check: Check, inputs: int, seed: int, outcome: FuzzOutcome) -> None:
    """Tries inputs of its strategy in several parts, because `hypothesis` keeps all inputs of a run in memory."""
    for part in range(0, inputs, _PART):
        _part(strategy, check, min(_PART, inputs - part), seed + part, outcome)


def _part(strategy: Any, check: Check, inputs: int, seed: int, outcome: FuzzOutcome) -> None:
    @seeded(seed)
    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def try_(value: Any) -> None:
        outcome.inputs += 1
        with _noted(outcome, value):
            check(value)

    try_()


@contextmanager
def _noted(outcome: FuzzOutcome, value: object) -> Iterator[None]:
    """Records the exceptions that a check does not catch."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - every one is what is looked for
        outcome.note(error, value)


if __name__ == "__main__":
    sys.exit(main())
