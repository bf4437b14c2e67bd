"""Eight visitors at once, two of whose runs compute: nobody learns of another (how soon: bench_visitors)."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diffing.demo.config import demo_config
from diffing.view.runs import PUBLIC
from tests.view.progress.visits import Visit
from tests.view.served import Served, served
from tests.waiting import until

PAIR = replace(demo_config(), method=("lexical",), train=30, heldout=15, max_new_tokens=32)
"""The embedded pair; real models, which keep both cores busy."""


def started(at: Served, number: int) -> str:
    """The run of one visitor, with what is this visitor's alone; the first two compute, the others wait in line."""
    own = {"model_b": f"providers:org/own-{number}", "model_a": f"providers:org/mine-{number}"} if number > 1 else {}
    config = replace(PAIR, system_prompt_a=f"my-words-{number}", seed=number, **own)  # type: ignore[arg-type]
    return at.site.run_manager.start(config, owner=f"visitor-{number}", token=f"hf_{number}{'x' * 20}")


def comes_and_looks(visit: Visit, run_id: str) -> None:
    """Opens the link, looks on, comes again."""
    for _ in range(2):
        visit.come(f"run={run_id}")
        for _ in range(8):
            visit.ask(run_id)
            time.sleep(0.05)


def marks(number: int, run_id: str) -> list[str]:
    """What may stand in the answers to one visitor alone."""
    return [f"my-words-{number}", f"own-{number}", f"mine-{number}", f"visitor-{number}", f"hf_{number}x", run_id]


@pytest.mark.usefixtures("quick_runs")
def test_eight_visitors_at_once(tmp_path: Path) -> None:
    with served(tmp_path / "site", rules=PUBLIC) as at, ExitStack() as stack:
        visits = [stack.enter_context(Visit(at.url, f"session{number}")) for number in range(8)]
        ids = [started(at, number) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(comes_and_looks, visits, ids))
        assert at.site.run_manager.busy == (2, 6)
        for number, visit in enumerate(visits):
            seen = "".join(visit.seen)
            assert ids[number] in seen
            for other in set(range(8)) - {number}:
                assert not [mark for mark in marks(other, ids[other]) if mark in seen]
            assert f"hf_{number}x" not in seen
        cancelling_one_stops_that_one(at, visits, ids)
        nothing_of_the_result_without_the_id(visits[7], ids[1])


def cancelling_one_stops_that_one(at: Served, visits: list[Visit], ids: list[str]) -> None:
    """By its page; whoever stood behind it moves up, and the run beside it goes on to its end."""
    assert visits[4].ask(ids[4], "stop")["tab"] == "Stopped – diffing"
    places = {number: visits[number].ask(ids[number])["tab"] for number in (2, 3, 5, 6, 7)}
    assert [place.partition(" in")[0] for place in places.values()] == [f"Place {each}" for each in range(1, 6)]
    for number in places:
        visits[number].ask(ids[number], "stop")
    assert visits[0].ask(ids[0], "stop")["tab"] == "Stopped – diffing"
    until(lambda: at.site.run_manager.state(ids[1]).state == "done")  # type: ignore[union-attr]
    assert visits[1].ask(ids[1]) == {"go": f"run={ids[1]}"}
    assert "checked on 15 others" in visits[1].come(f"run={ids[1]}")
    assert at.site.run_manager.state(ids[0]).state == "stopped"  # type: ignore[union-attr]
    assert at.site.run_manager.busy == (0, 0)


def nothing_of_the_result_without_the_id(stranger: Visit, run_id: str) -> None:
    """Part of an id, and patterns that fit every id, find nothing."""
    for guess in (run_id[:-1], "%", f"{run_id} ", run_id.swapcase(), json.dumps([run_id])):
        answered: dict[str, Any] = stranger.ask(guess)
        assert set(answered) == {"go"}
        if guess.strip() != run_id:
            assert "There is no such run" in stranger.come(f"run={guess}")
