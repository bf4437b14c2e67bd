"""Finds words and phrases that one model uses in more responses: log-odds ratio with an informative Dirichlet prior.

A response counts only once for a phrase, so that a single looping response does not make a difference. A hypothesis
claims that more of one side's whole responses contain the phrase. But a longer response contains more phrases, so the
phrase must also stand out if both responses of a pair are cut to the same number of words, half of these from the
beginning and half from the end. The test takes the lengths of the whole responses into account as well, on train as
on held-out pairs.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from diffing.methods.lexical.parsed_response import ParsedResponse
from diffing.methods.lexical.phrase_table import PairWords, PhraseTable, count_phrases
from diffing.methods.lexical.word_tokens import is_unspaced
from diffing.metrics import VerdictKind, two_sided_p
from diffing.metrics.unequal_chances import chance_of_presence
from diffing.types import SIDES, Side, Verdict

POOL = 20
"""For each requested phrase, this number of the strongest are compared: between two languages, thousands differ."""
SAME_SUPPORT = 0.8
"""Two phrases with a common word say the same if they share this part of their responses (Jaccard index)."""
COVERED = 0.9
"""A phrase adds nothing if a stronger one occurs in this share of its responses, unless chance explains that."""
CHANCE = 0.01
"""Chance explains an overlap that independent phrases would reach with at least this probability."""
_ROUGH = 1e-6
"""Strengths that are computed for all phrases at once are this exact at least; those near the limit are recomputed."""


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
        a, b = map(bool, self.times)
        return Verdict.NEITHER if a == b else Verdict.A if a else Verdict.B

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


def compare_phrase(phrase: str, pair: PairWords) -> PhraseComparison:
    """Seeks a phrase in both responses of a pair."""
    a, b = pair.whole
    sought = f" {phrase} "
    return PhraseComparison((a.count(sought), b.count(sought)), pair.counts)


def kind_of(phrase: str) -> str:
    """Returns what to call a phrase; in scripts without spaces between words, nobody knows where its words end."""
    words = phrase.split(" ")
    if len(words) > 1:
        return "characters" if all(map(is_unspaced, words)) else "phrase"
    return "character" if len(phrase) == 1 and is_unspaced(phrase) else "word"


def holds_phrase(exchange: ParsedResponse, phrase: str) -> bool:
    """Tells whether a response contains a phrase within one sentence."""
    return f" {phrase} " in exchange.running


def find_phrases(pairs: Sequence[PairWords], search: PhraseSearch) -> tuple[list[Phrase], dict[str, int]]:
    """Finds the strongest phrases of each side, strongest first, and counts the others by the reason to leave them out.

    Args:
        pairs: The words of the train pairs.
        search: The criteria.
    """
    table = count_phrases(pairs, search.min_responses)
    telling = np.flatnonzero(table.telling)
    strong = _strong(table, telling, search)
    left_out = Counter(
        {
            "grammatical words and numbers": len(table.telling) - len(telling),
            "phrases used about as often by both sides": len(telling) - len(strong),
        }
    )
    chosen: list[Phrase] = []
    for index, side in enumerate(SIDES):
        ranked = sorted((phrase for phrase in strong if phrase.side == side), key=_strongest_first)
        pool = ranked[: POOL * search.per_side]
        distinct = _merge(pool, {each.text: table.holders(strong[each], index) for each in pool}, len(pairs))
        beyond = (phrase for phrase in distinct if _exceeds_length(phrase, strong[phrase], table, pairs, search))
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
    phrase: Phrase, number: int, table: PhraseTable, pairs: Sequence[PairWords], search: PhraseSearch
) -> bool:
    """Tells whether a phrase passes on train the test that held-out pairs undergo."""
    one_sided = table.holders(number, 0) ^ table.holders(number, 1)
    kinds: Counter[VerdictKind] = Counter()
    for place in one_sided:
        compared = compare_phrase(phrase.text, pairs[place])
        kinds[compared.verdict, compared.per_word, compared.chance_a] += 1
    return two_sided_p(kinds, phrase.side) <= search.screen_p


def _strong(table: PhraseTable, telling: NDArray[np.intp], search: PhraseSearch) -> dict[Phrase, int]:
    """Returns the phrases that are strong enough, with their numbers.

    A phrase's strength is the smaller of those in whole responses and at equal length; 0 if they are for different
    sides.
    """
    responses = table.responses[:, telling]
    rough = np.minimum(_rough_strength(responses[:2], table.pairs), _rough_strength(responses[2:], table.pairs))
    near = np.flatnonzero((rough >= search.min_z - _ROUGH) | (search.min_z <= _ROUGH))
    strong: dict[Phrase, int] = {}
    for number, (a, b, end_a, end_b) in zip(telling[near].tolist(), responses[:, near].T.tolist(), strict=True):
        (side, z), (ends_side, ends_z) = _strength(a, b, table.pairs), _strength(end_a, end_b, table.pairs)
        z = min(z, ends_z) if side == ends_side else 0.0
        if z >= search.min_z:
            strong[Phrase(table.text(number), side, a, b, z)] = number
    return strong


def _rough_strength(responses: NDArray[np.int64], pairs: int) -> NDArray[np.float64]:
    """Computes the strength z of many phrases, but for rounding errors (see `_strength`)."""
    prior = responses.sum(axis=0) / 2
    with_phrase, without = responses + prior, pairs - responses + pairs - prior + 0.5
    (odds_a, odds_b), parts = np.log(with_phrase / without), 1 / with_phrase + 1 / without
    strength: NDArray[np.float64] = np.abs(odds_a - odds_b) / np.sqrt(parts.sum(axis=0))
    return strength


def _strength(responses_a: int, responses_b: int, pairs: int) -> tuple[Side, float]:
    """Computes the side and the strength z of a phrase.

    Source: Monroe, Colaresi and Quinn (2008), Fightin' Words, Political Analysis 16, equations 16 and 19-22, applied to
    responses instead of words: y is the number of responses with the phrase, n the number of responses, and the prior
    is the phrase's share in both sides together, with the weight of one side's responses.
    """
    prior = (responses_a + responses_b) / 2
    prior_without = pairs - prior + 0.5  # 0.5 keeps the odds finite if all responses contain the phrase
    odds = [(responses + prior, pairs - responses + prior_without) for responses in (responses_a, responses_b)]
    ratio = math.log(odds[0][0] / odds[0][1]) - math.log(odds[1][0] / odds[1][1])
    deviation = math.sqrt(sum(1 / part for side in odds for part in side))
    return "a" if ratio > 0 else "b", abs(ratio) / deviation


def _strongest_first(phrase: Phrase) -> tuple[float, int, str]:
    """Returns a sort key: by strength, then longer phrases first, then by text, so that the order is deterministic."""
    return -phrase.z, -len(phrase.text), phrase.text


def _merge(ranked: Sequence[Phrase], support: Mapping[str, frozenset[int]], responses: int) -> list[Phrase]:
    """Keeps one of several phrases that share words and responses: the longest, since it says the most."""
    groups: list[list[Phrase]] = []
    for phrase in ranked:
        group = next((group for group in groups if _adds_nothing(phrase.text, group, support, responses)), None)
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
    from scipy.special import bdtrc

    together = len(weaker & stronger)
    if together < COVERED * len(weaker):
        return False
    return bool(bdtrc(together - 1, len(weaker), len(stronger) / responses) < CHANCE)


def _overlap(one: str, other: str, support: Mapping[str, frozenset[int]]) -> float:
    """Returns the Jaccard index of two phrases: the responses with both / the responses with either."""
    together = support[one] | support[other]
    return len(support[one] & support[other]) / len(together) if together else 0.0
