"""The conditions of which scopes are made, such as a domain or a word, and which prompts meet each of them.

Conditions are found on train prompts, from the prompts alone: no response is looked at. A condition is of one kind:
a domain, a word in the names of several domains, a word of the message, or the form of the message.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, get_args

import numpy as np
import numpy.typing as npt

from diffing.scope import ScopeRule, Term, TermKind
from diffing.scopes.prompt_reading import FEWER_THAN, MORE_THAN, QUESTION, SEVERAL_LINES, PromptReading, parts_of
from diffing.types import Prompt

if TYPE_CHECKING:
    from scipy.sparse import csc_array

LEAST = 8
"""The smallest number of train prompts inside a condition, and outside it."""
LARGEST_SHARE = 0.6
"""The largest share of train prompts that may meet a condition."""
_KINDS: tuple[TermKind, ...] = get_args(TermKind)
Mask = npt.NDArray[np.bool_]
"""A truth value for each prompt."""


@dataclass(frozen=True, eq=False)
class PromptConditions:
    """Conditions on prompts, and the prompts that meet them."""

    terms: tuple[Term, ...]
    """The conditions: domains, parts, words, forms, each kind in alphabetical order."""
    met: "csc_array"
    """1 where a prompt meets a condition; shape (prompts, conditions)."""
    train: Mask
    """Whether each prompt is a train prompt; shape (prompts,)."""

    @cached_property
    def costs(self) -> npt.NDArray[np.float64]:
        """For each condition the logarithm of the number of conditions of its kind; shape (conditions,)."""
        kinds = Counter(term.kind for term in self.terms)
        return np.array([log(kinds[term.kind]) for term in self.terms])

    @cached_property
    def met_on_train(self) -> "csc_array":
        """`met` of the train prompts alone; shape (train prompts, conditions)."""
        return self.met[self.train].tocsc()

    @cached_property
    def domains(self) -> npt.NDArray[np.int64]:
        """The places of the conditions that are domains."""
        return np.array([i for i, term in enumerate(self.terms) if term.kind == "domain"], dtype=np.int64)

    def column(self, place: int) -> Mask:
        """The prompts that meet a condition, by its place; shape (prompts,)."""
        mask = np.zeros(self.met.shape[0], dtype=np.bool_)
        mask[self.met.indices[self.met.indptr[place] : self.met.indptr[place + 1]]] = True
        return mask

    def dense(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """1 where a train prompt meets a condition, else 0; shape (train prompts, places)."""
        columns: npt.NDArray[np.float32] = self.met_on_train[:, places].toarray()
        return columns

    def inside(self, rule: ScopeRule) -> Mask:
        """The prompts in a scope whose terms are among these conditions; shape (prompts,).

        Args:
            rule: The scope's rule.
        """
        columns = [self.column(self._places[term]) for term in rule.terms]
        if rule.junction == "without":
            return columns[0] & ~np.asarray(np.logical_or.reduce(columns[1:]), dtype=np.bool_)
        combine = np.logical_or if rule.junction == "or" else np.logical_and
        return np.asarray(combine.reduce(columns), dtype=np.bool_)

    @cached_property
    def _places(self) -> dict[Term, int]:
        return {term: place for place, term in enumerate(self.terms)}


def find_conditions(prompts: Sequence[Prompt]) -> PromptConditions:
    """Finds the conditions that divide the train prompts, and decides for every prompt which of them it meets.

    Args:
        prompts: All prompts of a run, train and held-out, in any order.
    """
    readings = [PromptReading(prompt) for prompt in prompts]
    train = np.array([prompt.split == "train" for prompt in prompts], dtype=np.bool_)
    on_train = [reading for reading, is_train in zip(readings, train, strict=True) if is_train]
    words = _frequent_words(on_train)
    found: dict[Term, list[int]] = {}
    forms = _forms(on_train)
    for row, reading in enumerate(readings):
        for term in _terms_of(reading, words, forms):
            found.setdefault(term, []).append(row)
    return conditions_of(found, train)


def conditions_of(found: Mapping[Term, Sequence[int]], train: Mask) -> PromptConditions:
    """Keeps the conditions that divide the train prompts, and of words that occur in the same train prompts one.

    Args:
        found: For each condition, the places of the prompts that meet it, in increasing order.
        train: Whether each prompt is a train prompt.
    """
    from scipy.sparse import csc_array

    total = int(train.sum())
    on_train = {term: [row for row in rows if train[row]] for term, rows in found.items()}
    kept = [term for term in sorted(found, key=_order) if _divides(len(on_train[term]), total)]
    domains = [term.value for term, rows in on_train.items() if term.kind == "domain" and rows]
    kept = [term for term in kept if term.kind != "part" or _is_in_several(term.value, domains)]
    distinct = _distinct_words(kept, on_train)
    starts = np.cumsum([0, *(len(found[term]) for term in distinct)])
    rows = np.fromiter((row for term in distinct for row in found[term]), dtype=np.int32, count=int(starts[-1]))
    met = csc_array((np.ones(len(rows), dtype=np.float32), rows, starts), shape=(len(train), len(distinct)))
    return PromptConditions(tuple(distinct), met, train)


def _frequent_words(readings: Sequence[PromptReading]) -> frozenset[str]:
    """The words of enough train prompts: only of these can one or two words be a condition."""
    counts = Counter(word for reading in readings for word in reading.single_words())
    return frozenset(word for word, count in counts.items() if count >= LEAST)


def _forms(readings: Sequence[PromptReading]) -> tuple[str, str]:
    """The forms of the messages longer than the upper third and shorter than the lower third of train."""
    lengths = sorted(reading.word_count for reading in readings)
    if not lengths:
        return MORE_THAN.format(0), FEWER_THAN.format(0)
    return MORE_THAN.format(lengths[(2 * len(lengths) - 1) // 3]), FEWER_THAN.format(lengths[len(lengths) // 3])


def _terms_of(reading: PromptReading, words: frozenset[str], lengths: Sequence[str]) -> Iterator[Term]:
    """The conditions that a prompt meets."""
    if reading.domain is not None:
        yield Term("domain", reading.domain)
    yield from (Term("part", part) for part in reading.parts)
    yield from (Term("word", run) for run in reading.word_runs(words))
    forms = (Term("form", form) for form in (*lengths, QUESTION, SEVERAL_LINES))
    yield from (form for form in forms if reading.meets(form))


def _order(term: Term) -> tuple[int, str]:
    return _KINDS.index(term.kind), term.value


def _divides(inside: int, total: int) -> bool:
    return LEAST <= inside <= min(total - LEAST, LARGEST_SHARE * total)


def _is_in_several(part: str, domains: Sequence[str]) -> bool:
    """Tells whether a word is in the names of at least two domains, but not in all."""
    return 2 <= sum(part in parts_of(domain) for domain in domains) < len(domains)


def _distinct_words(terms: Sequence[Term], on_train: Mapping[Term, Sequence[int]]) -> list[Term]:
    """Keeps one word of those that occur in the same train prompts: a single word if there is one, and the longest."""
    first: dict[bytes, Term] = {}
    words = [term for term in terms if term.kind == "word"]
    for term in sorted(words, key=lambda term: (" " in term.value, -len(term.value), term.value)):
        first.setdefault(np.array(on_train[term], dtype=np.int32).tobytes(), term)
    kept = set(first.values())
    return [term for term in terms if term.kind != "word" or term in kept]
