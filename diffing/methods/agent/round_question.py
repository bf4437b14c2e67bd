"""The question of one round: the notebook and the last answers go out, the notebook and the next prompts come back."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from diffing.methods.agent.notebook import STATUSES, ModelLetters, NotebookEntry, read_notes
from diffing.methods.agent.probes import Probe, ProbeRequest
from diffing.methods.statements import CATEGORIES, field
from diffing.structured_replies import ReplyError, entries, entry
from diffing.templates import Fenced, fence, render
from diffing.types import Side, other_side

ANSWERS_LENGTH = 24_000
"""The most characters of answers in one question: with the notebook and the template about 9,000 tokens."""
LONGEST_ANSWER, SHORTEST_ANSWER = 1_500, 200
"""The most characters of each answer that are shown, and the fewest however many answers there are: of a longer answer
the beginning and the end, where habits of form show."""
EARLIER_LENGTH = 6_000
"""The most characters of the list of earlier prompts; the latest ones are shown."""
LONGEST_PROMPT = 4_000
"""A longer prompt is a degenerate reply and is not asked."""
LONGEST_REMARK = 300
"""How many characters of the LLM's remarks are kept."""
_BEGINNING = 80
_TEXT = {"type": "string"}
_NUMBERS = {"type": "array", "items": {"type": "integer"}}


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_NOTE = _object(
    {
        "model": {"type": "string", "enum": ["X", "Y"]},
        "behaviour": _TEXT,
        "condition": _TEXT,
        "category": {"type": "string", "enum": list(CATEGORIES)},
        "for": _NUMBERS,
        "against": _NUMBERS,
        "neither": _NUMBERS,
        "status": {"type": "string", "enum": list(STATUSES)},
    }
)
SCHEMA = _object(
    {
        "seen": _TEXT,
        "notebook": {"type": "array", "items": _NOTE},
        "prompts": {"type": "array", "items": _object({"text": _TEXT, "aim": _TEXT, "why": _TEXT})},
    }
)


@dataclass(frozen=True, slots=True)
class RoundReply:
    """What the LLM returns in one round."""

    seen: str
    """What it says the answers showed."""
    notes: tuple[NotebookEntry, ...]
    """Its notebook."""
    requests: tuple[ProbeRequest, ...]
    """The prompts that it wants to have answered."""
    unreadable: int
    """The number of hypotheses and prompts in the reply that could not be read."""


def letters_of(seed: int) -> ModelLetters:
    """What the models are called, drawn by hash of the seed."""
    return ModelLetters("a" if hashlib.sha256(f"agent\0{seed}".encode()).digest()[0] % 2 == 0 else "b")


def question(
    notes: Sequence[NotebookEntry],
    probes: Sequence[Probe],
    latest: Sequence[Probe],
    letters: ModelLetters,
    *,
    left: int,
    count: int,
) -> str:
    """The question of one round.

    Args:
        notes: The notebook.
        probes: All prompts so far.
        latest: Those of the last round, whose answers are shown.
        letters: What the models are called.
        left: How many rounds are left, including this one.
        count: The largest number of prompts to write.
    """
    samples = len(latest[0].pairs) if latest else 1
    longest = _longest(2 * samples * len(latest))
    return render(
        "investigate",
        left=left,
        count=count,
        notebook=fence("\n".join(note.line(i, letters) for i, note in enumerate(notes, start=1))),
        earlier=fence(_earlier(probes[: len(probes) - len(latest)])),
        prompts=[fence(probe.request.text) for probe in latest],
        first=latest[0].number if latest else 0,
        samples=samples,
        answers_x=_answers(latest, letters.x, longest),
        answers_y=_answers(latest, other_side(letters.x), longest),
    )


def _longest(answers: int) -> int:
    return min(LONGEST_ANSWER, max(SHORTEST_ANSWER, ANSWERS_LENGTH // max(1, answers)))


def _answers(latest: Sequence[Probe], side: Side, longest: int) -> list[Fenced]:
    texts = [pair.response(side).text for probe in latest for pair in probe.pairs]
    return [fence(_shortened(text, longest)) for text in texts]


def _shortened(text: str, longest: int) -> str:
    """A text without its middle, if it is too long."""
    end = longest // 3
    return text if len(text) <= longest else f"{text[: longest - end]} (...) {text[-end:]}"


def _earlier(probes: Sequence[Probe]) -> str:
    """The earlier prompts, one line each; the first ones are left out if there are too many."""
    lines: list[str] = []
    length = 0
    for probe in reversed(probes):
        aim = "broad" if probe.request.aim is None else str(probe.request.aim)
        line = f"{probe.number} | {aim} | {field(probe.request.text, _BEGINNING)}"
        length += len(line)
        if length > EARLIER_LENGTH:
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def read_reply(value: object, letters: ModelLetters, asked: int) -> RoundReply:
    """Reads the reply of one round.

    Args:
        value: Its JSON value.
        letters: What the models are called.
        asked: How many prompts were asked so far.

    Raises:
        ReplyError: It has no notebook or no list of prompts.
    """
    written = entries(entry(value, "prompts"), "prompts")
    notes, unreadable = read_notes(entries(entry(value, "notebook"), "notebook"), letters, asked)
    requests = [request for item in written if (request := _request(item, len(notes)))]
    seen = field(_text(entry(value, "seen")), LONGEST_REMARK)
    return RoundReply(seen, notes, tuple(requests), unreadable + len(written) - len(requests))


def _request(item: object, notes: int) -> ProbeRequest | None:
    """Reads one prompt; None if it has no text, or one that is too long."""
    try:
        text = _text(entry(item, "text")).strip()
        aim, why = _text(entry(item, "aim")).strip(), _text(entry(item, "why"))
    except ReplyError:
        return None
    if not text or len(text) > LONGEST_PROMPT:
        return None
    tested = aim in {str(i) for i in range(1, notes + 1)}
    return ProbeRequest(text, int(aim) if tested else None, field(why, LONGEST_REMARK))


def _text(value: object) -> str:
    """A field of a reply as text.

    Raises:
        ReplyError: The value is neither a text nor a number.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ReplyError("a field that is no text")
    return value
