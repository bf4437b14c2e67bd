"""Shows a progress bar per stage of a run in the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from diffing.types import OnProgress, Stage


@contextmanager
def progress_bars(console: Console) -> Iterator[OnProgress]:
    """Yields a progress callback that draws bars; it draws nothing if the output is not a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def on_progress(stage: Stage, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total or None)
            progress.update(tasks[stage], completed=done, total=total or None)

        yield on_progress
