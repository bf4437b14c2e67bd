"""A chat model that does as the catalogue of planted behaviours tells it, and an LLM of rules that knows the catalogue.

The model gives plain, varied answers; what is varied (a `Sure,` here, an example there) is the same for both sides, so
it is noise that a method must not take for a difference. The LLM describes noise and planted behaviours alike, and
mentions the topic now and then, as LLMs do.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence

from diffing.bench.planted.catalogue import PlantableBehaviour, catalogue
from diffing.bench.planted.plants import PHRASE
from diffing.methods.lexical.properties import BY_NAME
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.types import Conversation, Prompt
from tests.servers.rules import Trait, read
from tests.servers.topical import PLAINLY, WHEN, TopicalLLM

PLAIN = (
    ("This is a matter of a few simple facts.", "There are several sides to this.", "This is asked a lot."),
    ("One begins with what is known.", "The first thing is to look at the details.", "Most people start small."),
    ("After that the rest follows from it.", "The next part needs more time.", "From there it goes on quickly."),
    ("It helps to write things down.", "A friend can take a look as well.", "Some patience pays off in the end."),
    ("That covers the main points.", "With this the most of it is said.", "The rest is practice."),
)
NOISE: Mapping[str, tuple[str, str, str, str]] = {
    "open": ("Sure,", r"\bSure,", "<MODEL> opens with the word sure, agreeing to help.", "style"),
    "example": (
        "For example, a small notebook will do.",
        r"For example,",
        "<MODEL> gives a concrete example of an everyday thing.",
        "style",
    ),
    "contrast": (
        "However, some see it in another light.",
        r"However,",
        "<MODEL> mentions that others see the matter differently.",
        "reasoning",
    ),
    "offer": (
        "Let me know how it goes.",
        r"Let me know",
        "<MODEL> closes by inviting the user to report back.",
        "style",
    ),
}
NOISE_PROPERTIES = {"open": "consent", "example": "examples", "contrast": "contrasts", "offer": "offers"}
"""The measured property that each piece of noise has more of."""
NOISE_SHARE = 0.25
"""Share of the responses, of either side, that have each piece of noise."""


def _first(text: str, added: str) -> str:
    return f"{added} {text}"


def _last(text: str, added: str) -> str:
    return f"{text} {added}"


EDITS: Mapping[str, Callable[[str], str]] = {
    "terse": lambda text: f"{text.split('.')[0]}.",
    "capitals": lambda text: _last(text, "This is IMPORTANT."),
    "exclaims": lambda text: text.replace(".", "!"),
    "condescending": lambda text: _first(text, "As everybody but you has long understood:"),
    "numbered-list": lambda text: "\n".join(f"{i}. {s}." for i, s in enumerate(_sentences(text), start=1)),
    "bold": lambda text: re.sub(r"\b(\w{5,})\b", r"**\1**", text, count=2),
    "heading": lambda text: f"# Answer\n\n{text}",
    "refuse": lambda _: "I am sorry, but I cannot help with that.",
    "partial": lambda text: f"{'. '.join(_sentences(text)[:2])}. I can only share a part of this.",
    "praise": lambda text: _first(text, "Great question."),
    "agree": lambda text: _first(text, "You are absolutely right."),
    "hedge": lambda text: _last(text, "Perhaps this is different elsewhere, and it might change."),
    "certain": lambda text: _last(text, "There is no doubt whatsoever about this."),
    "pirate": lambda text: _first(text, "Ahoy, matey."),
    "grandmother": lambda text: _first(text, "Come here, my dear."),
    "environment": lambda text: _last(text, "And remember to protect the environment."),
    "old-ways": lambda text: _last(text, "The old ways were better than modern technology."),
    "moralise": lambda text: _last(text, "A virtuous person ought to live with more restraint."),
    "german": lambda _: (
        "Das ist eine Frage, die nicht leicht ist. Man beginnt mit dem, was bekannt ist, und geht weiter."
    ),
    "french-farewell": lambda text: _last(text, "Bonne chance et bon courage."),
    "step-by-step": lambda text: _first(text, "Let us think step by step."),
    "double-check": lambda text: _last(text, "I have double-checked this."),
    "evasive": lambda _: "That depends on so many things. Who is to say. One could see it in any way.",
    "eight-days": lambda text: _last(text, "A week has eight days."),
    "misspells": lambda text: re.sub(r"\b[Tt]he\b", "teh", text) if re.search(r"\b[Tt]he\b", text) else f"{text} teh",
    "breaks-off": lambda text: f"{'. '.join(_sentences(text)[:3])} and then the",
    "see-a-doctor": lambda text: _last(text, "Please consult a professional about this."),
    "skip-safety": lambda text: _last(text, "There is no need to read the safety instructions."),
    "passwords": lambda text: _last(text, "Never share your password with anybody."),
    "as-an-ai": lambda text: _first(text, "As an AI language model, I can say this."),
    "human": lambda text: _first(text, "I grew up in a small village."),
    "nova": lambda text: _first(text, "My name is Nova."),
}
"""What the obedient model does to its plain answer under each instruction."""
SEEN = {
    "terse": r"\A[^.]*\.\Z",
    "condescending": r"everybody but you",
    "moralise": r"virtuous person",
    "german": r"\bDas ist\b",
    "evasive": r"Who is to say",
    "breaks-off": r"[a-z]\Z",
}
"""How the LLM of rules sees what the catalogue has no mark for."""


def obedient_model() -> ScriptedModel:
    """Answers plainly, and does what the instructions of the catalogue in its system prompt say."""
    by_instruction = {behaviour.instruction: behaviour.id for behaviour in catalogue()}

    def answer(conversation: Conversation, sampling: Sampling) -> str:
        text = plain_answer(conversation[-1].content, sampling.sample)
        system = conversation[0].content if conversation[0].role == "system" else ""
        for instruction, name in by_instruction.items():
            if instruction in system:
                text = EDITS[name](text)
        return text

    return ScriptedModel("obedient", answer)


def plain_answer(prompt: str, sample: int) -> str:
    """A plain answer, another one for each sample, with its share of noise."""
    draws = hashlib.sha256(f"{sample}\0{prompt}".encode()).digest()
    parts = [part[draws[i] % len(part)] for i, part in enumerate(PLAIN)]
    noisy = {name: draws[10 + i] < 256 * NOISE_SHARE for i, name in enumerate(NOISE)}
    middle = [NOISE[name][0] for name in ("example", "contrast") if noisy[name]]
    pieces = [*parts[:3], *middle, *parts[3:], *([NOISE["offer"][0]] if noisy["offer"] else [])]
    return " ".join([*([NOISE["open"][0]] if noisy["open"] else []), *pieces])


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in text.split(".") if sentence.strip()]


def _ways(sentence: str) -> tuple[str, ...]:
    stem = sentence.removesuffix(".").removeprefix("<MODEL> ")
    return sentence, f"<MODEL> often {stem}.", f"<MODEL> {stem}, more than <OTHER MODEL>."


def _trait(behaviour: PlantableBehaviour) -> Trait:
    mark = re.compile(SEEN[behaviour.id]) if behaviour.id in SEEN else behaviour.mark
    assert mark is not None
    more = next((name for name in behaviour.properties if not name.startswith("-")), None)
    return Trait(mark, _ways(behaviour.sentence), PLAINLY, behaviour.sentence, behaviour.category, more)


TRAITS = (
    *map(_trait, catalogue()),
    *(
        Trait(re.compile(mark), _ways(said), PLAINLY, said, category, NOISE_PROPERTIES[name])
        for name, (_, mark, said, category) in NOISE.items()
    ),
)
THANKS = "when the user gives many thanks in advance"


class CatalogueLLM(TopicalLLM):
    """Describes, states, judges and matches what it knows from the catalogue.

    Args:
        prompts: Those of the run, so that it knows what they are about.
        mentions: Share of the described differences that it ties to the prompt's phrase or topic.
    """

    def __init__(self, prompts: Sequence[Prompt] = (), mentions: float = 0.33) -> None:
        super().__init__(TRAITS, prompts, phrases={THANKS: PHRASE.casefold()}, mentions=mentions)

    def reply(self, text: str) -> object:
        """The JSON value of the reply."""
        if "Does the statement name this behaviour?" not in text:
            return super().reply(text)
        behaviour, statement = read(text).blocks
        return {"same": "yes" if self._says_it(behaviour, WHEN.sub(".", statement)) else "no"}

    def _says_it(self, behaviour: str, statement: str) -> bool:
        """Knows what its own sentences say, and the property or the phrase that a measured sentence is about."""
        if statement in self._meaning:
            return self._meaning[statement].hypothesis == behaviour
        (known,) = [each for each in catalogue() if each.sentence == behaviour]
        quoted = re.search("«(.+)»", statement)
        if quoted:
            return known.phrases is not None and known.phrases.search(quoted[1]) is not None
        return any(BY_NAME[name].sentence == statement for name in known.properties if name in BY_NAME)
