"""Waiting and giving up, without a server; with one, see `test_openai_compatible`. And a killed run, with both."""

import subprocess
import sys
import threading
from datetime import UTC, datetime

import httpx2
import pytest

from diffing.errors import ModelError, SettingError
from diffing.models.remote import RequestLimits, ServerRequests, TransientError, date_of, retry_after
from diffing.types import Completion, Message
from tests.servers.openai_server import OpenAIServer
from tests.waiting import DEADLINE

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FINE = Completion("fine", "stop")


def users(count):
    return [(Message("user", str(i)),) for i in range(count)]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        (" 0.25 ", 0.25),
        ("-3", 0.0),
        ("Fri, 02 Jan 2026 03:04:35 GMT", 30.0),
        ("Fri, 02 Jan 2026 03:04:35 -0000", 30.0),
        ("Fri, 02 Jan 2026 04:04:35 +0100", 30.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
        ("1e3", None),
        ("0x10", None),
        ("9" * 400, None),
        ("1767323045", None),  # a moment, in seconds since 1970
        ("2678400", 2_678_400.0),
        ("Fri, 02 Jan 2026 03:04:05 +99999999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("Fri, 99 Jan 2026 03:04:05 GMT", None),
        ("Fri, 02 Jan 2026 03:04:35 GMT" + " " * 100_000, 30.0),
        ("Fri, 02 Jan 2026 " * 10_000, None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize(
    "header", [None, "", "soon", "Fri, 02 Jan 2026 03:04:05 +99999999999999999", "\0", "1" * 10_000]
)
def test_what_is_no_date(header):
    assert date_of(header) is None


def test_back_off_doubles_up_to_half_a_minute():
    assert [RequestLimits(timeout=120.0).back_off(attempt) for attempt in (1, 2, 3, 8)] == [0.6, 1.2, 2.4, 30.0]


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"attempts": 0}, {"timeout": 0.0}])
def test_efforts_that_cannot_be(wrong):
    with pytest.raises(SettingError, match="needs concurrency >= 1, attempts >= 1 and timeout > 0"):
        RequestLimits(**wrong)


def test_a_permanent_error_is_told_even_if_others_were_stopped_first():
    """Seven wait for their next attempt when the eighth ends everything; its reason is what is told."""
    waiting = threading.Barrier(8)

    def ask(conversation):
        waiting.wait(timeout=DEADLINE)
        if conversation[0].content == "7":
            raise ModelError("wrong key")
        raise TransientError("busy", retry_after=30.0 if conversation[0].content < "3" else None)

    with pytest.raises(ModelError, match=r"^wrong key$"):
        ServerRequests("m", RequestLimits(concurrency=8, timeout=6000.0)).ask_all(ask, users(8))


def test_answers_on_their_way_are_told_before_the_end():
    begun, ended = threading.Event(), threading.Event()
    told = []

    def ask(conversation):
        if conversation[0].content == "0":
            begun.wait(timeout=DEADLINE)
            ended.set()
            raise ModelError("wrong key")
        begun.set()
        ended.wait(timeout=DEADLINE)
        return FINE

    with pytest.raises(ModelError, match="wrong key"):
        ServerRequests("m", RequestLimits(concurrency=2)).ask_all(
            ask, users(9), lambda index, made: told.append((index, made))
        )
    assert told == [(1, FINE)]


def test_those_that_failed_are_asked_again_together_and_that_alone_means_nothing():
    """Eight questions fail for ever among others that are answered: no sign of a server that is down."""

    def ask(conversation):
        if int(conversation[0].content) % 4 == 0:
            raise TransientError("strange")
        return FINE

    requests = ServerRequests("m", RequestLimits(concurrency=1, attempts=1))
    made = requests.ask_all(ask, users(40))
    failed = [user for user, completion in zip(users(40), made, strict=True) if completion.finish == "error"]
    assert len(failed) == 10
    assert [each.finish for each in requests.ask_all(ask, failed)] == ["error"] * 10
    with pytest.raises(ModelError, match="8 requests in a row failed"):
        requests.ask_all(ask, [(Message("user", str(4 * i)),) for i in range(100, 120)])


def test_bugs_are_not_survived():
    def ask(conversation):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        ServerRequests("m", RequestLimits()).ask_all(ask, users(20))


def test_a_killed_run_asks_nothing_again_that_it_was_told(tmp_path):
    script = """
import os, signal, sys
from pathlib import Path
from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.openai_compatible import OpenAIModel
from diffing.types import Message
model = CachedModel(OpenAIModel("m", sys.argv[2], concurrency=4), Store(Path(sys.argv[1])))
told = []
def on_completion(index, completion):
    told.append(index)
    if len(told) == int(sys.argv[3]):
        print(*told, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
made = model.generate([(Message("user", str(i)),) for i in range(30)], Sampling(), on_completion=on_completion)
print(*[each.text for each in made], sep=",")
"""
    with OpenAIServer(lambda request: "re " + request["messages"][-1]["content"]) as server:
        arguments = [sys.executable, "-c", script, str(tmp_path / "completions.sqlite"), server.base_url]
        killed = subprocess.run([*arguments, "10"], capture_output=True, text=True, check=False)
        for _ in range(2):  # what the killed process had asked last is read before this is answered
            ours = {"model": "m", "messages": [{"role": "user", "content": "ours"}]}
            httpx2.post(f"{server.base_url}/chat/completions", json=ours, timeout=DEADLINE).raise_for_status()
        before = server.count
        ended = subprocess.run([*arguments, "0"], capture_output=True, text=True, check=True)
        asked_again = {request["messages"][0]["content"] for request in server.requests[before:]}
    told = killed.stdout.split()
    assert (killed.returncode, len(told)) == (-9, 10)
    assert not set(told) & asked_again
    assert len(asked_again) == server.count - before == 20
    assert ended.stdout.strip().split(",") == [f"re {i}" for i in range(30)]
