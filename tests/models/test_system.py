"""A system prompt of a side's own."""

from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.models.system_prompt import WithSystemPrompt
from diffing.types import Message

USER = Message("user", "Hi")


def test_the_system_message_comes_first() -> None:
    inner = ScriptedModel("echo", lambda conversation, sampling: " / ".join(turn.content for turn in conversation))
    model = WithSystemPrompt(inner, "Be brief.")
    assert (model.id, model.remote) == (inner.id, inner.remote)
    answers = model.generate(
        [(USER,), (Message("system", "Be kind."), USER)], Sampling(), on_completion=lambda i, c: None
    )
    assert [answer.text for answer in answers] == ["Be brief. / Hi", "Be brief.\n\nBe kind. / Hi"]
    assert next(conversation for conversation, _ in inner.requests) == (Message("system", "Be brief."), USER)
