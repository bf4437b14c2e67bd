"""Torch and transformers are imported by one thread at a time, and nothing is collected meanwhile."""

import gc
import threading
from contextlib import suppress

import pytest

from diffing.models.local.memory import importing
from tests.waiting import DEADLINE


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_not_collected_meanwhile_and_afterwards_as_before(collects):
    (gc.enable if collects else gc.disable)()
    try:
        with suppress(ImportError), importing():
            inside = gc.isenabled()
            raise ImportError
        assert (inside, gc.isenabled()) == (False, collects)
    finally:
        gc.enable()


def test_a_second_thread_waits_for_the_first():
    order, begun = [], threading.Event()

    def second():
        begun.set()
        with importing():
            order.append("second")

    with importing():
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(timeout=DEADLINE)
        order.append("first")
    thread.join(timeout=DEADLINE)
    assert order == ["first", "second"]
