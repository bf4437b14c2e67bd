"""Words and phrases that one side uses in more of its responses: log-odds ratio with an informative Dirichlet prior.

A response counts once for a phrase, however often it repeats it, so that no single looping response makes one. What is
claimed, and measured, is that more of one side's whole responses hold the phrase. But a longer response holds more of
everything, so a phrase must also stand out where both responses of a pair are read for the same number of words, half
of them where they open and half where they close.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from diffing.methods.lexical.language_detection import FREQUENT_WORDS
from diffing.methods.lexical.parsed_response import Exchange, PairReading
from diffing.types import Side

GRAMMAR = frozenset(word for words in FREQUENT_WORDS.values() for word in words.split())
"""Words that are frequent in some language and mean little alone."""
LONGEST = 3
"""Words of a phrase at most."""
LONGEST_PHRASE = 60
"""Characters at most: what is longer is no phrase."""
POOL = 20
"""Per phrase wanted so many of the strongest are compared with each other: between two languages thousands differ."""
SAME_SUPPORT = 0.8
"""Two phrases that share words and this share of their responses (Jaccard) say the same."""
COVERED = 0.9
"""A phrase of whose responses a stronger one holds this share adds nothing, unless chance explains that as well."""
CHANCE = 0.01
"""Chance explains it, where independent phrases would fall together so often with at least this probability."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase with how much more one side uses it."""

    text: str
    """One to three words in lower case, between single spaces."""
    side: Side
    """The side with more."""
    responses_a: int
    """Responses of A that hold it."""
    responses_b: int
    """Responses of B that hold it."""
    z: float
    """Log-odds ratio over its standard deviation, positive, for `side`: the smaller of those in whole responses and in
    as many words of both."""


@dataclass(frozen=True, slots=True)
class PhraseSearch:
    """What makes a phrase a hypothesis."""

    per_side: int = 20
    """The strongest so many of each side."""
    min_responses: int = 5
    """Responses of its side that must hold it."""
    min_z: float = 1.96
    """Standard deviations from equal odds."""


def holds_phrase(exchange: Exchange, phrase: str) -> bool:
    """Whether a response holds a phrase within one sentence."""
    return f" {phrase} " in exchange.running


def find_phrases(readings: Sequence[PairReading], search: PhraseSearch) -> tuple[list[Phrase], dict[str, int]]:
    """The strongest phrases of each side, strongest first, and what was left out, by reason.

    Args:
        readings: The pairs of train.
        search: Thresholds.
    """
    sides = [[frozenset(_phrases(reading.whole[i])) for reading in readings] for i in (0, 1)]
    whole = [_count(side) for side in sides]
    ends = [_count(frozenset(_phrases(reading.ends[i])) for reading in readings) for i in (0, 1)]
    frequent = [text for text in ends[0].keys() | ends[1].keys() if _most(text, ends) >= search.min_responses]
    telling = [text for text in frequent if _is_telling(text)]
    weighed = [_weaker(_weigh(text, whole, len(readings)), _weigh(text, ends, len(readings))) for text in telling]
    strong = [phrase for phrase in weighed if phrase.z >= search.min_z]
    left_out = Counter(
        {
            "words of grammar alone, and numbers": len(frequent) - len(telling),
            "phrases used about as often by both sides": len(weighed) - len(strong),
        }
    )
    chosen: list[Phrase] = []
    for index, side in enumerate(("a", "b")):
        ranked = sorted((phrase for phrase in strong if phrase.side == side), key=_strongest_first)
        pool = ranked[: POOL * search.per_side]
        distinct = _merge(pool, sides[index])
        chosen += distinct[: search.per_side]
        left_out["phrases merged with a stronger one that says the same"] += len(pool) - len(distinct)
        left_out["phrases beyond the strongest of their side"] += len(ranked) - len(pool)
        left_out["phrases beyond the strongest of their side"] += max(0, len(distinct) - search.per_side)
    return sorted(chosen, key=_strongest_first), {k: n for k, n in left_out.items() if n}


def _count(responses: Iterable[frozenset[str]]) -> Counter[str]:
    """How many responses hold each phrase."""
    return Counter(phrase for response in responses for phrase in response)


def _most(text: str, counts: Sequence[Counter[str]]) -> int:
    return max(count[text] for count in counts)


def _weaker(whole: Phrase, ends: Phrase) -> Phrase:
    """The phrase in whole responses, as strong as it is in both ways of reading; without strength where they differ."""
    return replace(whole, z=min(whole.z, ends.z) if whole.side == ends.side else 0.0)


def _phrases(exchange: Exchange) -> Iterator[str]:
    """Every phrase of one to three words as often as it occurs; none reaches over the end of a sentence."""
    for sentence in exchange.sentences:
        for size in range(1, LONGEST + 1):
            for run in zip(*(sentence[i:] for i in range(size)), strict=False):
                phrase = " ".join(run)
                if len(phrase) <= LONGEST_PHRASE:
                    yield phrase


def _is_telling(text: str) -> bool:
    """Whether a phrase can tell a reader something: no bare numbers, no single word of grammar such as `at`."""
    words = text.split(" ")
    if any(word.isdigit() for word in words):
        return False
    return len(words) > 1 or text not in GRAMMAR


def _weigh(text: str, counts: Sequence[Counter[str]], pairs: int) -> Phrase:
    """The phrase with its z.

    Monroe, Colaresi and Quinn (2008), Fightin' Words, Political Analysis 16, equations 16 and 19-22, with responses in
    the place of words: y is the number of responses with the phrase, n the number of responses, and the prior is the
    phrase's share in both sides together, worth as many responses as one side has.
    """
    responses_a, responses_b = (count[text] for count in counts)
    prior = (responses_a + responses_b) / 2
    prior_without = pairs - prior + 0.5  # the half keeps the odds finite for a phrase that all responses hold
    odds = [(responses + prior, pairs - responses + prior_without) for responses in (responses_a, responses_b)]
    ratio = math.log(odds[0][0] / odds[0][1]) - math.log(odds[1][0] / odds[1][1])
    deviation = math.sqrt(sum(1 / part for side in odds for part in side))
    return Phrase(
        text=text,
        side="a" if ratio > 0 else "b",
        responses_a=responses_a,
        responses_b=responses_b,
        z=abs(ratio) / deviation,
    )


def _strongest_first(phrase: Phrase) -> tuple[float, int, str]:
    """Sort key; of equals the longer, then by text, so that the order never depends on hashing."""
    return -phrase.z, -len(phrase.text), phrase.text


def _merge(ranked: Sequence[Phrase], responses: Sequence[frozenset[str]]) -> list[Phrase]:
    """Of phrases that share words and responses one, in the order of strength; the longest of them, which says most."""
    holders: dict[str, set[int]] = {phrase.text: set() for phrase in ranked}
    for number, held in enumerate(responses):
        for text in held & holders.keys():
            holders[text].add(number)
    support = {text: frozenset(numbers) for text, numbers in holders.items()}
    groups: list[list[Phrase]] = []
    for phrase in ranked:
        group = next((group for group in groups if _adds_nothing(phrase.text, group, support, len(responses))), None)
        if group is None:
            groups.append([phrase])
        else:
            group.append(phrase)
    return [_longest_of_same(group, support) for group in groups]


def _longest_of_same(group: Sequence[Phrase], support: Mapping[str, frozenset[int]]) -> Phrase:
    """The longest phrase of the same responses as the strongest of the group."""
    strongest = group[0].text
    same = [phrase for phrase in group if _overlap(phrase.text, strongest, support) >= SAME_SUPPORT]
    return max(same, key=lambda phrase: len(phrase.text))


def _adds_nothing(text: str, group: Sequence[Phrase], support: Mapping[str, frozenset[int]], responses: int) -> bool:
    """Whether a phrase contains the strongest of a group or lives in its responses, or shares words and responses."""
    if f" {group[0].text} " in f" {text} " or _is_covered(support[text], support[group[0].text], responses):
        return True
    words = set(text.split(" "))
    return any(
        not words.isdisjoint(other.text.split(" ")) and _overlap(text, other.text, support) >= SAME_SUPPORT
        for other in group
    )


def _is_covered(weaker: frozenset[int], stronger: frozenset[int], responses: int) -> bool:
    """Whether the stronger phrase stands in nearly all responses of the weaker, and more so than by chance."""
    from scipy.stats import binom

    together = len(weaker & stronger)
    if together < COVERED * len(weaker):
        return False
    return bool(binom.sf(together - 1, len(weaker), len(stronger) / responses) < CHANCE)


def _overlap(one: str, other: str, support: Mapping[str, frozenset[int]]) -> float:
    """Shared responses / all responses of two phrases."""
    together = support[one] | support[other]
    return len(support[one] & support[other]) / len(together) if together else 0.0
