"""What is shown of a latent: where it is strongest, the tokens at which it is active, and a sentence about it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from diffing.methods.sae.activation_cache import CachedReading, Exchange, Token
from diffing.methods.sae.feature_screening import Screened
from diffing.methods.sae.latent_rows import Latents
from diffing.types import Evidence, Hypothesis, LatentMeasure, Pair, Row, Scalar, Side

METHOD = "sae"
_TOP_TOKENS = 5
_AROUND = 60
"""Characters shown on each side of the strongest token."""


def measured_features(hypothesis: Hypothesis) -> tuple[int, ...]:
    """The latents a hypothesis of this method rests on.

    Raises:
        ValueError: It is not this method's.
    """
    if not isinstance(hypothesis.measure, LatentMeasure):
        raise ValueError(f"expected a hypothesis of the SAE method, got measure {hypothesis.measure!r}")
    return hypothesis.measure.indices


@dataclass(frozen=True, slots=True)
class ReadPair:
    """A pair of which both responses were read."""

    pair: Pair
    """Prompt and responses."""
    a: Latents
    """What is active in A's response."""
    b: Latents
    """What is active in B's response."""

    def latents(self, side: Side) -> Latents:
        """What is active in one side's response."""
        return self.a if side == "a" else self.b

    def exchange(self, side: Side) -> Exchange:
        """What was read of one side."""
        return Exchange(self.pair.prompt.messages, self.pair.response(side).text)


@dataclass(frozen=True, slots=True)
class Example:
    """A response with the tokens at which a latent is active."""

    prompt_id: str
    """The pair."""
    side: Side
    """Whose response."""
    response: str
    """Its whole text."""
    tokens: tuple[Token, ...]
    """Where the latent is active, in the order of the text."""

    @property
    def strongest(self) -> Token:
        """Where the latent is most active."""
        return max(self.tokens, key=lambda token: token.value)

    @property
    def window(self) -> tuple[int, int]:
        """The passage around the strongest token: first character, one past the last; at spaces where some are near."""
        first = max(self.strongest.first - _AROUND, 0)
        last = min(self.strongest.last + _AROUND, len(self.response))
        if first:
            space = self.response.find(" ", first, self.strongest.first)
            first = space + 1 if space >= 0 else first
        if last < len(self.response):
            space = self.response.rfind(" ", self.strongest.last, last)
            last = space if space >= 0 else last
        return first, last

    @property
    def quote(self) -> str:
        """That passage, as it stands in the response."""
        first, last = self.window
        return self.response[first:last]

    def marked(self, whole: bool = False, opening: str = "«", closing: str = "»") -> str:
        """The passage, or the whole response, with the active tokens between marks; neighbours share one pair."""
        start, end = (0, len(self.response)) if whole else self.window
        text, place = "", start
        for first, last in _joined(self.tokens):
            first, last = max(first, start), min(last, end)
            if first < last:
                text += self.response[place:first] + opening + self.response[first:last] + closing
                place = last
        return text + self.response[place:end]


def _joined(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for token in tokens:
        if spans and token.first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(token.last, spans[-1][1]))
        else:
            spans.append((token.first, token.last))
    return spans


@dataclass(frozen=True, slots=True)
class Feature:
    """A latent that differs, with what can be shown of it."""

    screened: Screened
    """How it was counted."""
    examples: tuple[Example, ...]
    """Responses of the side in which it is active more often, the strongest first."""
    label: str | None = None
    """What it stands for, in words."""
    label_source: str | None = None
    """Where the label comes from."""
    label_score: float | None = None
    """Share of held-back examples that a blind scorer told right by the label."""

    @property
    def index(self) -> int:
        """Which latent."""
        return self.screened.index

    @property
    def top_tokens(self) -> tuple[str, ...]:
        """The words or parts of words at which it is most active."""
        best: dict[str, float] = {}
        for example in self.examples:
            for token in example.tokens:
                text = example.response[token.first : token.last].strip()
                if text:
                    best[text] = max(best.get(text, 0.0), token.value)
        return tuple(sorted(best, key=lambda text: (-best[text], text))[:_TOP_TOKENS])

    @property
    def words(self) -> str:
        """The label, or else the strongest tokens."""
        if self.label:
            return f'"{self.label}"'
        tokens = ", ".join(f'"{token}"' for token in self.top_tokens)
        return f"strongest at {tokens}" if tokens else "no label"

    def hypothesis(self) -> Hypothesis:
        """That it is active more often in the responses of its side."""
        text = f"<MODEL>'s responses activate feature {self.index} ({self.words}) more often than <OTHER MODEL>'s."
        direction = self.screened.direction
        digest = hashlib.sha256(f"{direction}\0{text}".encode()).hexdigest()[:12]
        return Hypothesis(
            id=f"{METHOD}-{digest}",
            text=text,
            direction=direction,
            method=METHOD,
            category="style",
            evidence=tuple(Evidence(one.prompt_id, one.side, one.quote) for one in self.examples[:3]),
            measure=LatentMeasure((self.index,)),
            train_effect=abs(self.screened.difference),
        )

    def row(self, url: str | None, chosen: bool) -> Row:
        """Its row in the table of features."""
        row: dict[str, Scalar] = {
            "index": self.index,
            "direction": self.screened.direction,
            "rate_a": self.screened.rate_a,
            "rate_b": self.screened.rate_b,
            "difference": self.screened.difference,
            "p": self.screened.p,
            "q": self.screened.q,
            "label": self.label,
            "label_source": self.label_source,
            "label_score": self.label_score,
            "top_tokens": " ".join(self.top_tokens) or None,
            "url": url,
            "chosen": chosen,
        }
        return row

    def example_rows(self) -> list[Row]:
        """The rows of its examples: the passage with the active tokens marked."""
        return [
            {
                "index": self.index,
                "prompt_id": example.prompt_id,
                "side": example.side,
                "activation": example.strongest.value,
                "passage": example.marked(),
            }
            for example in self.examples
        ]


def strongest_pairs(screened: Screened, pairs: Sequence[ReadPair], count: int) -> list[ReadPair]:
    """The pairs in which a latent is strongest on the side in which it is active more often.

    Pairs in which only that side activates it come first: they show the difference.
    """
    side = screened.direction
    other: Callable[[ReadPair], Latents] = lambda pair: pair.b if side == "a" else pair.a  # noqa: E731
    active = [pair for pair in pairs if pair.latents(side).value(screened.index) > 0]
    index = screened.index
    active.sort(key=lambda pair: (other(pair).value(index) > 0, -pair.latents(side).value(index), pair.pair.prompt.id))
    return active[:count]


def show(screened: Sequence[Screened], pairs: Sequence[ReadPair], reading: CachedReading, count: int) -> list[Feature]:
    """Latents with their strongest examples; every response is traced once for all its latents."""
    chosen = {one.index: strongest_pairs(one, pairs, count) for one in screened}
    wanted: dict[tuple[str, Side], list[int]] = {}
    for one in screened:
        for pair in chosen[one.index]:
            wanted.setdefault((pair.pair.prompt.id, one.direction), []).append(one.index)
    by_id = {pair.pair.prompt.id: pair for pair in pairs}
    traces: dict[tuple[str, Side], Mapping[int, tuple[Token, ...]]] = {
        (prompt_id, side): reading.trace(by_id[prompt_id].exchange(side), sorted(features))
        for (prompt_id, side), features in wanted.items()
    }
    shown = []
    for one in screened:
        examples = []
        for pair in chosen[one.index]:
            tokens = traces[pair.pair.prompt.id, one.direction][one.index]
            response = pair.pair.response(one.direction).text
            if tokens:  # a value at the threshold may round to the other side
                examples.append(Example(pair.pair.prompt.id, one.direction, response, tokens))
        shown.append(Feature(one, tuple(examples)))
    return shown
