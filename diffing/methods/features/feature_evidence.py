"""Collects evidence about a latent: its strongest examples, and the tokens at which it is active."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diffing.methods.features.active_tokens import Token, Tracer, trace_all
from diffing.methods.features.feature_screening import ScreenedLatent
from diffing.methods.features.read_pairs import ReadPair
from diffing.methods.features.sparse_latents import Latents
from diffing.types import Row, Scalar, Side

_TOP_TOKENS = 5
_AROUND = 60
"""The number of characters quoted on each side of the strongest token."""


@dataclass(frozen=True, slots=True)
class FeatureExample:
    """A response with the tokens at which a latent is active."""

    prompt_id: str
    """The prompt that the response answers."""
    side: Side
    """The side whose response it is."""
    response: str
    """The whole text of the response."""
    tokens: tuple[Token, ...]
    """The tokens at which the latent is active, in text order."""

    @property
    def strongest(self) -> Token:
        """The token at which the latent is most active."""
        return max(self.tokens, key=lambda token: token.value)

    @property
    def window(self) -> tuple[int, int]:
        """The passage around the strongest token, as start and end positions; it is cut at spaces if they are near."""
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
        """The passage around the strongest token, unchanged."""
        first, last = self.window
        return self.response[first:last]

    def marked(self, whole: bool = False, opening: str = "«", closing: str = "»") -> str:
        """Returns the passage or the whole response with marks around active tokens; adjacent tokens share a pair."""
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
class FeatureEvidence:
    """A latent whose rates differ, with its examples and its label."""

    screened: ScreenedLatent
    """The latent's rates and test results."""
    examples: tuple[FeatureExample, ...]
    """Examples from the side in which it is active more often, the strongest first."""
    label: str | None = None
    """What the latent stands for, in words."""
    label_source: str | None = None
    """Where the label comes from."""
    label_score: float | None = None
    """The share of held-back examples that an LLM classified correctly from the label alone."""
    agrees_with: str | None = None
    """The measured property that decides as the latent does on train pairs; None if there is none, or none was
    sought."""

    @property
    def index(self) -> int:
        """The latent's index."""
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
        """The label, or the strongest tokens if there is no label."""
        if self.label:
            return f'"{self.label}"'
        tokens = ", ".join(f'"{token}"' for token in self.top_tokens)
        return f"strongest at {tokens}" if tokens else "no label"

    def row(self, url: str | None, chosen: bool) -> Row:
        """Returns the latent's row in the table of features."""
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
        """Returns the rows of its examples: the passage with the active tokens marked."""
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


def strongest_pairs(screened: ScreenedLatent, pairs: Sequence[ReadPair], count: int) -> list[ReadPair]:
    """Returns the pairs in which a latent is strongest on the side in which it is active more often.

    Pairs in which only that side activates it come first: they show the difference.
    """
    side = screened.direction
    other: Callable[[ReadPair], Latents] = lambda pair: pair.b if side == "a" else pair.a  # noqa: E731
    active = [pair for pair in pairs if pair.latents(side).value(screened.index) > 0]
    index = screened.index
    active.sort(key=lambda pair: (other(pair).value(index) > 0, -pair.latents(side).value(index), pair.pair.prompt.id))
    return active[:count]


def collect_evidence(
    screened: Sequence[ScreenedLatent], pairs: Sequence[ReadPair], tracer: Tracer, count: int
) -> list[FeatureEvidence]:
    """Finds the strongest examples of each latent; every response is traced only once, for all latents together."""
    chosen = {one.index: strongest_pairs(one, pairs, count) for one in screened}
    features_of_response: dict[tuple[str, Side], list[int]] = {}
    for one in screened:
        for pair in chosen[one.index]:
            features_of_response.setdefault((pair.pair.prompt.id, one.direction), []).append(one.index)
    by_id = {pair.pair.prompt.id: pair for pair in pairs}
    requests = [
        (by_id[prompt_id].exchange(side), sorted(features))
        for (prompt_id, side), features in features_of_response.items()
    ]
    traces = dict(zip(features_of_response, trace_all(tracer, requests), strict=True))
    shown = []
    for one in screened:
        examples = []
        for pair in chosen[one.index]:
            tokens = traces[pair.pair.prompt.id, one.direction][one.index]
            response = pair.pair.response(one.direction).text
            if tokens:  # a value at the threshold may round to the other side
                examples.append(FeatureExample(pair.pair.prompt.id, one.direction, response, tokens))
        shown.append(FeatureEvidence(one, tuple(examples)))
    return shown
