"""Estimates the calls and tokens of the LLM method's stages from the sizes of its prompts."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from diffing.costs import CHARACTERS_PER_TOKEN, ResponseLengths, StageEstimate, expected, tokens
from diffing.methods.llm.describe import PAIRS_PER_QUESTION
from diffing.methods.llm.listing import LONGEST_PROMPT
from diffing.methods.llm.propose import listed_properties
from diffing.methods.llm.settings import LlmSettings
from diffing.methods.llm.sharpen import PER_QUESTION, SHOWN
from diffing.methods.llm.stages import DESCRIBE, JOIN, PROPOSE, SHARPEN, STATE
from diffing.methods.plan import property_sentences
from diffing.methods.statements import field
from diffing.packing import MOST_MATERIAL, packed, size_of
from diffing.run_settings import RunSettings
from diffing.templates import Value, fence, render
from diffing.types import Prompt

DIFFERENCES_PER_PAIR = 2.0
"""Differences assumed per train pair: a strong reader gave 1.4 on a real pair, servers of rules give up to 3."""
DIFFERENCE = 75
"""Tokens that describing one difference takes, with its quotes and the names of its fields."""
TWO_SIDED_DIFFERENCE = 100
"""The same with sentences about both sides."""
STATEMENT = 25
"""Tokens of what a line of a list says besides the prompt: its number, the behaviour and the condition."""
HYPOTHESIS = 70
"""Tokens that proposing one hypothesis takes, without the numbers of the differences that carry it."""
NUMBER = 2
"""Tokens of the number of a difference in a reply."""
CLUSTERS_PER_HYPOTHESIS = 1.5
"""Clusters stated per hypothesis kept, as published: some repeat another or are unreadable."""
CLUSTERS_PER_DIFFERENCE = 0.12
"""Clusters stated per difference: three pairs make one, and many differences are in none."""
MEMBERS = 12
"""Lines assumed per cluster."""


@dataclass(frozen=True, slots=True)
class _Work:
    """The calls and tokens of one stage."""

    calls: int
    read: float
    written: float


def expected_stages(
    config: RunSettings, train: Sequence[Prompt], lengths: ResponseLengths, hypotheses: int
) -> list[StageEstimate]:
    """The stages of a run.

    Args:
        config: The settings of the run.
        train: The train prompts.
        lengths: The lengths of the responses to them.
        hypotheses: How many hypotheses are assumed.
    """
    clustering = config.of(LlmSettings).clustering
    differences, line = round(DIFFERENCES_PER_PAIR * len(train)), _line(train)
    if clustering == "paper":
        clusters = round(CLUSTERS_PER_HYPOTHESIS * hypotheses)
        stages = {DESCRIBE: _describing_as_published(train, lengths), STATE: _stating_as_published(clusters)}
    else:
        proposing = {PROPOSE: _proposing(differences, line, hypotheses)}
        stages = {
            DESCRIBE: _describing(train, lengths),
            **(
                proposing
                if clustering == "propose"
                else {STATE: _stating(round(CLUSTERS_PER_DIFFERENCE * differences), line)}
            ),
            JOIN: _Work(
                1, _size("join", count=0, hypotheses=fence("")) + hypotheses * STATEMENT, hypotheses * NUMBER * 2
            ),
            SHARPEN: _sharpening(hypotheses, line),
        }
    return [
        expected(config, stage, config.llm or "", work.calls, round(work.read), round(work.written))
        for stage, work in stages.items()
    ]


def _line(train: Sequence[Prompt]) -> int:
    """Tokens of the line that a list has per difference, with the beginning of its prompt."""
    beginnings = [tokens(field(prompt.text, LONGEST_PROMPT)) for prompt in train]
    return STATEMENT + round(sum(beginnings) / max(1, len(beginnings)))


def _size(template: str, **variables: Value) -> int:
    return tokens(render(template, **variables))


def _describing(train: Sequence[Prompt], lengths: ResponseLengths) -> _Work:
    """Pairs are packed as in the run."""
    empty = _size("describe", prompts=[], responses_1=[], responses_2=[])
    frame = _size("describe", prompts=[fence("")], responses_1=[fence("")], responses_2=[fence("")]) - empty
    packs = packed(
        train,
        lambda prompt: (
            sum(size_of(message.content) for message in prompt.messages)
            + lengths.of_pair(prompt) * CHARACTERS_PER_TOKEN
        ),
        most_items=PAIRS_PER_QUESTION,
    )
    read = len(packs) * empty + len(train) * (frame + lengths.pair_tokens(train))
    return _Work(len(packs), read, len(train) * DIFFERENCES_PER_PAIR * DIFFERENCE)


def _describing_as_published(train: Sequence[Prompt], lengths: ResponseLengths) -> _Work:
    empty = _size("describe_as_published", prompt=fence(""), response_1=fence(""), response_2=fence(""))
    written = len(train) * DIFFERENCES_PER_PAIR * TWO_SIDED_DIFFERENCE
    return _Work(len(train), len(train) * (empty + lengths.pair_tokens(train)), written)


def _proposing(differences: int, line: int, hypotheses: int) -> _Work:
    """If there are several lists, what no hypothesis of theirs takes up, about a third, is asked about once more."""
    lists = ceil(differences * line * CHARACTERS_PER_TOKEN / MOST_MATERIAL)
    if lists > 1:
        lists, differences = lists + ceil(lists / 3), differences + differences // 3
    empty = _size("propose", properties=listed_properties(property_sentences()), count=0, differences=fence(""))
    return _Work(lists, lists * empty + differences * line, hypotheses * HYPOTHESIS + differences * NUMBER)


def _stating(clusters: int, line: int) -> _Work:
    counts: dict[str, Value] = dict.fromkeys(("observations", "pairs", "pairs_x", "pairs_y", "shown"), 0)
    properties = listed_properties(property_sentences())
    empty = _size("state", properties=properties, differences=fence(""), **counts)
    return _Work(clusters, clusters * (empty + MEMBERS * line), clusters * (HYPOTHESIS + MEMBERS * NUMBER))


def _stating_as_published(clusters: int) -> _Work:
    empty = _size("state_as_published", properties=listed_properties(property_sentences()), sentences=[])
    return _Work(clusters, clusters * (empty + MEMBERS * STATEMENT), clusters * HYPOTHESIS)


def _sharpening(hypotheses: int, line: int) -> _Work:
    calls = ceil(hypotheses / PER_QUESTION)
    shown = STATEMENT + 2 * SHOWN * line
    return _Work(calls, calls * _size("sharpen", hypotheses=[]) + hypotheses * shown, hypotheses * HYPOTHESIS // 2)
