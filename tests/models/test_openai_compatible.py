"""OpenAI-compatible servers over real HTTP: what is sent, how answers are read, which faults are survived."""

import json
import logging
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from diffing.errors import ModelError, SettingError
from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.openai_compatible import OpenAIModel
from diffing.types import Completion, Message
from tests.models.questions import user, users
from tests.servers.openai_server import (
    Body,
    Drop,
    Finish,
    Hang,
    NullContent,
    OpenAIServer,
    Status,
    Truncated,
    chat_body,
)
from tests.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("no_keys")
SAMPLING = Sampling(max_new_tokens=32)
SCHEMA = '{"type": "object", "properties": {"x": {"type": "integer"}}}'


def echo(request):
    return "re: " + request["messages"][-1]["content"]


def model_at(server, **options):
    # timeout / 200 is the first back-off: a small timeout makes quick tests
    return OpenAIModel("m", server.base_url, **({"timeout": 2.0} | options))


def one(server, fault=None, sampling=SAMPLING, **options):
    """The completion of one question asked after another was answered, so that a failure is this request's alone."""
    model = model_at(server, **options)
    model.generate([user("warm up")], sampling)
    if fault:
        server.fail_next(*fault)
    return model.generate([user("question")], sampling)[0]


# what is sent


def test_the_request_says_everything_that_decides_the_text():
    sampling = Sampling(max_new_tokens=77, temperature=0.7, top_p=0.9, seed=5, sample=2, json_schema=SCHEMA)
    conversation = (Message("system", "S"), Message("user", "U"))
    with OpenAIServer(echo) as server:
        model_at(server, api_key="sk-1").generate([conversation], sampling)
    [body] = server.requests
    assert isinstance(body.pop("seed"), int)
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
        "max_tokens": 77,
        "temperature": 0.7,
        "top_p": 0.9,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": json.loads(SCHEMA), "strict": True},
        },
    }
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == "Bearer sk-1"


def test_seeds_differ_by_conversation_sample_and_seed_and_by_nothing_else():
    with OpenAIServer(echo) as server:
        model = model_at(server, concurrency=1)
        for sampling in (Sampling(), Sampling(sample=1), Sampling(seed=1), Sampling(max_new_tokens=3)):
            model.generate([user("a"), user("b")], sampling)
    seeds = [request["seed"] for request in server.requests]
    assert len(set(seeds[:6])) == 6
    assert seeds[6:] == seeds[:2]
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_the_key_comes_from_the_argument_or_the_environment(monkeypatch):
    with OpenAIServer(echo) as server:
        model_at(server).generate([user("a")], SAMPLING)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-env\n")
        model_at(server).generate([user("a")], SAMPLING)
        monkeypatch.setenv("DIFFING_API_KEY", "sk-own")
        model_at(server).generate([user("a")], SAMPLING)
        model_at(server, api_key="sk-given").generate([user("a")], SAMPLING)
    sent = [headers.get("authorization") for headers in server.headers]
    assert sent == [None, "Bearer sk-env", "Bearer sk-own", "Bearer sk-given"]


def test_lone_surrogates_are_sent_and_read_as_question_marks():
    raw = Body(json.dumps(chat_body("bad \ud800 text")), "application/json")
    with OpenAIServer(echo, fault=lambda request: raw) as server:
        [made] = model_at(server).generate([user("half \udc00 a sign")], SAMPLING)
    assert server.requests[0]["messages"][0]["content"] == "half ? a sign"
    assert made.text == "bad ? text"


# the address


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://localhost:8000/v1", "localhost:8000/v1"),
        (" http://localhost:8000/v1/ ", "localhost:8000/v1"),
        ("localhost:8000/v1", "localhost:8000/v1"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://api.example.com/v1/chat/completions", "api.example.com/v1"),
        ("api.example.com/v1", "api.example.com/v1"),
        ("HTTPS://API.Example.com:443/v1", "api.example.com/v1"),
        ("http://[::1]:8000/v1", "[::1]:8000/v1"),
    ],
)
def test_the_address_is_brought_to_one_form(given, expected):
    assert OpenAIModel("m", given).id == f"openai:m@{expected}"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "must be http:// or https:// with a host"),
        ("ftp://host/v1", "must be http:// or https:// with a host"),
        ("http://", "must be http:// or https:// with a host"),
        ("http://host:port/v1", "is not a URL"),
        ("http://me:sk-secret@host/v1", "must hold no user, password"),
        ("http://host/v1?key=sk-secret", "must hold no user, password, query"),
    ],
)
def test_an_unusable_address_is_one_clear_line_without_secrets(given, says):
    with pytest.raises(SettingError, match=says) as caught:
        OpenAIModel("m", given)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_unusable_settings():
    with pytest.raises(SettingError, match="needs the name it has on the server"):
        OpenAIModel(" ", "http://h")
    with pytest.raises(SettingError, match="API key contains characters that no key has") as caught:
        OpenAIModel("m", "http://h", api_key="sk-\nsecret")
    assert "secret" not in str(caught.value)
    with pytest.raises(SettingError, match="concurrency >= 1"):
        OpenAIModel("m", "http://h", concurrency=0)


# how answers are read


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (chat_body("two words"), Completion("two words", "stop", None, 7, 2)),
        (chat_body("two words", "length"), Completion("two words", "length", None, 7, 2)),
        (chat_body("", "content_filter"), Completion("", "refused", None, 7, 0, "finish_reason: content_filter")),
        (chat_body(""), Completion("", "stop", None, 7, 0)),
        (chat_body(None, "length"), Completion("", "length", None, 7, 0)),
        (chat_body(None, reasoning_content="deep"), Completion("", "stop", "deep", 7, 0)),
        (chat_body("x", reasoning_content=" deep "), Completion("x", "stop", "deep", 7, 1)),
        (chat_body("<think>b</think>x", reasoning="a"), Completion("x", "stop", "a\n\nb", 7, 1)),
        (chat_body(None, refusal="I can't."), Completion("I can't.", "stop", None, 7, 0)),
        ({"choices": [{"message": {"content": [{"type": "text", "text": "part"}]}}]}, Completion("part", "stop")),
        ({"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "9"}}, Completion("x", "stop")),
    ],
)
def test_answers_are_read(body, expected):
    with OpenAIServer(lambda request: body) as server:
        assert model_at(server).generate([user("q")], SAMPLING) == [expected]


def test_empty_truncated_and_filtered_answers_are_answers_and_not_repeated():
    with OpenAIServer(echo) as server:
        model = model_at(server, concurrency=1)
        server.fail_next(NullContent("length"), Truncated(0.5), Finish("content_filter"))
        made = model.generate([user("abcdef")] * 3, SAMPLING)
    assert [(each.text, each.finish) for each in made] == [
        ("", "length"),
        ("re: a", "length"),
        ("re: abcdef", "refused"),
    ]
    assert server.count == 3


# faults that pass


@pytest.mark.parametrize(
    "fault",
    [
        Status(408),
        Status(409),
        Status(425),
        Status(429),
        Status(500),
        Status(502),
        Status(503, body=["not", "an", "object"]),
        Status(529),
        Drop(),
        Body(),
        Body("", "application/json"),
        Body('{"choices": []}', "application/json"),
        Body('{"choices": [{"message": null}]}', "application/json"),
        Body('{"choices": [{"message": {"content": 5}}]}', "application/json"),
        Body('{"error": {"message": "upstream", "code": 502}}', "application/json"),
        Body("[1]", "application/json"),
        Body("[" * 100_000, "application/json"),
        Finish("error"),
    ],
    ids=lambda fault: repr(fault)[:60],
)
def test_a_passing_fault_is_repeated_until_it_passes(fault):
    with OpenAIServer(echo) as server:
        made = one(server, [fault, fault])
    assert made.text == "re: question"
    assert server.count == 1 + 3


def test_a_hanging_server_is_given_up_after_the_timeout_and_asked_again():
    with OpenAIServer(echo) as server:
        made = one(server, [Hang(2 * DEADLINE)], timeout=1.0)
    assert made.text == "re: question"
    assert server.count >= 1 + 2


def test_an_answer_that_trickles_is_given_up_too():
    from starlette.responses import StreamingResponse

    def trickle(request):
        def bits():
            for _ in range(100):
                time.sleep(0.1)
                yield b" "

        return StreamingResponse(bits(), media_type="application/json")

    with OpenAIServer(lambda request: trickle(request) if "q" in echo(request) else echo(request)) as server:
        made = one(server, timeout=0.5, attempts=1)
    assert made == Completion("", "error", detail="no complete answer within 0.5 s (1 attempts)")


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (Status(500, "boom\n\x1b[31m   sk-key " + "x" * 999), "HTTP 500: boom [31m *** xxxx"),
        (Status(500, body={"detail": "why"}), "HTTP 500: why (3 attempts)"),
        (Status(500, body=["odd"]), 'HTTP 500: ["odd"] (3 attempts)'),
        (Body(), "the answer is not JSON but begins with '<html>"),
        (Body("{}", "application/json"), "the answer is not a chat completion"),
        (Status(400, "strange"), "HTTP 400: "),
    ],
)
def test_what_does_not_pass_is_a_completion_that_says_why(fault, detail):
    with OpenAIServer(echo) as server:
        made = one(server, [fault] * 10, attempts=3, api_key="sk-key")
    assert (made.text, made.finish) == ("", "error")
    assert made.detail.startswith(detail[:40])
    assert "sk-key" not in made.detail
    assert made.detail.isprintable()
    assert len(made.detail) < 350


def test_retry_after_in_seconds_is_obeyed_by_all_requests():
    with OpenAIServer(echo) as server:
        model = model_at(server, concurrency=4)
        server.fail_next(Status(429, headers={"Retry-After": "0.6"}))
        made = model.generate(users(1), SAMPLING)
        pause = server.times[1] - server.times[0]
        assert made[0].text == "re: question 0"
        assert 0.6 <= pause
        server.fail_next(*[Status(429, headers={"Retry-After": "0.6"})] * 4)
        begin = len(server.times)
        model.generate(users(12), SAMPLING)
    times = [each - server.times[begin] for each in server.times[begin:]]
    assert len(times) == 12 + 4
    assert 1 <= sum(each < 0.55 for each in times) <= 4  # those already on their way; all others waited


def test_retry_after_as_a_date_is_obeyed():
    with OpenAIServer(echo) as server:
        date = format_datetime(datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2), usegmt=True)
        started = datetime.now(UTC)
        server.fail_next(Status(503, headers={"Retry-After": date}))
        model_at(server).generate(users(1), SAMPLING)
        waited = (datetime.now(UTC) - started).total_seconds()
    assert server.count == 2
    assert 0.9 <= waited


def test_a_server_with_a_small_rate_is_waited_for_however_many_ask():
    """Eight compete for one answer per 20 ms: more refusals than `attempts` for most, but nobody fails."""
    last = [0.0]
    lock = threading.Lock()

    def limited(request):
        with lock:
            if time.monotonic() - last[0] < 0.02:
                return Status(429, headers={"Retry-After": "0.02"})
            last[0] = time.monotonic()
            return None

    with OpenAIServer(echo, fault=limited) as server:
        made = model_at(server, attempts=2).generate(users(24), SAMPLING)
    assert [each.text for each in made] == [f"re: question {i}" for i in range(24)]


def test_a_server_that_puts_everything_off_ends_the_run():
    busy = Status(429, "slow down", headers={"Retry-After": "0.01"})
    with OpenAIServer(echo, fault=lambda request: busy) as server:
        with pytest.raises(ModelError, match=r"puts requests off, 9 in a row, .*slow down.*Rerun later"):
            model_at(server, concurrency=2, attempts=2).generate(users(20), SAMPLING)
        assert server.count <= 10


def test_a_very_long_retry_after_ends_the_run_with_its_reason():
    with OpenAIServer(echo) as server:
        server.fail_next(Status(429, "daily quota", headers={"Retry-After": "86400"}))
        with pytest.raises(ModelError, match=r"puts requests off.* by 86400 seconds .*daily quota.*Rerun later"):
            model_at(server).generate(users(1), SAMPLING)
    assert server.count == 1


# faults that do not pass


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Status(401, "bad key sk-key"), r"HTTP 401.*bad key \*\*\*.*DIFFING_API_KEY or OPENAI_API_KEY"),
        (Status(402), "HTTP 402.*Add credit"),
        (Status(403), "HTTP 403.*another key or another model"),
        (Status(404), "HTTP 404.*base URL; most end in /v1"),
        (Status(422), "HTTP 422.*check that it is OpenAI-compatible"),
        (Status(400, "The model `m` does not exist"), "HTTP 400.*does not exist.*Check the model's name"),
        (Status(429, "You exceeded your current quota"), "no credit left.*Add credit"),
        (Status(301, headers={"Location": "http://127.0.0.1:9/"}), "HTTP 301.*Check the model's name and the address"),
        (Body('{"error": {"message": "no money", "code": 402}}', "application/json"), "HTTP 402.*Add credit"),
    ],
)
def test_a_permanent_error_ends_at_once_with_its_remedy(fault, says):
    with OpenAIServer(echo, fault=lambda request: fault) as server:
        with pytest.raises(ModelError, match=says) as caught:
            model_at(server, concurrency=1, api_key="sk-key").generate(users(20), SAMPLING)
        # once more without the seed where no field was named
        assert server.count == (2 if fault == Status(422) else 1)
    assert "sk-key" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        ("This model's maximum context length is 2048 tokens. However, you requested 3000 tokens", "rejected"),
        ("the request exceeds the available context size", "rejected"),
        ("The response was filtered due to the prompt triggering content management policy", "refused"),
        ("rejected by content_filter", "refused"),
    ],
)
def test_a_conversation_that_cannot_be_answered_alone_stops_no_other(message, finish):
    with OpenAIServer(echo) as server:
        model = model_at(server, concurrency=1)
        server.fault = lambda request: Status(400, message) if "question 1" in echo(request) else None
        made = model.generate(users(3), Sampling(json_schema=SCHEMA))
    assert [each.finish for each in made] == ["stop", finish, "stop"]
    assert message[:20] in made[1].detail
    assert server.count == 3


def test_a_server_that_is_down_is_one_line(unused_port):
    model = OpenAIModel("m", f"http://127.0.0.1:{unused_port}/v1", timeout=0.5, attempts=2)
    with pytest.raises(
        ModelError, match=r"openai:m@127.* does not answer: all 3 requests failed.*ConnectError"
    ) as caught:
        model.generate(users(3), SAMPLING)
    assert "\n" not in str(caught.value)


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_eight_failures_in_a_row_end_the_run_and_seven_do_not():
    with OpenAIServer(echo) as server:
        server.fail_next(*[Status(500)] * 7)
        made = model_at(server, concurrency=1, attempts=1).generate(users(10), SAMPLING)
        assert [each.finish for each in made] == ["error"] * 7 + ["stop"] * 3
        server.fail_next(*[Status(500)] * 50)
        before = server.count
        with pytest.raises(ModelError, match=r"8 requests in a row failed.*HTTP 500"):
            model_at(server, concurrency=1, attempts=1).generate(users(50), SAMPLING)
        assert 8 <= server.count - before <= 9


def test_a_server_that_answered_before_may_fail_on_a_few():
    with OpenAIServer(echo) as server:
        model = model_at(server, attempts=1)
        model.generate(users(1), SAMPLING)
        server.fail_next(*[Status(500)] * 2)
        assert [each.finish for each in model.generate(users(2), SAMPLING)] == ["error", "error"]


# fields a server does not take


def _picky(fields, status=400, unnamed=False, message="{field} is not supported"):
    def fault(request):
        for field in fields:
            if field in request:
                return Status(status, "bad request" if unnamed else message.format(field=field))
        return None

    return fault


@pytest.mark.parametrize("status", [400, 422, 501])
@pytest.mark.parametrize("unnamed", [False, True])
def test_without_json_schema_where_the_server_cannot_and_only_once(status, unnamed, caplog):
    with OpenAIServer(echo, fault=_picky(["response_format"], status, unnamed)) as server:
        model = model_at(server, concurrency=1)
        with caplog.at_level(logging.WARNING):
            made = model.generate(users(5), Sampling(json_schema=SCHEMA))
    assert [each.text for each in made] == [f"re: question {i}" for i in range(5)]
    assert server.count == 6
    assert "seed" in server.requests[-1]
    assert [record.message for record in caplog.records] == [
        f"{model.id} does not accept `response_format`: requests are sent without it."
    ]


def test_other_optional_fields_are_left_out_too():
    with OpenAIServer(echo, fault=_picky(["seed", "top_p", "temperature"])) as server:
        model = model_at(server, concurrency=1)
        made = model.generate(users(3), SAMPLING)
    assert [each.finish for each in made] == ["stop"] * 3
    assert server.count == 3 + 3
    assert server.requests[-1].keys() == {"model", "messages", "max_tokens"}


def test_max_tokens_goes_under_its_newer_name_where_asked():
    message = "'{field}' is not supported with this model. Use 'max_completion_tokens' instead."
    with OpenAIServer(echo, fault=_picky(["max_tokens"], message=message)) as server:
        model_at(server, concurrency=1).generate(users(2), SAMPLING)
    assert [request.get("max_completion_tokens") for request in server.requests] == [None, 32, 32]


def test_a_field_that_was_not_to_blame_is_sent_again():
    with OpenAIServer(echo) as server:
        model = model_at(server, concurrency=1)
        server.fault = lambda request: Status(400, "strange") if "question 1" in echo(request) else None
        made = model.generate(users(3), Sampling(json_schema=SCHEMA))
    assert [each.finish for each in made] == ["stop", "error", "stop"]
    assert "response_format" in server.requests[-1]


def test_a_field_that_is_named_beside_the_model_is_to_blame_not_the_model():
    with OpenAIServer(echo, fault=_picky(["seed"], message="For this model, '{field}' is not supported")) as server:
        made = model_at(server, concurrency=1).generate(users(2), SAMPLING)
    assert [each.finish for each in made] == ["stop", "stop"]


# many at once


def test_order_is_kept_and_concurrency_is_bounded_and_reached():
    def slow(request):
        time.sleep(random.Random(echo(request)).uniform(0.01, 0.08))
        return echo(request)

    with OpenAIServer(slow) as server:
        finished = []
        made = model_at(server, concurrency=5, timeout=DEADLINE).generate(
            users(40), SAMPLING, on_completion=lambda index, completion: finished.append(index)
        )
    assert [each.text for each in made] == [f"re: question {i}" for i in range(40)]
    assert server.most_in_flight == 5
    assert sorted(finished) == list(range(40))
    assert finished != list(range(40))


def test_what_was_answered_before_an_end_is_kept_and_never_asked_again(tmp_path):
    store = Store(tmp_path / "completions.sqlite")
    with OpenAIServer(echo) as server:
        server.fault = lambda request: Status(401) if len(server.requests) > 6 else None
        with pytest.raises(ModelError, match="HTTP 401"):
            CachedModel(model_at(server, concurrency=3), store).generate(users(20), SAMPLING)
        server.fault = None
        made = CachedModel(model_at(server, concurrency=3), store).generate(users(20), SAMPLING)
        asked = [request["messages"][-1]["content"] for request in server.answered]
    assert [each.text for each in made] == [f"re: question {i}" for i in range(20)]
    assert sorted(asked) == sorted(f"question {i}" for i in range(20))


def test_an_end_during_a_callback_leaves_nothing_running(tmp_path):
    def stop(index, completion):
        raise KeyboardInterrupt

    with OpenAIServer(echo) as server:
        with pytest.raises(KeyboardInterrupt):
            model_at(server, concurrency=2).generate(users(50), SAMPLING, on_completion=stop)
        time.sleep(0.2)
        assert server.count < 10
