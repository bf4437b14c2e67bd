"""Finished reports that are being looked at, kept on the server and found by their keys."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.outputs.html.feature_section import Features, features_in
from diffing.outputs.html.page import Page, page_of
from diffing.report import load_report
from diffing.report.index import ReportIndex, index_of
from diffing.report.schema import DOCUMENT
from diffing.types import Report

if TYPE_CHECKING:
    from diffing.bench.results import Result

OPEN = 4
"""Reports in memory at once; one of 10,000 prompts takes some hundred megabytes."""


@dataclass(frozen=True)
class Opened:
    """A report with what the page makes of all of it; each part is made when it is first used."""

    report: Report
    """All of it."""

    @property
    def index(self) -> ReportIndex:
        """What looking things up in it needs."""
        return index_of(self.report)

    @cached_property
    def page(self) -> Page:
        """The findings as pages show them, without examples."""
        return page_of(self.report, brief=True)

    @cached_property
    def features(self) -> Features | None:
        """The SAE's features; None where that method was not part of the run."""
        return features_in(self.report)

    @cached_property
    def comparison(self) -> "tuple[Result, ...]":
        """The methods compared by the paper's criteria."""
        from diffing.bench.compare import category_result, group_reports, method_result, overlap_result, same_result

        groups = group_reports([("this result", self.report)])
        tables = (method_result, overlap_result, same_result, category_result)
        return tuple(table(groups, command="diffing bench compare", settings={}) for table in tables)


class Shelf:
    """The last few reports that were opened; safe to use from several threads."""

    def __init__(self, find: Callable[[str], Path]) -> None:
        """Nothing is opened yet.

        Args:
            find: The folder of a key. Keys come from visitors: it must know them, never make a path of one, and raise
                a `DiffingError` for all others.
        """
        self._find = find
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, int], _Slot] = OrderedDict()

    def open(self, key: str) -> Opened:
        """The report of a key. Read again where its folder was saved anew since.

        Raises:
            DiffingError: The key is unknown.
            SettingError: There is no report in its folder, or a damaged one.
        """
        folder = self._find(key)
        try:
            saved = (folder / DOCUMENT).stat().st_mtime_ns
        except OSError as error:
            raise SettingError("There is no result here yet. Expected a finished diff: open another one") from error
        with self._lock:
            slot = self._kept.setdefault((folder, saved), _Slot())
            self._kept.move_to_end((folder, saved))
            while len(self._kept) > OPEN:
                self._kept.popitem(last=False)
        with slot.lock:  # whoever comes second waits for the first, those of other reports do not
            if slot.opened is None:
                slot.opened = Opened(_loaded(folder))
        return slot.opened


def _loaded(folder: Path) -> Report:
    """The report.

    Raises:
        SettingError: It is damaged. The message does not tell where it lies on the server.
    """
    try:
        return load_report(folder, token=False)
    except SettingError as error:
        raise SettingError(str(error).replace(str(folder), "this result")) from None


class _Slot:
    """A place on the shelf, empty until its report is read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: Opened | None = None
