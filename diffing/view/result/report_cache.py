"""Keeps the last few opened reports in memory, found by the keys of their results."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.outputs.html.feature_section import FeatureSection, features_in
from diffing.outputs.html.page import ReportPage, page_of
from diffing.report import load_report
from diffing.report.index import ReportIndex, index_of
from diffing.report.schema import DOCUMENT
from diffing.types import Report

if TYPE_CHECKING:
    from diffing.bench.results import BenchmarkResult

OPEN = 4
"""Maximum number of reports in memory. A report of 10,000 prompts takes some hundred megabytes."""


@dataclass(frozen=True)
class OpenedReport:
    """A report with what the page derives from it; each part is computed on first use."""

    report: Report
    """The report."""

    @property
    def index(self) -> ReportIndex:
        """Lookup tables for the report."""
        return index_of(self.report)

    @cached_property
    def page(self) -> ReportPage:
        """The findings as the page shows them, without examples."""
        return page_of(self.report, brief=True)

    @cached_property
    def features(self) -> FeatureSection | None:
        """The SAE's features; None if the run did not use the SAE method."""
        return features_in(self.report)

    @cached_property
    def comparison(self) -> "tuple[BenchmarkResult, ...]":
        """The tables that compare the methods by the paper's criteria."""
        from diffing.bench.compare import category_result, group_reports, method_result, overlap_result, same_result

        groups = group_reports([("this result", self.report)])
        tables = (method_result, overlap_result, same_result, category_result)
        return tuple(table(groups, command="diffing bench compare", settings={}) for table in tables)


class ReportCache:
    """The last few opened reports. It is thread-safe."""

    def __init__(self, find: Callable[[str], Path]) -> None:
        """Starts empty.

        Args:
            find: Returns the folder of a key. Keys come from visitors: it must know them, must never make a path of
                one, and must raise a `DiffingError` for all others.
        """
        self._find = find
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Path, int], _Slot] = OrderedDict()

    def open(self, key: str) -> OpenedReport:
        """The report of a key. It is read again if its folder was saved anew.

        Raises:
            DiffingError: The key is unknown.
            SettingError: The folder holds no report, or a damaged one.
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
        with slot.lock:  # a second reader of the same report waits; readers of other reports do not
            if slot.opened is None:
                slot.opened = OpenedReport(_loaded(folder))
        return slot.opened


def _loaded(folder: Path) -> Report:
    """Reads a report.

    Raises:
        SettingError: The report is damaged. The message does not reveal its path on the server.
    """
    try:
        return load_report(folder, token=False)
    except SettingError as error:
        raise SettingError(str(error).replace(str(folder), "this result")) from None


class _Slot:
    """An entry of the cache, empty until its report is read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: OpenedReport | None = None
