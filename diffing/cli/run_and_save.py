"""Runs a comparison for `diffing run` and `diffing demo`: writes its report to a folder and prints the differences."""

import logging
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from diffing.cli.existing_report import completes, readable, refuse_other_run
from diffing.cli.progress import progress_bars
from diffing.cli.show import show_report
from diffing.cli.terminal_text import ignore_closed_pipe
from diffing.config import DiffConfig, HubOptions, Limits, may_be_files, settings_of
from diffing.errors import SettingError
from diffing.model_ref import is_recorded, without_folders
from diffing.settings import flag

if TYPE_CHECKING:
    from diffing.models.cache import Store
    from diffing.models.process_group import ProcessGroup
    from diffing.types import Report

_err = Console(stderr=True)
EXCLUDED_FROM_SELF_COMPARISON = ("model_a", "model_b", "chat_template_b")
"""Settings that a comparison of A with itself sets differently or does not have."""
MAX_FINDINGS_AFTER_RUN = 25
"""Maximum number of differences printed at the end of a run; `diffing show` prints all."""

_PAGE = "report.html"
"""The name of the report's page in its folder."""
_BEGIN = "begin"
"""The topic under which the first of several processes tells the others whether the run must be computed."""


@dataclass(frozen=True, slots=True)
class RunOutput:
    """Where one run writes its files, and how it prints its result."""

    out: Path
    """Folder for the report."""
    cache: Path | None
    """Folder of the completion cache; None for the user's default."""
    overwrite: bool
    """Whether to replace the report of another run."""
    json: bool
    """Whether to print JSON."""


def run_and_save(config: DiffConfig, limits: Limits, hub: HubOptions, here: RunOutput) -> "Report | None":
    """Does a run, unless its report exists already, saves the report and prints the differences.

    If several processes share the run, only the first of them saves and prints.

    Args:
        config: The settings of the run.
        limits: Hard limits on calls and dollars.
        hub: Whether to reuse a published report, run on the Hub's machines, or publish the report.
        here: Where to save it, and how to print.

    Returns:
        The report; None in a process other than the first of several.

    Raises:
        DiffingError: Anything that the user can fix, in one line.
    """
    from diffing.checks import check
    from diffing.cli import reuse_and_jobs
    from diffing.models.cache import Store
    from diffing.models.process_group import started_group
    from diffing.report.folder_lock import locked_folder

    check(config, limits)
    reuse_and_jobs.check(hub)
    group = started_group()
    if group and not group.is_first:
        _contribute(config, limits, here, group)
        return None
    _make_folder(here.out)
    with locked_folder(here.out, on_wait=lambda: _tell_waiting(here.out)):
        if not here.overwrite:
            refuse_other_run(here.out, settings_of(config))
        store = Store.in_folder(here.cache) if here.cache else None
        found, published = reuse_and_jobs.report_from_elsewhere(config, limits, hub, store)
        if group:
            group.exchange(_BEGIN, found is None)
        before = None if here.overwrite else readable(here.out)
        report = _with_questions(found or _computed(config, limits, store, group, before), before)
        if report is not before or not (here.out / _PAGE).exists():
            _save(report, before, here)
    with ignore_closed_pipe():
        show_report(report, here.json, MAX_FINDINGS_AFTER_RUN)
    if not here.json:
        _err.print(f"Report: {here.out / _PAGE}", highlight=False, markup=False, soft_wrap=True)
        tell_calibration(config, here.out)
    if not published:
        reuse_and_jobs.publish_run(report, hub, here.out)
    return report


def _contribute(config: DiffConfig, limits: Limits, here: RunOutput, group: "ProcessGroup") -> None:
    """Does the share of a process other than the first, which alone prints, and writes the report."""
    from diffing.models.cache import Store
    from diffing.run import contribute

    store = Store.in_folder(here.cache) if here.cache else None
    if group.exchange(_BEGIN, True)[0]:
        contribute(config, group, limits=limits, store=store)


def _with_questions(report: "Report", before: "Report | None") -> "Report":
    """A report that replaces an earlier one, with what users asked of that one."""
    from diffing.report.asked_tables import asked_of, with_asked

    return report if before is None or report is before else with_asked(report, asked_of(before))


def _save(report: "Report", before: "Report | None", here: RunOutput) -> None:
    from diffing.outputs.html import write_html
    from diffing.report import save_report

    completed = completes(here.out, before, report) if before else None
    save_report(report, here.out)
    write_html(report, here.out / _PAGE)
    if completed:
        _err.print(f"Completed: {completed} are in the report now.", highlight=False, markup=False, soft_wrap=True)


def _tell_waiting(out: Path) -> None:
    _err.print(
        f"Another run is writing its report to {out}. This run waits for it to end. Give another --out to run both.",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


def tell_calibration(config: DiffConfig, out: Path) -> None:
    """Prints a command that measures false alarms of such a run; recorded responses cannot be sampled again."""
    if is_recorded(config.model_a):
        return
    command = shlex.join(calibration(config, out))
    _err.print(f"Calibrate on A against A: {command}", highlight=False, markup=False, soft_wrap=True, style="dim")


def calibration(config: DiffConfig, out: Path) -> list[str]:
    """Returns the command that compares A with itself with the settings of a run.

    It repeats settings that name files or folders, because the report keeps only the last part of such a path.

    Args:
        config: The config of the run.
        out: The folder of its report.
    """
    flags: list[str] = []
    for name in may_be_files():
        given = getattr(config, name) or ()
        values = (given,) if isinstance(given, str) else given
        if name not in EXCLUDED_FROM_SELF_COMPARISON and any(without_folders(value) != value for value in values):
            flags += [part for value in values for part in (flag(name), value)]
    model = [config.model_a] if without_folders(config.model_a) != config.model_a else []
    return ["diffing", "bench", "null", *model, "--like", str(out), *flags]


def _computed(
    config: DiffConfig, limits: Limits, store: "Store | None", group: "ProcessGroup | None", before: "Report | None"
) -> "Report":
    from diffing.run import run as run_config

    logging.getLogger("diffing").setLevel(logging.INFO)  # shows the sizes of the models before they are loaded
    with progress_bars(_err) as on_progress:
        return run_config(config, limits=limits, store=store, group=group, before=before, on_progress=on_progress)


def _make_folder(out: Path) -> None:
    """Creates the folder early, so that a failure shows before anything is paid."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(f"The folder {out} cannot be created ({error.strerror}). Give another --out") from None
