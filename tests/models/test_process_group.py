"""Several processes share a model: each answers its part, and all get all answers."""

from dataclasses import dataclass, field
from threading import Barrier, Thread
from typing import Any

import pytest

from diffing.errors import SettingError
from diffing.models.base import Sampling
from diffing.models.process_group import ProcessGroup, started_group
from diffing.models.scripted import ScriptedModel
from diffing.models.shared_model import SharedModel
from diffing.types import Conversation, Message

QUESTIONS: list[Conversation] = [(Message("user", f"question {number}"),) for number in range(7)]
LAUNCHED = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500", "WORLD_SIZE": "4", "RANK": "3"}


@dataclass
class Board:
    """Where threads exchange results, in place of processes."""

    barrier: Barrier
    results: dict[int, tuple[str, Any]] = field(default_factory=dict)


class Threads(ProcessGroup):
    """A group whose members are threads of this process."""

    board: Board

    def exchange(self, topic: str, result: Any) -> list[Any]:
        self.board.results[self.rank] = (topic, result)
        self.board.barrier.wait()
        topics, results = zip(*(self.board.results[rank] for rank in range(self.size)), strict=True)
        assert len(set(topics)) == 1
        self.board.barrier.wait()
        return list(results)


def answers(remote: bool) -> tuple[list[list[str]], list[list[str]], list[list[int]]]:
    """Per process: the texts it gets, the questions its model was asked, and the places it was told of."""
    board = Board(Barrier(3))
    texts: list[list[str]] = [[], [], []]
    asked: list[list[str]] = [[], [], []]
    told: list[list[int]] = [[], [], []]

    def work(rank: int) -> None:
        group = Threads(rank, 3, rank, 3)
        object.__setattr__(group, "board", board)

        def reply(conversation: Conversation, _: Sampling) -> str:
            asked[rank].append(conversation[0].content)
            return f"answer to {conversation[0].content}"

        scripted = ScriptedModel("m", reply)
        scripted.remote = remote
        model = SharedModel(scripted, group)
        done = model.generate(QUESTIONS, Sampling(), on_completion=lambda place, _: told[rank].append(place))
        texts[rank] = [completion.text for completion in done]

    threads = [Thread(target=work, args=(rank,)) for rank in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return texts, asked, told


@pytest.mark.parametrize(
    ("remote", "numbers"), [(False, [[0, 3, 6], [1, 4], [2, 5]]), (True, [list(range(7)), [], []])]
)
def test_each_question_is_asked_once_and_all_have_all_answers(remote: bool, numbers: list[list[int]]) -> None:
    texts, asked, told = answers(remote)
    assert texts == [[f"answer to question {number}" for number in range(7)]] * 3
    assert asked == [[f"question {number}" for number in each] for each in numbers]
    assert [sorted(places) for places in told] == [list(range(7))] * 3


def test_the_group_is_read_from_the_environment() -> None:
    assert started_group({}) is None
    assert started_group({"RANK": "0", "WORLD_SIZE": "1"}) is None  # of another program
    assert started_group(LAUNCHED) == ProcessGroup(3, 4, 3, 4)
    assert started_group(LAUNCHED | {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}) == ProcessGroup(3, 4, 1, 2)


@pytest.mark.parametrize(
    "wrong", [{"RANK": "4"}, {"RANK": "x"}, {"RANK": "-1"}, {"LOCAL_RANK": "9"}, {"WORLD_SIZE": "0"}]
)
def test_a_contradictory_environment_is_told(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="do not describe a group of processes"):
        started_group(LAUNCHED | wrong)
