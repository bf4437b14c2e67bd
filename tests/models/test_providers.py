"""Inference Providers, whose router is a local server over real HTTP."""

import pytest

from diffing.errors import ModelError, SettingError
from diffing.models.base import Sampling
from diffing.models.providers import ProvidersModel
from diffing.types import Completion
from tests.models.questions import user
from tests.servers.openai_server import Body, Drop, Hang, NullContent, OpenAIServer, Status, chat_body
from tests.servers.router import router_at
from tests.waiting import DEADLINE

SCHEMA = '{"type": "object"}'


@pytest.fixture
def router():
    with OpenAIServer(lambda request: "re: " + request["messages"][-1]["content"]) as server, router_at(server):
        yield server


@pytest.fixture(autouse=True)
def _no_login(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))


def model(**options):
    return ProvidersModel("org/name", **({"token": "hf_secret", "timeout": 2.0} | options))


def test_the_router_is_asked_for_the_provider_and_the_payer(router):
    sampling = Sampling(max_new_tokens=9, temperature=0.5, top_p=0.8, json_schema=SCHEMA)
    made = model(provider="groq", bill_to="acme").generate([user("hi")], sampling)
    assert made == [Completion("re: hi", "stop", None, 7, 2)]
    [body], [headers] = router.requests, router.headers
    assert isinstance(body.pop("seed"), int)
    assert body.pop("response_format")["json_schema"]["schema"] == {"type": "object"}
    assert body == {
        "model": "org/name:groq",
        "messages": [{"role": "user", "content": "hi"}],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.8,
        "stream": False,
    }
    assert router.paths == ["/v1/chat/completions"]
    assert headers["host"] == "router.huggingface.co"
    assert headers["authorization"] == "Bearer hf_secret"
    assert headers["x-hf-bill-to"] == "acme"


def test_identity_and_automatic_choice(router):
    chosen = model()
    chosen.generate([user("hi")], Sampling())
    assert router.requests[0]["model"] == "org/name"
    assert chosen.id == "providers:org/name:auto"
    assert model(provider="groq").id == "providers:org/name:groq"
    assert "secret" not in repr(chosen)


@pytest.mark.parametrize(
    "fault",
    [Status(429), Status(500), Status(503, body=["a", "list"]), Drop(), Body(), Body("[]", "application/json")],
    ids=repr,
)
def test_a_passing_fault_is_repeated(router, fault):
    router.fail_next(fault, fault)
    assert model().generate([user("hi")], Sampling())[0].text == "re: hi"
    assert router.count == 3


def test_retry_after_and_own_timeout(router):
    router.fail_next(Status(429, headers={"Retry-After": "0.5"}))
    model().generate([user("hi")], Sampling())
    assert 0.5 <= router.times[1] - router.times[0]
    router.fail_next(Hang(2 * DEADLINE))
    assert model(timeout=1.0).generate([user("hi")], Sampling())[0].text == "re: hi"


def test_null_content_and_reasoning(router):
    router.fail_next(NullContent("length"))
    assert model().generate([user("hi")], Sampling())[0] == Completion("", "length", None, 7, 0)
    router.answer = lambda request: chat_body("x", reasoning_content="deep")
    assert model().generate([user("hi")], Sampling())[0] == Completion("x", "stop", "deep", 7, 1)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (Status(401, "Invalid token hf_secret"), r"HTTP 401.*run `hf auth login`, or set HF_TOKEN"),
        (Status(402, "credits"), r"HTTP 402.*bill_to"),
        (Status(403), r"HTTP 403.*permission to call Inference Providers"),
        (Status(404), r"HTTP 404.*No provider serves this model"),
        (Status(422), r"HTTP 422.*try another provider"),
        (
            Status(400, "The requested model 'org/name' is not supported by any provider"),
            "No provider serves this model",
        ),
        (
            Status(400, body={"error": {"message": "?", "code": "model_not_supported"}}),
            "No provider serves this model under this name",
        ),
    ],
    ids=repr,
)
def test_a_permanent_error_ends_at_once_with_its_remedy(router, fault, says):
    router.fault = lambda request: fault
    with pytest.raises(ModelError, match=says) as caught:
        model(concurrency=1).generate([user(str(i)) for i in range(9)], Sampling())
    assert router.count == (2 if fault == Status(422) else 1)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_json_schema_where_the_provider_cannot(router):
    router.fault = lambda request: (
        Status(400, "response_format is not supported") if "response_format" in request else None
    )
    made = model(concurrency=1).generate([user("a"), user("b")], Sampling(json_schema=SCHEMA))
    assert [each.text for each in made] == ["re: a", "re: b"]
    assert router.count == 3


def test_one_conversation_may_be_refused(router):
    router.fault = lambda request: Status(400, "blocked by content policy") if "bad" in str(request) else None
    made = model(concurrency=1).generate([user("a"), user("bad")], Sampling())
    assert [each.finish for each in made] == ["stop", "refused"]
    assert "blocked by content policy" in made[1].detail


def test_without_a_token_it_says_how_to_log_in(monkeypatch):
    with pytest.raises(ModelError, match=r"none was found\. Run `hf auth login`, or set HF_TOKEN"):
        ProvidersModel("org/name")
    with pytest.raises(ModelError, match=r"begins with hf_\. The token found is another one") as caught:
        ProvidersModel("org/name", token="sk-secret")
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", "hf_env")
    assert ProvidersModel("org/name").id == "providers:org/name:auto"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    with pytest.raises(ModelError, match="none was found"):
        ProvidersModel("org/name")


@pytest.mark.parametrize("name", ["", "name", "org/", "https://x/y", "a/b/c"])
def test_a_name_that_is_none(name):
    with pytest.raises(SettingError, match="expected org/name of a model on the Hub"):
        ProvidersModel(name, token="hf_x")
