"""Finds words and phrases that one model uses in more responses: log-odds ratio with an informative Dirichlet prior.

A response counts only once for a phrase, so that a single looping response does not make a difference. A hypothesis
claims that more of one side's whole responses contain the phrase. But a longer response contains more phrases, so the
phrase must also stand out if both responses of a pair are cut to the same number of words, half of these from the
beginning and half from the end. The test takes the lengths of the whole responses into account as well, on train as
on held-out pairs.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from diffing.methods.lexical.language_detection import FREQUENT_WORDS
from diffing.methods.lexical.measured_property import train_p, verdict_of
from diffing.methods.lexical.parsed_response import PairReading, ParsedResponse
from diffing.methods.lexical.tokens import SOUTHEAST, is_unspaced
from diffing.metrics.unequal_chances import chance_of_presence
from diffing.types import Side, Verdict

GRAMMAR = frozenset(word for words in FREQUENT_WORDS.values() for word in words.split())
"""Words that are frequent in some language and mean little alone."""
SYLLABLE = re.compile(rf"[\u3041-\u309f{SOUTHEAST}]{{1,4}}")
"""Matches a single letter of hiragana, Thai, Lao, Khmer or Burmese, which means nothing alone."""
LONGEST = 3
"""The largest number of words of a phrase."""
LONGEST_RUN = 6
"""The largest number of characters of a phrase in scripts without spaces between words."""
LONGEST_PHRASE = 60
"""The largest number of characters of a phrase."""
POOL = 20
"""For each requested phrase, this number of the strongest are compared: between two languages, thousands differ."""
SAME_SUPPORT = 0.8
"""Two phrases with a common word say the same if they share this part of their responses (Jaccard index)."""
COVERED = 0.9
"""A phrase adds nothing if a stronger one occurs in this share of its responses, unless chance explains that."""
CHANCE = 0.01
"""Chance explains an overlap that independent phrases would reach with at least this probability."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that one side uses in more responses, with its counts and strength."""

    text: str
    """One to three words in lower case, joined by single spaces."""
    side: Side
    """The side that uses it more."""
    responses_a: int
    """The number of A's responses that contain it."""
    responses_b: int
    """The number of B's responses that contain it."""
    z: float
    """The log-odds ratio for `side` over its standard deviation (positive): the smaller of the values in whole
    responses and at equal length."""


@dataclass(frozen=True, slots=True)
class PhraseSearch:
    """The criteria by which a phrase becomes a hypothesis."""

    per_side: int = 20
    """The largest number of phrases per side; the strongest are taken."""
    min_responses: int = 5
    """The smallest number of responses of its side that must contain it."""
    min_z: float = 1.96
    """The smallest strength, in standard deviations from equal odds."""
    screen_p: float = 0.1
    """The largest two-sided p on train of the test that held-out pairs undergo as well."""


@dataclass(frozen=True, slots=True)
class PhraseComparison:
    """One phrase, sought in both responses of a pair."""

    times: tuple[int, int]
    """How often side a and side b use it."""
    words: tuple[int, int]
    """The number of words of each."""

    @property
    def whole(self) -> tuple[float, float]:
        """1 for a side that uses it, else 0."""
        a, b = self.times
        return float(a > 0), float(b > 0)

    @property
    def verdict(self) -> Verdict:
        """The side that uses it if the other does not."""
        return verdict_of(*map(bool, self.times))

    @property
    def per_word(self) -> Side | None:
        """The same side, since the other has none."""
        return self.verdict.side

    @property
    def chance_a(self) -> float | None:
        """See `Judgement.chance_a`."""
        if self.verdict.side is None:
            return None
        return chance_of_presence(sum(self.times), self.words)


def compare_phrase(phrase: str, reading: PairReading) -> PhraseComparison:
    """Seeks a phrase in both responses of a pair."""
    a, b = reading.whole
    sought = f" {phrase} "
    return PhraseComparison((a.running.count(sought), b.running.count(sought)), (a.words_in("text"), b.words_in("text")))


def kind_of(phrase: str) -> str:
    """Returns what to call a phrase; in scripts without spaces between words, nobody knows where its words end."""
    words = phrase.split(" ")
    if len(words) > 1:
        return "characters" if all(map(is_unspaced, words)) else "phrase"
    return "character" if len(phrase) == 1 and is_unspaced(phrase) else "word"


def holds_phrase(exchange: ParsedResponse, phrase: str) -> bool:
    """Tells whether a response contains a phrase within one sentence."""
    return f" {phrase} " in exchange.running


def find_phrases(readings: Sequence[PairReading], search: PhraseSearch) -> tuple[list[Phrase], dict[str, int]]:
    """Finds the strongest phrases of each side, strongest first, and counts the others by the reason to leave them out.

    Args:
        readings: The parsed train pairs.
        search: The criteria.
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
            "grammatical words and numbers": len(frequent) - len(telling),
            "phrases used about as often by both sides": len(weighed) - len(strong),
        }
    )
    chosen: list[Phrase] = []
    for index, side in enumerate(("a", "b")):
        ranked = sorted((phrase for phrase in strong if phrase.side == side), key=_strongest_first)
        pool = ranked[: POOL * search.per_side]
        distinct = _merge(pool, sides[index])
        beyond = (phrase for phrase in distinct if _exceeds_length(phrase, readings, sides, search))
        kept = list(islice(beyond, search.per_side))
        chosen += kept
        passed_over = (
            distinct.index(kept[-1]) + 1 - len(kept) if len(kept) == search.per_side else len(distinct) - len(kept)
        )
        left_out["phrases merged with a stronger one that says the same"] += len(pool) - len(distinct)
        left_out["phrases that the longer response would have anyway"] += passed_over
        left_out["phrases beyond the strongest of their side"] += len(ranked) - len(pool)
        left_out["phrases beyond the strongest of their side"] += len(distinct) - len(kept) - passed_over
    return sorted(chosen, key=_strongest_first), {k: n for k, n in left_out.items() if n}


def _exceeds_length(
    phrase: Phrase, readings: Sequence[PairReading], sides: Sequence[Sequence[frozenset[str]]], search: PhraseSearch
) -> bool:
    """Tells whether a phrase passes on train the test that held-out pairs undergo."""
    comparisons = (
        compare_phrase(phrase.text, reading)
        for reading, a, b in zip(readings, *sides, strict=True)
        if (phrase.text in a) != (phrase.text in b)
    )
    return train_p(comparisons, phrase.side) <= search.screen_p


def _count(responses: Iterable[frozenset[str]]) -> Counter[str]:
    """Counts the responses that contain each phrase."""
    return Counter(phrase for response in responses for phrase in response)


def _most(text: str, counts: Sequence[Counter[str]]) -> int:
    return max(count[text] for count in counts)


def _weaker(whole: Phrase, ends: Phrase) -> Phrase:
    """Returns the phrase with the smaller of its two strengths; with strength 0 if they are for different sides."""
    return replace(whole, z=min(whole.z, ends.z) if whole.side == ends.side else 0.0)


def _phrases(exchange: ParsedResponse) -> Iterator[str]:
    """Yields every phrase of one to three words within a sentence, as often as it occurs."""
    for sentence in exchange.sentences:
        unspaced = [is_unspaced(word) for word in sentence]
        longest = LONGEST_RUN if any(unspaced) else LONGEST
        for size in range(1, longest + 1):
            for start in range(len(sentence) - size + 1):
                if size > LONGEST and not all(unspaced[start : start + size]):
                    continue
                phrase = " ".join(sentence[start : start + size])
                if len(phrase) <= LONGEST_PHRASE:
                    yield phrase


def _is_telling(text: str) -> bool:
    """Tells whether a phrase is informative: no number, no single grammatical word such as `at`, no single syllable."""
    words = text.split(" ")
    if any(word.isdigit() for word in words):
        return False
    return len(words) > 1 or (text not in GRAMMAR and SYLLABLE.fullmatch(text) is None)


def _weigh(text: str, counts: Sequence[Counter[str]], pairs: int) -> Phrase:
    """Computes the strength z of a phrase.

    Source: Monroe, Colaresi and Quinn (2008), Fightin' Words, Political Analysis 16, equations 16 and 19-22, applied to
    responses instead of words: y is the number of responses with the phrase, n the number of responses, and the prior
    is the phrase's share in both sides together, with the weight of one side's responses.
    """
    responses_a, responses_b = (count[text] for count in counts)
    prior = (responses_a + responses_b) / 2
    prior_without = pairs - prior + 0.5  # 0.5 keeps the odds finite if all responses contain the phrase
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
    """Returns a sort key: by strength, then longer phrases first, then by text, so that the order is deterministic."""
    return -phrase.z, -len(phrase.text), phrase.text


def _merge(ranked: Sequence[Phrase], responses: Sequence[frozenset[str]]) -> list[Phrase]:
    """Keeps one of several phrases that share words and responses: the longest, since it says the most."""
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
    """Returns the longest phrase that occurs in the same responses as the strongest phrase of the group."""
    strongest = group[0].text
    same = [phrase for phrase in group if _overlap(phrase.text, strongest, support) >= SAME_SUPPORT]
    return max(same, key=lambda phrase: len(phrase.text))


def _adds_nothing(text: str, group: Sequence[Phrase], support: Mapping[str, frozenset[int]], responses: int) -> bool:
    """Tells whether a phrase contains a group's strongest phrase, or occurs in the same responses as one of them."""
    if f" {group[0].text} " in f" {text} " or _is_covered(support[text], support[group[0].text], responses):
        return True
    words = set(text.split(" "))
    return any(
        not words.isdisjoint(other.text.split(" ")) and _overlap(text, other.text, support) >= SAME_SUPPORT
        for other in group
    )


def _is_covered(weaker: frozenset[int], stronger: frozenset[int], responses: int) -> bool:
    """Tells whether the stronger phrase occurs in nearly all responses of the weaker one, and more than by chance."""
    from scipy.stats import binom

    together = len(weaker & stronger)
    if together < COVERED * len(weaker):
        return False
    return bool(binom.sf(together - 1, len(weaker), len(stronger) / responses) < CHANCE)


def _overlap(one: str, other: str, support: Mapping[str, frozenset[int]]) -> float:
    """Returns the Jaccard index of two phrases: the responses with both / the responses with either."""
    together = support[one] | support[other]
    return len(support[one] & support[other]) / len(together) if together else 0.0
