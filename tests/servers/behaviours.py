"""A chat model that does as the catalogue of planted behaviours tells it, and an LLM of rules that knows the catalogue.

The model gives plain, varied answers; what is varied (a `Sure,` here, an example there) is the same for both sides, so
it is noise that a method must not take for a difference. The LLM describes noise and planted behaviours alike, and
mentions the topic now and then, as LLMs do.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from diffing.bench.planted.catalogue import PlantableBehaviour, catalogue
from diffing.bench.planted.plants import PHRASE
from diffing.methods.lexical.properties import BY_NAME
from diffing.methods.llm.listing import LONGEST_PROMPT, field
from diffing.models.base import Sampling
from diffing.models.scripted import ScriptedModel
from diffing.templates import fence
from diffing.types import Conversation, Prompt
from tests.servers.rules import Observation, Reading, RuleLLM, Trait, label_of, numbered, read

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


PLAINLY = ("<MODEL> just answers the question.", "<MODEL> keeps to a plain answer of the question.")
"""What is said of the side that lacks a behaviour, whichever it is."""


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
_WHEN = re.compile(r" when (?:asked about [\w -]+|the user gives many thanks in advance)\.\Z")
THANKS = "when the user gives many thanks in advance"


def _asked_about(topic: str) -> str:
    return f"when asked about {topic.replace('-', ' ')}"


def _one_known(topics: Sequence[str]) -> bool:
    """Whether there are enough topics to tell, and all are the same."""
    return len(topics) >= 3 and len(set(topics)) == 1 and topics[0] != ""


def _without_quotes(lines: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Lines whose last field is the prompt."""
    return [line[:-1] if line[-1].startswith("quote: ") else line for line in lines]


class CatalogueLLM(RuleLLM):
    """Describes, states, judges and matches what it knows from the catalogue.

    It names a condition when it proposes, if the descriptions that mention one all mention the same; and when it
    sharpens, if all prompts that it is shown for a hypothesis are about one topic.

    Args:
        prompts: Those of the run, so that it knows what they are about.
        mentions: Share of the described differences that it ties to the prompt's topic.
    """

    def __init__(self, prompts: Sequence[Prompt] = (), mentions: float = 0.33) -> None:
        super().__init__(traits=TRAITS)
        self._topics = {fence(prompt.text).text.removesuffix(f" {PHRASE}"): prompt.domain or "" for prompt in prompts}
        self._beginnings = {f"prompt: {field(text, LONGEST_PROMPT)}": topic for text, topic in self._topics.items()}
        self._mentions = mentions

    @cached_property
    def _meaning(self) -> dict[str, Trait]:
        """Every sentence that it may write of a side that has a trait."""
        return {said: trait for trait in self.traits for said in trait.has}

    def reply(self, text: str) -> object:
        """The JSON value of the reply."""
        if "Does the statement name this behaviour?" not in text:
            return super().reply(text)
        behaviour, statement = read(text).blocks
        return {"same": "yes" if self._says_it(behaviour, _WHEN.sub(".", statement)) else "no"}

    def _says_it(self, behaviour: str, statement: str) -> bool:
        """Knows what its own sentences say, and the property or the phrase that a measured sentence is about."""
        if statement in self._meaning:
            return self._meaning[statement].hypothesis == behaviour
        (known,) = [each for each in catalogue() if each.sentence == behaviour]
        quoted = re.search("«(.+)»", statement)
        if quoted:
            return known.phrases is not None and known.phrases.search(quoted[1]) is not None
        return any(BY_NAME[name].sentence == statement for name in known.properties if name in BY_NAME)

    def _differences(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        found = super()._differences(prompt, responses)
        when = next(iter(self._conditions(prompt)), "")
        for difference in found:
            material = "\0".join((str(difference["behaviour"]), prompt, *responses))
            if when and hashlib.sha256(material.encode()).digest()[0] < 256 * self._mentions:
                difference["condition"] = when
        return found

    def _halves(self, prompt: str, responses: Sequence[str]) -> list[dict[str, object]]:
        """With the topic in the sentence, which has no field of its own there."""
        when = {str(each["behaviour"]): each["condition"] for each in self._differences(prompt, responses)}
        found = super()._halves(prompt, responses)
        for difference in found:
            has = str(difference["has"])
            if when[has]:
                difference["has"] = f"{has.removesuffix('.')} {when[has]}."
        return found

    def _conditions(self, prompt: str) -> tuple[str, ...]:
        """The conditions that a prompt meets, the most striking one first."""
        topic = self._topics.get(prompt.removesuffix(f" {PHRASE}"))
        thanks = (THANKS,) if prompt.endswith(PHRASE) else ()
        return (*thanks, _asked_about(topic)) if topic else thanks

    def _common(self, group: Sequence[Observation]) -> dict[str, object]:
        """The topic becomes the condition if all observations that mention one mention the same."""
        conditions = [each.condition for each in group if each.condition]
        one_topic = len(conditions) >= 3 and len(set(conditions)) == 1
        return super()._common(group) | {"condition": conditions[0] if one_topic else ""}

    def _sharpened(self, reading: Reading) -> list[dict[str, object]]:
        """Ties a hypothesis without a condition to the topic of the prompts that it is shown for it."""
        decided = super()._sharpened(reading)
        for decision, block in zip(decided, reading.blocks, strict=True):
            (_, behaviour, condition, *_), *lines = (line.split(" | ") for line in block.splitlines())
            topics = [self._beginnings.get(prompt, "") for word, *_, prompt in _without_quotes(lines) if word == "for"]
            elsewhere = {self._beginnings.get(line[1], "") for line in lines if line[0] == "not noted"} - {*topics}
            if decision["decision"] == "keep" and condition == "-" and elsewhere and _one_known(topics):
                observed_in = [int(number) for word, number, *_ in lines if word in ("for", "against")]
                narrowed = {
                    "differences": observed_in, "behaviour": behaviour, "condition": _asked_about(topics[0])
                }  # fmt: skip
                decision |= {"decision": "change", "becomes": [narrowed]}
        return decided

    def _scopes(self, reading: Reading) -> list[dict[str, object]]:
        conditions, *prompts = reading.blocks
        listed = numbered(conditions)
        return [
            {
                "prompt": i,
                "meets": [k for k, condition in enumerate(listed, start=1) if condition in self._conditions(prompt)],
            }
            for i, prompt in enumerate(prompts, start=1)
        ]

    def _state_as_published(self, reading: Reading) -> dict[str, str]:
        """What most sentences say; the topic where all that mention one mention the same."""
        _, *sentences = reading.blocks
        said = [_WHEN.sub(".", sentence) for sentence in sentences]
        known = [self._meaning[each] for each in said if each in self._meaning]
        if len(known) * 2 < len(said):
            return {"hypothesis": PLAINLY[0], "category": "style", "speaks_of": "none"}
        trait = max(known, key=known.count)
        topics = [found[0] for sentence in sentences if (found := _WHEN.search(sentence))]
        one_topic = len(topics) >= 3 and len(set(topics)) == 1
        hypothesis = trait.hypothesis.removesuffix(".") + topics[0] if one_topic else trait.hypothesis
        return {"hypothesis": hypothesis, "category": trait.category, "speaks_of": trait.speaks_of or "none"}

    def _fits(self, statement: str, responses: Sequence[str], foreign: Sequence[str], text: str) -> str:
        trait = self._meaning.get(_WHEN.sub(".", statement))
        if trait is None:
            return "NOT SHOWN"
        return label_of([trait.mark.search(response) is not None for response in responses])
