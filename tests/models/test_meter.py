"""Hard limits of calls and dollars, exact to the call, and resumable."""

import pytest

from diffing.errors import LimitError, SettingError
from diffing.models.base import Price, Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.meter import Meter, MeteredModel
from diffing.models.openai_compatible import OpenAIModel
from diffing.models.scripted import ScriptedModel
from diffing.types import Completion, Message
from tests.servers.openai_server import OpenAIServer

MILLION = 1e6


def users(*texts):
    return [(Message("user", text),) for text in texts]


def echo(request):
    return request["messages"][-1]["content"]


def test_exactly_max_calls_reach_the_server_and_a_rerun_goes_on(tmp_path):
    asked = users(*[f"question {i}" for i in range(30)])
    with OpenAIServer(echo) as server:

        def run(max_calls):
            model = MeteredModel(OpenAIModel("m", server.base_url), Meter(max_calls=max_calls))
            return CachedModel(model, Store(tmp_path / "completions.sqlite")).generate(asked, Sampling())

        with pytest.raises(
            LimitError,
            match=r"The limit of 20 calls \(max_calls\) is reached; 20 calls made, .* at least 10 more calls needed.*"
            "kept: rerun with a higher limit",
        ) as caught:
            run(20)
        assert server.count == 20
        with pytest.raises(LimitError, match="The limit of 9 calls"):
            run(9)
        assert server.count == 29
        assert [each.text for each in run(1)] == [f"question {i}" for i in range(30)]
        assert server.count == 30
        assert [each.text for each in run(0)] == [f"question {i}" for i in range(30)]
        assert server.count == 30
    assert "\n" not in str(caught.value)


def test_one_meter_counts_for_all_models_of_a_run():
    meter = Meter(max_calls=3)
    one, two = (ScriptedModel(name, lambda conversation, sampling: "x") for name in "ab")
    MeteredModel(one, meter).generate(users("1", "2"), Sampling())
    with pytest.raises(LimitError, match="3 calls made"):
        MeteredModel(two, meter).generate(users("1", "2"), Sampling())
    assert (len(one.requests), len(two.requests), meter.calls) == (2, 1, 3)


def test_dollars_are_never_passed_and_real_costs_make_room_for_more():
    """A call costs $1 at most (100 tokens of 1 cent) and $0.10 really: of $2.05, 11 fit, since the 12th could pass."""
    answer = Completion("x", "stop", prompt_tokens=0, completion_tokens=10)
    inner = ScriptedModel("m", lambda conversation, sampling: answer)
    meter = Meter(max_usd=2.05)
    model = MeteredModel(inner, meter, Price(prompt=0.0, completion=0.01 * MILLION))
    told = []
    with pytest.raises(
        LimitError, match=r"The limit of \$2.05 \(max_usd\) could be passed: .* up to \$1; 11 calls made, \$1.1 "
    ):
        model.generate(
            users(*"abcdefghijklmnop"), Sampling(max_new_tokens=100), on_completion=lambda i, c: told.append(i)
        )
    assert len(inner.requests) == 11
    assert meter.usd == pytest.approx(1.1)
    assert told == list(range(11))


def test_the_prompt_is_counted_at_its_most_before_and_as_told_after():
    inner = ScriptedModel(
        "m", lambda conversation, sampling: Completion("", "stop", prompt_tokens=5, completion_tokens=0)
    )
    price = Price(prompt=0.01 * MILLION, completion=0.0)
    [long] = users("é" * 50)  # 100 bytes and 16 tokens of template: $1.16 at most
    with pytest.raises(LimitError, match=r"can cost up to \$1.16; 0 calls made"):
        MeteredModel(inner, Meter(max_usd=1.15), price).generate([long], Sampling())
    meter = Meter(max_usd=1.17)
    MeteredModel(inner, meter, price).generate([long], Sampling())
    assert meter.usd == pytest.approx(0.05)


def test_where_the_server_counts_no_tokens_the_most_is_counted():
    inner = ScriptedModel("m", lambda conversation, sampling: Completion("four", "stop", thinking="12345678"))
    meter = Meter()
    model = MeteredModel(inner, meter, Price(prompt=MILLION, completion=MILLION))
    model.generate(users("ab"), Sampling())
    assert meter.usd == pytest.approx((2 + 16) + (4 + 8))
    model.generate(users("ab"), Sampling(max_new_tokens=5))
    assert meter.usd == pytest.approx((2 + 16) * 2 + 12 + 5)


def test_within_the_limits_a_call_is_one_call_of_the_inner_model():
    sizes = []

    class Whole(ScriptedModel):
        def generate(self, conversations, sampling, **told):
            sizes.append(len(conversations))
            return super().generate(conversations, sampling, **told)

    inner = Whole("m", lambda conversation, sampling: "x")
    MeteredModel(inner, Meter(max_calls=100, max_usd=50.0), Price(1.0, 1.0)).generate(users(*"abcdefgh"), Sampling())
    assert sizes == [8]


def test_settings_that_cannot_be():
    with pytest.raises(SettingError, match="max_usd needs the price of scripted:m"):
        MeteredModel(ScriptedModel("m", lambda conversation, sampling: ""), Meter(max_usd=1.0))
    with pytest.raises(SettingError, match="max_calls must be 0 or more, got -1"):
        Meter(max_calls=-1)
    with pytest.raises(SettingError, match="max_usd must be 0 or more, got nan"):
        Meter(max_usd=float("nan"))
