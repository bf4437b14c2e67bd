"""Finished reports that are being looked at, kept on the server and found by their keys."""

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from diffing.errors import SettingError
from diffing.outputs.html.features import Features, features_in
from diffing.outputs.html.page import Page, page_of
from diffing.report import load_report
from diffing.report.schema import DOCUMENT
from diffing.types import Finding, Judgement, Pair, Report

if TYPE_CHECKING:
    from diffing.bench.results import Result

OPEN = 4
"""Reports in memory at once; one of 10,000 prompts takes some hundred megabytes."""


@dataclass(frozen=True)
class Opened:
    """A report with the indices that looking things up needs; each is made when it is first wanted."""

    report: Report
    """All of it."""

    @cached_property
    def pairs(self) -> Mapping[str, Pair]:
        """The pairs by prompt id."""
        return {pair.prompt.id: pair for pair in self.report.pairs}

    @cached_property
    def findings(self) -> Mapping[str, Finding]:
        """The findings by hypothesis id."""
        return {finding.hypothesis.id: finding for finding in self.report.findings}

    @cached_property
    def judgements(self) -> Mapping[str, tuple[Judgement, ...]]:
        """The verdicts by hypothesis id, in the report's order."""
        found: dict[str, list[Judgement]] = {}
        for judgement in self.report.judgements:
            found.setdefault(judgement.hypothesis_id, []).append(judgement)
        return {key: tuple(judgements) for key, judgements in found.items()}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where in the report a prompt's pair stands; the browser names pairs by it."""
        return {pair.prompt.id: place for place, pair in enumerate(self.report.pairs)}

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """Every domain of a prompt, by name."""
        return tuple(sorted({pair.prompt.domain for pair in self.report.pairs if pair.prompt.domain is not None}))

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Every method that proposed something, by name."""
        return tuple(sorted({finding.hypothesis.method for finding in self.report.findings}))

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Every category of a hypothesis, by name."""
        return tuple(sorted({finding.hypothesis.category for finding in self.report.findings}))

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
        from diffing.bench.compare import category_result, gather, method_result, overlap_result, same_result

        groups = gather([("this result", self.report)])
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
    """The report. Without the collector, which would look through its million verdicts again and again.

    Raises:
        SettingError: It is damaged. Where it lies on the server is nobody's business.
    """
    gc.disable()
    try:
        return load_report(folder, token=False)
    except SettingError as error:
        raise SettingError(str(error).replace(str(folder), "this result")) from None
    finally:
        gc.enable()


class _Slot:
    """A place on the shelf, empty until its report is read."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.opened: Opened | None = None
