"""While one visitor's worst is answered, others are too; how long they wait is measured by bench_hostile."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from diffing.view.runs import PUBLIC
from tests.hub import LocalHub
from tests.view.journeys.world import environment
from tests.view.served import served
from tests.view.worst import Attacker, attacks, publish


@pytest.mark.slow
def test_others_are_answered_while_a_card_is_read_that_takes_long(tmp_path: Path) -> None:
    with (
        LocalHub() as hub,
        environment(hub, tmp_path / "here"),
        served(tmp_path / "site", rules=PUBLIC) as at,
        httpx2.Client(timeout=600.0) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        publish(hub, tmp_path / "hub", "card lists".__eq__)
        said, meanwhile = "", 0
        for attack in attacks(Attacker(at.url)):
            if not attack.name.startswith("card lists"):
                continue
            sent = pool.submit(attack.send)
            while not sent.done():
                assert other.get(at.url).status_code == 200
                meanwhile += not sent.done()
            said = sent.result()
    assert "takes too long to process here" in said or "What would change" in said
    assert meanwhile >= 5
