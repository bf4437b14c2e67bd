"""Keeps a run from overwriting another run's report in its output folder, and says what a rerun would add."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.types import Scalar

if TYPE_CHECKING:
    from diffing.types import Report

_REPLACE = "Give another --out, or --overwrite to replace it"


def refuse_other_run(out: Path, settings: Mapping[str, Scalar]) -> None:
    """Makes sure that a run does not replace the report of another run.

    Args:
        out: The output folder.
        settings: The settings of the new run. It may replace a damaged report with the same settings.

    Raises:
        SettingError: The folder contains the report of another run, or a report whose settings cannot be read.
    """
    from diffing.report import load_settings

    if not (out / "report.json").exists():
        return
    try:
        before = load_settings(out)
    except SettingError as error:
        raise SettingError(f"{out} contains a report whose settings cannot be read: {error}. {_REPLACE}") from None
    if before != settings:
        raise SettingError(f"{out} contains the report of a run with other settings. {_REPLACE}")


def completes(out: Path, before: "Report", report: "Report") -> str | None:
    """Describes what the new report has and the existing one lacks; returns None if there is nothing.

    Model files with the same name can differ, so the responses of both reports are compared.

    Args:
        out: The output folder.
        before: The report in it.
        report: The new report, with the same settings.

    Raises:
        SettingError: The folder contains a report with other responses, or with more prompts.
    """
    old, new = ({pair.prompt.id: pair for pair in each.pairs} for each in (before, report))
    if any(new[key] != pair for key, pair in old.items() if key in new) or not old.keys() & new.keys():
        raise SettingError(
            f"{out} contains a report with other responses, of models with the same names. {_REPLACE}; the computed "
            "responses are kept"
        )
    if lost := old.keys() - new.keys():
        raise SettingError(
            f"{out} contains a report with {len(lost)} prompts that are not in this run, or that a model did not "
            "answer this time. It was not replaced. Run the command again, or: "
            f"{_REPLACE[0].lower()}{_REPLACE[1:]}; the computed responses are kept"
        )
    gained = [f"{len(new) - len(old)} prompts that were left out before"] if len(new) > len(old) else []
    unread = _unreadable(before) - _unreadable(report)
    gained += [f"{unread} replies that could not be read before"] if unread > 0 else []
    return " and ".join(gained) or None


def readable(out: Path) -> "Report | None":
    """The report in the output folder; None if there is none, or if it is damaged.

    Args:
        out: The output folder, whose report `refuse_other_run` accepted.
    """
    from diffing.report import load_report

    if not (out / "report.json").exists():
        return None
    try:
        return load_report(out)
    except SettingError:  # damaged
        return None


def _unreadable(report: "Report") -> int:
    return sum(usage.unreadable for usage in report.usage)
