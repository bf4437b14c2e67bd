"""Measures responses, one or many at once: by a function, or by whether or how often a pattern occurs."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeAlias, runtime_checkable

from diffing.methods.lexical.block_search import TextBlock
from diffing.methods.lexical.parsed_response import ParsedResponse, Part

Value: TypeAlias = Callable[[ParsedResponse], float | None]
"""Measures a response; None if its value cannot be determined."""


class ResponseBlock:
    """Responses that are measured together.

    Args:
        exchanges: The responses.
    """

    def __init__(self, exchanges: Sequence[ParsedResponse]) -> None:
        self.exchanges = exchanges
        self._texts: dict[tuple[Part, bool], TextBlock] = {}

    def texts(self, part: Part, folded: bool) -> TextBlock:
        """A part of every response, folded or as it is."""
        if (part, folded) not in self._texts:
            self._texts[part, folded] = TextBlock([text_of(each, part, folded) for each in self.exchanges])
        return self._texts[part, folded]


@runtime_checkable
class BlockValue(Protocol):
    """A measurement that takes less time for many responses at once."""

    def in_block(self, block: ResponseBlock) -> Sequence[float | None]:
        """Measures each response."""


def values_in(value: Value, block: ResponseBlock) -> Sequence[float | None]:
    """Measures each response of a block."""
    return value.in_block(block) if isinstance(value, BlockValue) else [value(each) for each in block.exchanges]


def text_of(exchange: ParsedResponse, part: Part, folded: bool) -> str:
    """Returns a part of a response."""
    return exchange.folded(part) if folded else str(getattr(exchange, part))


def pattern(expression: str) -> re.Pattern[str]:
    """Compiles a lower-case pattern that ignores case, accepts both apostrophes, and matches `^` at each line."""
    return re.compile(expression.replace("'", "['’]"), re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class SoughtPattern:
    """A pattern in a part of the response. Folded text is searched if it ignores case, which is faster."""

    pattern: re.Pattern[str]
    """The pattern."""
    part: Part = "prose"
    """The part."""

    @cached_property
    def folded(self) -> bool:
        """Whether folded text is searched."""
        return bool(self.pattern.flags & re.IGNORECASE)

    @cached_property
    def quick(self) -> re.Pattern[str]:
        """The pattern for the text that is searched."""
        return re.compile(self.pattern.pattern, self.pattern.flags & ~re.IGNORECASE)

    def text(self, exchange: ParsedResponse) -> str:
        """The text that is searched."""
        return text_of(exchange, self.part, self.folded)

    def texts(self, block: ResponseBlock) -> TextBlock:
        """The texts that are searched."""
        return block.texts(self.part, self.folded)


@dataclass(frozen=True)
class Holds(SoughtPattern):
    """1 if the pattern occurs in the part, otherwise 0."""

    def __call__(self, exchange: ParsedResponse) -> float:
        """Measures a response."""
        return float(self.quick.search(self.text(exchange)) is not None)

    def in_block(self, block: ResponseBlock) -> list[float]:
        """Measures each response."""
        return [float(hit) for hit in self.texts(block).holds(self.quick)]


@dataclass(frozen=True)
class CountsMatches(SoughtPattern):
    """The number of times that the pattern occurs in the part."""

    def __call__(self, exchange: ParsedResponse) -> float:
        """Measures a response."""
        return float(len(self.quick.findall(self.text(exchange))))

    def in_block(self, block: ResponseBlock) -> list[float]:
        """Measures each response."""
        return [float(count) for count in self.texts(block).counts(self.quick)]


@dataclass(frozen=True)
class OpensWith(SoughtPattern):
    """1 if the pattern occurs in the first 100 characters of the part, otherwise 0."""

    part: Part = "voice"

    def __call__(self, exchange: ParsedResponse) -> float:
        """Measures a response."""
        return float(self.quick.search(self.text(exchange).lstrip()[:100]) is not None)


@dataclass(frozen=True)
class ClosesWith(SoughtPattern):
    """1 if the pattern occurs in the last 250 characters of the part, otherwise 0.

    It is None if the token limit cut the response, since nobody knows how it would have ended.
    """

    part: Part = "voice"

    def __call__(self, exchange: ParsedResponse) -> float | None:
        """Measures a response."""
        if exchange.finish == "length":
            return None
        return float(self.quick.search(self.text(exchange).rstrip()[-250:]) is not None)


@dataclass(frozen=True)
class OnlyWith:
    """What a function measures, which is 0 where none of some patterns occurs."""

    value: Value
    """The function."""
    patterns: tuple[SoughtPattern, ...]
    """The patterns. Where all are missing, the function gives 0."""

    def __call__(self, exchange: ParsedResponse) -> float | None:
        """Measures a response."""
        return self.value(exchange)

    def in_block(self, block: ResponseBlock) -> list[float | None]:
        """Measures each response in which one of the patterns may occur."""
        hits = zip(*(each.texts(block).may_hold(each.quick) for each in self.patterns), strict=True)
        return [self.value(each) if any(hit) else 0.0 for each, hit in zip(block.exchanges, hits, strict=True)]
