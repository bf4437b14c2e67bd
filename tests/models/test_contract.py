"""What holds for every model. A new backend is a function with `@backend` that yields it as `Subject`."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diffing.models.base import Model, Price, Sampling
from diffing.models.cache import CachedModel, Store
from diffing.models.meter import Meter, MeteredModel
from diffing.models.openai_compatible import OpenAIModel
from diffing.models.providers import ProvidersModel
from diffing.models.recorded import RecordedModel
from diffing.models.scripted import ScriptedModel
from diffing.types import Completion, Message
from tests.models.questions import user
from tests.servers.openai_server import OpenAIServer
from tests.servers.router import router_at
from tests.waiting import DEADLINE

SAMPLING = Sampling(max_new_tokens=16)


CONVERSATIONS = [
    user("What is the capital of France?"),
    user("Grüße! 你好 🙂 <b>&amp;</b>"),
    (
        Message("system", "Be brief."),
        Message("user", "Hi."),
        Message("assistant", "Hello."),
        Message("user", "And now?"),
    ),
    user("Line one.\nLine two.\ttab"),
    user("What is the capital of France?"),
    user("think about it"),
    *[user(f"Question number {i}") for i in range(10)],
]


def rule(text):
    """What every model that can be told so answers."""
    return f"<think>hm</think>\n\nI thought, {text}" if text.startswith("think") else f"You said: {text}"


@dataclass
class Subject:
    model: Model
    remote: bool
    follows_rule: bool = True
    secrets: list[str] = field(default_factory=list)


Backend = Callable[[Path], Iterator[Subject]]
BACKENDS: dict[str, Backend] = {}


def backend(function: Backend) -> Backend:
    BACKENDS[function.__name__] = contextmanager(function)
    return function


def _scripted():
    return ScriptedModel("rule", lambda conversation, sampling: rule(conversation[-1].content))


def _server():
    return OpenAIServer(lambda request: rule(request["messages"][-1]["content"]))


@backend
def scripted(folder):
    yield Subject(_scripted(), remote=False)


@backend
def cached(folder):
    yield Subject(CachedModel(_scripted(), Store(folder / "completions.sqlite")), remote=False)


@backend
def metered(folder):
    yield Subject(MeteredModel(_scripted(), Meter(10_000, 100.0), Price(1.0, 1.0)), remote=False)


@backend
def recorded(folder):
    rows = [
        {"messages": [{"role": m.role, "content": m.content} for m in each], "response": rule(each[-1].content)}
        for each in CONVERSATIONS
    ]
    path = folder / "responses.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    yield Subject(RecordedModel.open(str(path)), remote=False)


@backend
def openai(folder):
    with _server() as server:
        model = OpenAIModel("rule", server.base_url, api_key="sk-very-secret", timeout=DEADLINE)
        yield Subject(model, remote=True, secrets=["sk-very-secret"])


@backend
def providers(folder):
    with ExitStack() as stack:
        stack.enter_context(router_at(stack.enter_context(_server())))
        model = ProvidersModel("org/rule", provider="groq", token="hf_very_secret", timeout=DEADLINE)
        yield Subject(model, remote=True, secrets=["hf_very_secret"])


@backend
def local(folder):
    pytest.importorskip("transformers", reason="needs the local extra")
    from diffing.models.local import LocalModel, LocalOptions
    from tests.models.local import tiny

    model = LocalModel.load(str(tiny.save(folder / "tiny")), options=LocalOptions(device="cpu"))
    yield Subject(model, remote=False, follows_rule=False)


@backend
def vllm(folder):
    pytest.importorskip("transformers", reason="needs the local extra")
    from diffing.models.vllm import VllmModel
    from tests.models.fake_vllm import fake_vllm
    from tests.models.local import tiny

    with fake_vllm():
        model = VllmModel.load(f"vllm:{tiny.save(folder / 'tiny')}")
        yield Subject(model, remote=False, follows_rule=False)
        model.close()


@backend
def everything(folder):
    """The way a run wraps a remote model."""
    with _server() as server:
        metered = MeteredModel(
            OpenAIModel("rule", server.base_url, timeout=DEADLINE), Meter(10_000, 100.0), Price(1.0, 1.0)
        )
        yield Subject(CachedModel(metered, Store(folder / "completions.sqlite")), remote=True)


@pytest.fixture(params=sorted(BACKENDS))
def subject(request, tmp_path):
    with BACKENDS[request.param](tmp_path) as made:
        yield made


def test_one_completion_per_conversation_in_their_order(subject):
    together = subject.model.generate(CONVERSATIONS, SAMPLING)
    alone = [subject.model.generate([each], SAMPLING)[0] for each in CONVERSATIONS]
    assert together == alone
    assert all(isinstance(each, Completion) and each.finish in ("stop", "length") for each in together)
    if subject.follows_rule:
        plain = [each for each in CONVERSATIONS if not each[-1].content.startswith("think")]
        made = subject.model.generate(plain, SAMPLING)
        assert [each.text for each in made] == [rule(each[-1].content) for each in plain]


def test_no_conversations_no_completions(subject):
    assert subject.model.generate([], SAMPLING) == []


def test_each_completion_is_told_once_on_the_calling_thread(subject):
    told, threads = {}, set()

    def on_completion(index, completion):
        assert index not in told
        told[index] = completion
        threads.add(threading.get_ident())

    result = subject.model.generate(CONVERSATIONS, SAMPLING, on_completion=on_completion)
    assert told == dict(enumerate(result))
    assert threads == {threading.get_ident()}


def test_the_same_call_gives_the_same(subject):
    first = subject.model.generate(CONVERSATIONS, SAMPLING)
    again = subject.model.generate(list(reversed(CONVERSATIONS)), SAMPLING)
    assert first == list(reversed(again))


def test_equal_conversations_are_answered_alike(subject):
    made = subject.model.generate(CONVERSATIONS, SAMPLING)
    assert CONVERSATIONS[0] == CONVERSATIONS[4]
    assert made[0] == made[4]


def test_thinking_is_split_off(subject):
    if not subject.follows_rule:
        pytest.skip("says what it says")
    [made] = subject.model.generate([user("think about it")], SAMPLING)
    assert (made.text, made.thinking) == ("I thought, think about it", "hm")


def test_identity_is_stable_and_holds_no_secret(subject):
    before = subject.model.id
    subject.model.generate(CONVERSATIONS[:2], SAMPLING)
    assert isinstance(before, str)
    assert before
    assert subject.model.id == before
    assert subject.model.remote is subject.remote
    for secret in subject.secrets:
        assert secret not in before + repr(subject.model)
