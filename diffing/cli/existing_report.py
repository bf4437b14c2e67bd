"""The report that a folder holds already: whether a run may replace it, and what of it the run completes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.types import Scalar

if TYPE_CHECKING:
    from diffing.types import Report

_REPLACE = "Give another --out, or --overwrite to replace it"


def refuse_other_run(out: Path, settings: Mapping[str, Scalar]) -> None:
    """A report that another run left is not replaced without being told to.

    Args:
        out: The folder.
        settings: Of the run that is about to begin. A damaged report of the same settings may be made anew.

    Raises:
        SettingError: It holds the report of another run, or one of which that cannot be told.
    """
    from diffing.report import load_settings

    if not (out / "report.json").exists():
        return
    try:
        before = load_settings(out)
    except SettingError as error:
        raise SettingError(f"{out} holds a report already, of which run cannot be told: {error}. {_REPLACE}") from None
    if before != settings:
        raise SettingError(f"{out} holds the report of a run with other settings. {_REPLACE}")


def completes(out: Path, report: "Report") -> str | None:
    """What was left out of the report in a folder and is in the new one, in words; None where nothing was.

    Files and folders of one name can hold different models, which only what they say tells.

    Args:
        out: The folder.
        report: The new one, of the same settings.

    Raises:
        SettingError: The folder holds the report of other responses, or of more.
    """
    before = _readable(out)
    if before is None:
        return None
    old, new = ({pair.prompt.id: pair for pair in each.pairs} for each in (before, report))
    if any(new[key] != pair for key, pair in old.items() if key in new) or not old.keys() & new.keys():
        raise SettingError(
            f"{out} holds the report of other responses, of models with the same names. {_REPLACE}; what was computed "
            "is kept"
        )
    if lost := old.keys() - new.keys():
        raise SettingError(
            f"{out} holds a report with {len(lost)} prompts that are not in this run, or that a model did not answer "
            f"this time. It was not replaced. Run the command again, or: {_REPLACE[0].lower()}{_REPLACE[1:]}; what was "
            "computed is kept"
        )
    gained = [f"{len(new) - len(old)} prompts that were left out before"] if len(new) > len(old) else []
    unread = _unreadable(before) - _unreadable(report)
    gained += [f"{unread} replies that could not be read before"] if unread > 0 else []
    return " and ".join(gained) or None


def _readable(out: Path) -> "Report | None":
    from diffing.report import load_report

    if not (out / "report.json").exists():
        return None
    try:
        return load_report(out)
    except SettingError:  # damaged; that it is of this run was made sure of before
        return None


def _unreadable(report: "Report") -> int:
    return sum(usage.unreadable for usage in report.usage)
