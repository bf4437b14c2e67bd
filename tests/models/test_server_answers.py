"""What a server may send as an answer, over real HTTP: no text is none, another model is told, settings are as sent."""

import json
import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from diffing.errors import ModelError
from diffing.models.base import Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.openai_compatible import OpenAIModel
from diffing.models.server_notes import ServerNotes
from diffing.types import Completion
from tests.models.questions import user, users
from tests.servers.openai_server import Body, Named, NullContent, OpenAIServer, Status, chat_body
from tests.servers.openai_server import Message as Says
from tests.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("no_keys")
SAMPLING = Sampling(max_new_tokens=32)
SCHEMA = '{"type": "object"}'


def asked(request):
    return request["messages"][-1]["content"]


def echo(request):
    return "re: " + asked(request)


def model_at(server, **options):
    # timeout / 200 is the first back-off: a small timeout makes quick tests
    return OpenAIModel("m", server.base_url, **({"timeout": 2.0, "concurrency": 1} | options))


# no text


NO_TEXT = [
    NullContent(),
    NullContent("tool_calls"),
    Says({"role": "assistant"}),
    Says({"content": []}),
    Says({"content": [{"type": "image_url", "image_url": {}}]}),
    Says({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, "tool_calls"),
    Says({"content": None, "refusal": None}),
    Body('{"choices": {}}', "application/json"),
    Body('{"choices": null}', "application/json"),
    Body("{}", "application/json"),
]


@pytest.mark.parametrize("fault", NO_TEXT, ids=repr)
def test_no_text_is_asked_for_again(fault, tmp_path):
    store = Store(tmp_path / "completions.sqlite")
    with OpenAIServer(echo) as server:
        model = CachedModel(model_at(server, attempts=3), store)
        model.generate(users(1), SAMPLING)
        server.fail_next(fault, fault)
        assert model.generate([user("passes")], SAMPLING)[0].text == "re: passes"
        server.fail_next(*[fault] * 3)
        [lasting] = model.generate([user("lasts")], SAMPLING)
        assert (lasting.text, lasting.finish) == ("", "error")
        assert "(3 attempts)" in lasting.detail
        # never kept: the next run asks again
        assert model.generate([user("lasts")], SAMPLING)[0].text == "re: lasts"
    assert server.count == 1 + 3 + 3 + 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": ""}, Completion("", "stop", None, 7, 0)),
        ({"content": [{"type": "text", "text": ""}]}, Completion("", "stop", None, 7, 0)),
        ({"content": "", "refusal": "No."}, Completion("No.", "stop", None, 7, 0)),
        ({"content": None, "refusal": "No."}, Completion("No.", "stop", None, 7, 0)),
        ({"content": None, "thinking": "deep"}, Completion("", "stop", "deep", 7, 0)),
        (
            {"content": "x", "reasoning_details": [{"type": "reasoning.text", "text": "deep"}]},
            Completion("x", "stop", "deep", 7, 0),
        ),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "deep"}]},
                    {"type": "text", "text": "a"},
                    {"type": "tool_use", "text": "no"},
                    {"type": "text", "text": "b"},
                ]
            },
            Completion("ab", "stop", "deep", 7, 0),
        ),
        ({"content": "[THINK]deep[/THINK]x"}, Completion("x", "stop", "deep", 7, 0)),
        ({"content": "x", "tool_calls": []}, Completion("x", "stop", None, 7, 0)),
    ],
    ids=repr,
)
def test_text_is_data_also_where_it_is_empty(message, expected):
    with OpenAIServer(echo) as server:
        server.fail_next(Says(message))
        assert model_at(server).generate(users(1), SAMPLING) == [expected]
    assert server.count == 1


def test_counts_that_cannot_be_are_not_counted():
    odd = chat_body("x") | {"usage": {"prompt_tokens": 10**30, "completion_tokens": -1}}
    with OpenAIServer(lambda request: odd) as server:
        [made] = model_at(server).generate(users(1), SAMPLING)
    assert (made.prompt_tokens, made.completion_tokens) == (None, None)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"choices": [{"message": {"content": "caf\xe9"}}]}',
        b"\xff\xfe\x00{",
        b"[" * 500 + b"]" * 500,
        b'{"error": ' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"choices": ' + b'[{"message": ' * 600 + b"1" + b"}]" * 600 + b"}",
        b'{"choices": [{"message": {"content": NaN}}]}',
        b'{"created": ' + b"1" * 5000 + b"}",
        b'{"choices": [{"message": {"content": "a"}}], "choices": [{"message": {"content": "b"}}]}',
        b'{"choices": [{"message": {"content": "' + b"x" * 9_000_000 + b'"}}]}',
    ],
    ids=lambda raw: repr(raw[:40]),
)
def test_what_cannot_be_read_is_asked_for_again(raw):
    with OpenAIServer(echo) as server:
        model = model_at(server, attempts=2, timeout=DEADLINE)
        server.fail_next(Body(raw, "application/json"))
        assert model.generate(users(1), SAMPLING)[0].text == "re: question 0"
        server.fail_next(*[Body(raw, "application/json")] * 2)
        [made] = model.generate([user("again")], SAMPLING)
    assert made.finish == "error"
    assert len(made.detail) < 350


# who answered


def told_by(server, conversations, **options):
    made = model_at(server, **options).generate(conversations, SAMPLING)
    return made, ServerNotes(made).notes("model A")


def test_another_model_is_asked_again_where_the_right_one_answered_before():
    draw = random.Random(7)
    with OpenAIServer(echo) as server:
        model = model_at(server)
        model.generate([user("first")], SAMPLING)
        server.fault = lambda request: Named() if draw.random() < 0.3 else None
        made = model.generate(users(60), SAMPLING)
    assert [each.text for each in made] == [f"re: question {i}" for i in range(60)]
    assert ServerNotes(made).notes("model A") == ()


def test_another_model_that_stays_is_left_out():
    with OpenAIServer(echo, fault=lambda request: Named() if "3" in asked(request) else None) as server:
        made = model_at(server, attempts=2).generate(users(6), SAMPLING)
    assert [each.finish for each in made] == ["stop"] * 3 + ["error"] + ["stop"] * 2
    assert made[3].detail == "the server says that another model answered: 'another-model' (2 attempts)"


def test_a_server_with_names_of_its_own_is_told_once():
    with OpenAIServer(lambda request: chat_body(echo(request)) | {"model": "its-own-name"}) as server:
        made, notes = told_by(server, users(3))
    assert [each.served for each in made] == ["its-own-name"] * 3
    assert notes == ("According to its server, all 3 answers of model A come from its-own-name.",)


def test_a_change_within_a_run_is_told_also_from_the_cache(tmp_path):
    names = iter(["one", "one", "two"])
    store = Store(tmp_path / "completions.sqlite")
    with OpenAIServer(lambda request: chat_body(echo(request)) | {"model": next(names)}) as server:
        model = CachedModel(model_at(server), store)
        first, second = model.generate(users(3), SAMPLING), model.generate(users(3), SAMPLING)
    assert first == second
    assert server.count == 3
    assert ServerNotes(second).notes("model A") == (
        "The server of model A says that more than one model answered: one (2), two (1). Their answers are treated "
        "here as if they came from one model.",
    )


def test_snapshots_are_no_alarm_but_two_of_them_are_told():
    names = iter(["m-2024-08-06", "M-2024-08-06", "m", "m-2024-05-13", "m"])
    with OpenAIServer(lambda request: chat_body(echo(request)) | {"model": next(names)}) as server:
        made, notes = told_by(server, users(2))
        assert notes == ("According to its server, all 2 answers of model A come from m-2024-08-06.",)
        made, notes = told_by(server, users(3))
    assert [each.served for each in made] == [None, "m-2024-05-13", None]
    assert "the requested one (2), m-2024-05-13 (1)" in notes[0]


def test_a_name_is_one_short_line():
    name = "a\nb\x1b[31m" + "x" * 1000
    with OpenAIServer(lambda request: chat_body("y") | {"model": name}) as server:
        [made] = model_at(server).generate(users(1), SAMPLING)
    assert made.served.startswith("a b [31mx")
    assert len(made.served) <= 200


# which settings


def declines(*fields):
    def fault(request):
        for field in fields:
            if field in request:
                return Status(400, f"Unsupported value: '{field}' does not support {request[field]!r} with this model.")
        return None

    return fault


def test_what_was_not_sent_is_told_also_from_the_cache(tmp_path):
    store = Store(tmp_path / "completions.sqlite")
    with OpenAIServer(echo, fault=declines("temperature", "seed")) as server:
        model = CachedModel(model_at(server), store)
        for _ in range(2):
            made = model.generate(users(3), SAMPLING)
            assert [each.declined for each in made] == ["seed, temperature"] * 3
            assert ServerNotes(made).declined == ("seed", "temperature")
            assert ServerNotes(made).notes("model A")[1] == (
                "The server of model A did not accept `temperature`: all 3 answers were generated without it, with the "
                "server's default."
            )
    assert "temperature" not in server.requests[-1]


def test_a_field_that_was_not_wanted_was_not_declined():
    with OpenAIServer(echo, fault=declines("response_format")) as server:
        model = model_at(server)
        [reply] = model.generate([user("a")], Sampling(json_schema=SCHEMA))
        [response] = model.generate([user("b")], SAMPLING)
    assert (reply.declined, response.declined) == ("response_format", None)


# too much


@pytest.mark.parametrize("status", [400, 413, 422])
def test_one_prompt_that_is_too_long_stops_no_other(status):
    message = "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500"
    with OpenAIServer(echo) as server:
        # also where it is the first of all
        server.fault = lambda request: Status(status, message) if "question 0" in asked(request) else None
        made = model_at(server).generate(users(31), SAMPLING)
    assert [each.finish for each in made] == ["rejected"] + ["stop"] * 30
    assert "must have less than 1024 tokens" in made[0].detail
    assert server.count == 31


def test_a_context_that_is_exceeded_with_the_status_of_a_fault():
    message = "the request exceeds the available context size, try increasing it"
    with OpenAIServer(echo) as server:
        server.fault = lambda request: Status(500, message) if "question 1" in asked(request) else None
        made = model_at(server).generate(users(3), SAMPLING)
    assert [each.finish for each in made] == ["stop", "rejected", "stop"]
    assert server.count == 3


@pytest.mark.parametrize("status", [403, 422])
def test_what_a_server_that_answered_others_does_not_take_is_that_conversation_alone(status):
    with OpenAIServer(echo) as server:
        server.fault = lambda request: Status(status, "blocked") if "question 2" in asked(request) else None
        made = model_at(server).generate(users(4), SAMPLING)
    assert [each.finish for each in made] == ["stop", "stop", "error", "stop"]


def test_a_policy_about_whoever_asks_is_no_refusal_of_a_prompt():
    with OpenAIServer(echo) as server:
        server.fault = lambda request: Status(403, "Your account was blocked by our safety team")
        with pytest.raises(ModelError, match="The key may not use this model"):
            model_at(server).generate(users(3), SAMPLING)
        server.fault = lambda request: Status(403, "Your input was flagged") if "2" in asked(request) else None
        made = model_at(server).generate(users(4), SAMPLING)
    assert [each.finish for each in made] == ["stop", "stop", "refused", "stop"]


def test_a_prompt_that_would_fit_with_a_shorter_answer_is_told():
    message = (
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (3976 in the messages, "
        "1024 in the completion)."
    )
    with OpenAIServer(echo, fault=lambda request: Status(400, message)) as server:
        model = model_at(server)
        [made] = model.generate([user("long")], Sampling(max_new_tokens=1024))
        [reply] = model.generate([user("judge")], Sampling(max_new_tokens=1024, json_schema=SCHEMA))
    assert made.finish == reply.finish == "rejected"
    assert message in made.detail
    assert made.detail.endswith("It would fit with --max-new-tokens 120.")
    assert "--max-new-tokens" not in reply.detail


@pytest.mark.parametrize(
    ("status", "message", "allowed"),
    [
        (400, "max_tokens is too large: 9000. This model supports at most 4096 completion tokens.", 4096),
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 9020 tokens (20 in the "
            "messages, 9000 in the completion).",
            4076,
        ),
        (422, "Input validation error: `max_new_tokens` must be <= 512. Given: 9000", 512),
        (400, "The maximum tokens you requested exceeds the model limit of 512. Please reduce your max tokens.", 512),
    ],
)
def test_more_tokens_than_the_model_has(status, message, allowed):
    def fault(request):
        return Status(status, message) if request["max_tokens"] > allowed else None

    with OpenAIServer(echo, fault=fault) as server:
        model = model_at(server)
        with pytest.raises(
            ModelError, match=rf"Lower --max-new-tokens to {allowed}; answers so far are kept"
        ) as caught:
            model.generate(users(20), Sampling(max_new_tokens=9000))
        assert message[:40] in str(caught.value)
        assert server.count == 1
        # a reply needs room, it is no setting of the user
        [reply] = model.generate([user("judge")], Sampling(max_new_tokens=9000, json_schema=SCHEMA))
    assert reply.text == "re: judge"
    assert server.requests[-1]["max_tokens"] == allowed
    assert "response_format" in server.requests[-1]


# when to come back


def test_a_date_counts_from_the_servers_own_clock():
    """The server's clock is an hour ahead: what it means by its date is a second, not an hour and a second."""
    there = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    headers = {
        "Retry-After": format_datetime(there + timedelta(seconds=1), usegmt=True),
        "Date": format_datetime(there, usegmt=True),
    }
    with OpenAIServer(echo, date_header=False) as server:
        server.fail_next(Status(429, headers=headers))
        [made] = model_at(server).generate(users(1), SAMPLING)
    assert made.text == "re: question 0"
    assert server.times[1] - server.times[0] >= 1.0


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "Fri, 02 Jan 2026 03:04:05 +99999999999999999", "9" * 300])
def test_a_retry_after_that_is_no_time_is_a_fault_like_any_other(value):
    with OpenAIServer(echo) as server:
        server.fail_next(*[Status(429, headers={"Retry-After": value})] * 2)
        [made] = model_at(server).generate(users(1), SAMPLING)
    assert made.text == "re: question 0"
    assert server.count == 3


def test_an_error_of_any_size_is_read_in_part():
    deep = "[" * 500 + "]" * 500
    with OpenAIServer(echo) as server:
        model = model_at(server, attempts=1)
        model.generate(users(1), SAMPLING)
        for fault in (Status(500, "x" * 3_000_000), Status(500, body={"error": json.loads(deep)})):
            server.fail_next(fault)
            [made] = model.generate([user("q")], SAMPLING)
            assert made.finish == "error"
            assert made.detail.startswith("HTTP 500: ")
            assert len(made.detail) < 350
