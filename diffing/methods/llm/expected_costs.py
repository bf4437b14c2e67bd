"""Expected calls and tokens of the stages of method llm, from the sizes of its templates."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from diffing.costs import CHARACTERS_PER_TOKEN, StageEstimate, expected, pair_tokens, response_tokens, tokens
from diffing.methods.base import measured_properties
from diffing.methods.llm.describe import PAIRS_PER_QUESTION
from diffing.methods.llm.packing import MOST_MATERIAL, packed, size_of
from diffing.methods.llm.propose import listed_properties
from diffing.methods.llm.sharpen import PER_QUESTION, SHOWN
from diffing.methods.llm.stages import DESCRIBE, JOIN, PROPOSE, SHARPEN, STATE
from diffing.run_settings import RunSettings
from diffing.templates import Value, fence, render
from diffing.types import Prompt

DIFFERENCES_PER_PAIR = 1.5
"""Differences assumed per train pair; with strong readers, 85 on 60 pairs of one run."""
DIFFERENCE = 75
"""Tokens that describing one difference takes, with its quotes and the names of its fields."""
TWO_SIDED_DIFFERENCE = 100
"""The same with sentences about both sides."""
LINE = 45
"""Tokens of the line that a list has per difference."""
HYPOTHESIS = 70
"""Tokens that proposing one hypothesis takes, without the numbers of the differences that carry it."""
NUMBER = 2
"""Tokens of the number of a difference in a reply."""
CLUSTERS_PER_HYPOTHESIS = 1.5
"""Clusters stated per hypothesis kept: some have nothing in common, repeat another or are unreadable."""
MEMBERS = 12
"""Lines assumed per cluster."""


@dataclass(frozen=True, slots=True)
class _Work:
    """The calls and tokens of one stage."""

    calls: int
    read: float
    written: float


def expected_stages(
    config: RunSettings, train: Sequence[Prompt], hypotheses: int, clustering: str
) -> list[StageEstimate]:
    """The stages of a run.

    Args:
        config: The settings of the run.
        train: The train prompts.
        hypotheses: How many hypotheses are assumed.
        clustering: How differences become hypotheses.
    """
    differences = round(DIFFERENCES_PER_PAIR * len(train))
    clusters = round(CLUSTERS_PER_HYPOTHESIS * hypotheses)
    if clustering == "paper":
        stages = {DESCRIBE: _describing_as_published(config, train), STATE: _stating_as_published(clusters)}
    else:
        proposing = {PROPOSE: _proposing(differences, hypotheses)}
        stages = {
            DESCRIBE: _describing(config, train),
            **(proposing if clustering == "propose" else {STATE: _stating(clusters)}),
            JOIN: _Work(1, _size("join", count=0, hypotheses=fence("")) + hypotheses * LINE, hypotheses * NUMBER * 2),
            SHARPEN: _sharpening(hypotheses),
        }
    return [
        expected(config, stage, config.llm or "", work.calls, round(work.read), round(work.written))
        for stage, work in stages.items()
    ]


def _size(template: str, **variables: Value) -> int:
    return tokens(render(template, **variables))


def _describing(config: RunSettings, train: Sequence[Prompt]) -> _Work:
    """Pairs are packed as in the run, with responses of the assumed length."""
    empty = _size("describe", prompts=[], responses_1=[], responses_2=[])
    frame = _size("describe", prompts=[fence("")], responses_1=[fence("")], responses_2=[fence("")]) - empty
    responses = 2 * response_tokens(config) * CHARACTERS_PER_TOKEN
    packs = packed(
        train,
        lambda prompt: sum(size_of(message.content) for message in prompt.messages) + responses,
        most=MOST_MATERIAL,
        most_items=PAIRS_PER_QUESTION,
    )
    read = len(packs) * empty + len(train) * (frame + pair_tokens(config, train))
    return _Work(len(packs), read, len(train) * DIFFERENCES_PER_PAIR * DIFFERENCE)


def _describing_as_published(config: RunSettings, train: Sequence[Prompt]) -> _Work:
    empty = _size("describe_as_published", prompt=fence(""), response_1=fence(""), response_2=fence(""))
    written = len(train) * DIFFERENCES_PER_PAIR * TWO_SIDED_DIFFERENCE
    return _Work(len(train), len(train) * (empty + pair_tokens(config, train)), written)


def _proposing(differences: int, hypotheses: int) -> _Work:
    lists = ceil(differences * LINE * CHARACTERS_PER_TOKEN / MOST_MATERIAL)
    empty = _size("propose", properties=listed_properties(measured_properties()), count=0, differences=fence(""))
    return _Work(lists, lists * empty + differences * LINE, hypotheses * HYPOTHESIS + differences * NUMBER)


def _stating(clusters: int) -> _Work:
    counts: dict[str, Value] = dict.fromkeys(("observations", "pairs", "pairs_x", "pairs_y", "shown"), 0)
    properties = listed_properties(measured_properties())
    empty = _size("state", properties=properties, differences=fence(""), **counts)
    return _Work(clusters, clusters * (empty + MEMBERS * LINE), clusters * (HYPOTHESIS + MEMBERS * NUMBER))


def _stating_as_published(clusters: int) -> _Work:
    empty = _size("state_as_published", properties=listed_properties(measured_properties()), sentences=[])
    return _Work(clusters, clusters * (empty + MEMBERS * LINE), clusters * HYPOTHESIS)


def _sharpening(hypotheses: int) -> _Work:
    calls = ceil(hypotheses / PER_QUESTION)
    shown = LINE + 2 * SHOWN * LINE
    return _Work(calls, calls * _size("sharpen", hypotheses=[]) + hypotheses * shown, hypotheses * HYPOTHESIS // 2)
