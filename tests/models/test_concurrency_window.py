"""The number of requests under way follows what a server takes."""

import threading
from contextlib import ExitStack

import pytest
from starlette.responses import JSONResponse

from diffing.models.base import Sampling
from diffing.models.concurrency_window import ConcurrencyWindow
from diffing.models.openai_compatible import OpenAIModel
from tests.models.questions import users
from tests.servers.openai_server import OpenAIServer
from tests.waiting import DEADLINE

GOES_ON = threading.Event()


def one_round(window: ConcurrencyWindow, capacity: int) -> int:
    """Sends as many requests as may be at once, of which `capacity` are answered; returns how many are refused."""
    with ExitStack() as under_way:
        numbers = [under_way.enter_context(window.place(GOES_ON)) for _ in range(window.limit)]
    for place, number in enumerate(numbers):
        if place < capacity:
            window.answered()
        else:
            window.overloaded(number)
    return max(len(numbers) - capacity, 0)


def test_it_settles_around_what_the_server_takes():
    window = ConcurrencyWindow(64)
    refused, limits = [], []
    for _ in range(50):
        limits.append(window.limit)
        refused.append(one_round(window, capacity=6))
    assert limits[:5] == [64, 32, 16, 8, 4], "halved once a round, however many are refused"
    assert {3, 4, 5, 6, 7} == set(limits[5:]), "from there it tries one more at a time"
    assert sum(refused[5:]) == sum(limit == 7 for limit in limits[5:]) <= 10, (
        "one refusal each time that it tries too many"
    )


def test_without_refusals_the_highest_limit_is_kept_and_after_them_it_is_reached_again():
    window = ConcurrencyWindow(5)
    assert [one_round(window, capacity=5) for _ in range(9)] == [0] * 9
    assert window.limit == 5
    one_round(window, capacity=0)
    limits = []
    for _ in range(7):
        limits.append(window.limit)
        one_round(window, capacity=5)
    assert limits[0] == 2
    assert limits == sorted(limits)
    assert limits[-1] == 5


def test_one_request_is_always_allowed():
    window = ConcurrencyWindow(3)
    for _ in range(9):
        one_round(window, capacity=0)
    assert window.limit == 1


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0.01"}])
def test_after_a_refusal_half_as_many_requests_are_under_way(headers):
    """The server refuses the first sixteen together, and then waits a little whether more than eight come at once."""
    everybody = threading.Barrier(16)
    lock = threading.Lock()
    more = threading.Event()
    came, under_way, most = [], [0], [0]

    def answer(request):
        with lock:
            came.append(request)
            first = len(came) <= 16
        if first:
            everybody.wait(timeout=DEADLINE)
            return JSONResponse({"error": {"message": "slow down"}}, status_code=429, headers=headers)
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
            if under_way[0] > 11:
                more.set()
        more.wait(timeout=0.05)
        with lock:
            under_way[0] -= 1
        return "fine"

    with OpenAIServer(answer) as server:
        model = OpenAIModel("m", server.base_url, concurrency=16, timeout=20.0)
        made = model.generate(users(32), Sampling(max_new_tokens=8))
    assert [each.text for each in made] == ["fine"] * 32
    assert most[0] <= 8 + 3, "32 answers raise a limit of eight to eleven"
