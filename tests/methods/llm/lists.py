"""Differences and replies for the tests of the steps after describing."""

import json

from diffing.methods.llm.difference import Difference
from diffing.methods.llm.listing import DifferenceListing
from diffing.models.scripted import ScriptedModel
from diffing.types import Message, Pair, Prompt, Response


def difference(i, owner="a", behaviour="<MODEL> does p.", condition=""):
    """One difference on prompt i."""
    return Difference(f"p{i}", owner, behaviour, condition, "style", f"a{i}", None if i == 0 else f"b{i}")


def listing(*differences, pairs=None, prompts=None):
    """A list whose side A is X."""
    texts = prompts or [f"prompt {i}" for i in range(pairs or len(differences))]
    made = [
        Pair(
            Prompt(f"p{i}", (Message("user", text),), "test", "train"),
            Response(f"p{i}", "a", "", "stop"),
            Response(f"p{i}", "b", "", "stop"),
        )
        for i, text in enumerate(texts)
    ]
    seed = next(seed for seed in range(100) if DifferenceListing.of((), (), seed).x == "a")
    return DifferenceListing.of(made, differences, seed)


def scripted(reply, shown=None):
    """A model that replies with a JSON value, or with what a function makes of the question."""

    def answer(conversation, sampling):
        text = conversation[-1].content
        if shown is not None:
            shown.append(text)
        made = reply(text) if callable(reply) else reply
        return made if isinstance(made, str) else json.dumps(made)

    return ScriptedModel("differ", answer)
