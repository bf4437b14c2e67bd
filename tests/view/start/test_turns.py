"""Slow questions keep only some of the page's threads busy; the others are answered in one line."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread

import pytest

from diffing.errors import LimitError
from diffing.view.runs import OWN_MACHINE
from diffing.view.site import Site, SiteSettings
from diffing.view.start.concurrency_limit import ConcurrencyLimit
from diffing.view.start.start_handlers import StartHandlers
from diffing.view.visitor import Visitor
from tests.waiting import DEADLINE

BUSY = "The page is busy: try again in a moment"


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[StartHandlers]:
    site = Site(SiteSettings(tmp_path / "site", rules=OWN_MACHINE, workers=0))
    yield StartHandlers(site)
    site.close()


def test_whoever_waits_too_long_is_told_and_the_place_is_free_again() -> None:
    turns = ConcurrencyLimit(2, 0.05)
    with ExitStack() as asking:
        for _ in range(2):
            asking.enter_context(turns.turn())
        for _ in range(5):
            with pytest.raises(LimitError, match=BUSY), turns.turn():
                pass
    with turns.turn(), turns.turn():
        pass


def test_a_turn_comes_to_who_waits_and_more_than_that_do_not_wait() -> None:
    turns, got = ConcurrencyLimit(1, 30.0), list[str]()

    def wait() -> None:
        with turns.turn():
            got.append("waited")

    with turns.turn():
        waiting = Thread(target=wait)
        waiting.start()
        while turns._taken._value:  # until it stands in line
            time.sleep(0.001)
        with pytest.raises(LimitError, match=BUSY), turns.turn():
            pass
        assert got == []
    waiting.join(timeout=DEADLINE)
    assert got == ["waited"]


def test_the_page_is_told_in_one_line(answers: StartHandlers) -> None:
    asked = {"about": "estimate", "form": {}}
    with ExitStack() as asking:
        for _ in range(12):
            asking.enter_context(answers._turns.turn())
        answers._turns._seconds = 0.01
        assert answers.answer(asked, Visitor(rules=OWN_MACHINE)) == {"problem": BUSY}
    assert "html" in answers.answer(asked, Visitor(rules=OWN_MACHINE))
