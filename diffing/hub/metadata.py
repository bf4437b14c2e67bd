"""Finds and parses the YAML front matter of a Hub card safely, in time linear in its length.

The YAML is untrusted. With aliases, a few hundred bytes can become a million values; deep nesting exhausts the stack;
and a number with a hundred thousand digits takes minutes to parse. All of these are refused.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from diffing.hub.limits import MOST_YAML

if TYPE_CHECKING:
    from yaml import Event

_DEEPEST = 50
"""Maximum nesting of values; the deepest values of real cards, evaluation results, are six levels deep."""
_LONGEST_NUMBER = 100
"""Maximum length of a number in characters."""
_MOST_SLOW = 100_000
"""Maximum length of YAML that the slow parser in pure Python tries after libyaml has failed."""
_TOO_DEEP = f"its values lie more than {_DEEPEST} deep"
_NUMBER = re.compile(r"[-+.]?[0-9][0-9a-fA-F_:.xoeE+-]*")
# the same rules as in `huggingface_hub.repocard.REGEX_YAML_BLOCK` and on the Hub's server
_BEGIN = re.compile(r"\ufeff?\s*---(?:\r\n|\r|\n)")
_END = re.compile(r"(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$)")


class MetadataError(ValueError):
    """YAML that is invalid, or that exceeds the limits for a card's metadata."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The YAML block at the beginning of a card."""

    yaml: str
    """The text between the two `---` lines."""
    whole: str
    """The beginning of the card up to the end of the second `---` line."""


def front_matter(card: str) -> FrontMatter | None:
    """Finds a card's YAML block; None if there is none.

    Args:
        card: The whole file, with or without a byte order mark, with any line endings.
    """
    begin = _BEGIN.match(card)
    end = _END.search(card, begin.end()) if begin else None
    return FrontMatter(card[begin.end() : end.start()], card[: end.end()]) if begin and end else None


def read_yaml(text: str) -> Any:  # noqa: ANN401  whatever the YAML holds
    """Parses YAML into plain values, as `datasets` and `huggingface_hub` do.

    Raises:
        MetadataError: The YAML is invalid, exceeds the limits on length, depth or numbers, or has aliases.
    """
    _check_length(text, MOST_YAML)
    try:
        return yaml.load(text, _Bounded)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise MetadataError("it is no valid YAML" if not isinstance(error, MetadataError) else str(error)) from error


class _Shallow(yaml.SafeLoader):
    """A loader that limits nesting while scanning, because PyYAML's scanner looks at every level at every step."""

    def fetch_flow_collection_start(self, token: Any) -> None:  # noqa: ANN401  PyYAML's own
        """Like PyYAML's method, with a limit on depth."""
        if self.flow_level >= _DEEPEST:
            raise MetadataError(_TOO_DEEP)
        super().fetch_flow_collection_start(token)


class _Bounded(_Shallow):
    """A loader that refuses aliases, deep nesting and long numbers, which would take more than linear time."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401  PyYAML's own
        """Like PyYAML's method, but refuses aliases, deep nesting and long numbers."""
        if self.check_event(yaml.AliasEvent):
            raise MetadataError("it has aliases (*name)")
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > _LONGEST_NUMBER:
            # PyYAML would convert this scalar to a number
            if event.tag is not None or (event.implicit[0] and _NUMBER.fullmatch(event.value)):
                raise MetadataError("it has a number that is too long")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MetadataError(_TOO_DEEP)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def metadata_of(card: bytes) -> Mapping[str, object]:
    """Returns a card's YAML as plain values; empty if it has none that can be read."""
    block = front_matter(card.decode("utf-8", errors="replace"))
    try:
        found = read_yaml(block.yaml) if block else None
    except MetadataError:
        return {}
    return found if isinstance(found, Mapping) else {}


def pairs_in(text: str) -> Iterator[tuple[str, str | None]]:
    """Yields every key of every mapping at any depth, with its value if that is a scalar, else None.

    No values are built, so nothing can become large; an alias stands for the scalar that it names.

    Raises:
        MetadataError: The YAML is invalid, or exceeds the limits on length or depth.
    """
    known: dict[str, str | None] = {}
    # for each open collection: whether it is a mapping, whether a key waits for its value, and that key
    waiting: list[list[Any]] = []
    try:
        events = _events(text)
    except (yaml.YAMLError, ValueError) as error:
        raise MetadataError(str(error) if isinstance(error, MetadataError) else "it is no valid YAML") from error
    for event in events:
        if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent | yaml.CollectionStartEvent):
            value = event.value if isinstance(event, yaml.ScalarEvent) else None
            if isinstance(event, yaml.AliasEvent):
                value = known.get(event.anchor or "")
            elif event.anchor is not None:
                known[event.anchor] = value
            if waiting and waiting[-1][0]:
                yield from _paired(waiting[-1], value)
        if isinstance(event, yaml.CollectionStartEvent):
            waiting.append([isinstance(event, yaml.MappingStartEvent), False, None])
        elif isinstance(event, yaml.CollectionEndEvent):
            waiting.pop()


def _paired(mapping: list[Any], value: str | None) -> Iterator[tuple[str, str | None]]:
    """Stores a key, or yields the stored key with its value."""
    _, has_key, key = mapping
    mapping[1:] = [not has_key, None if has_key else value]
    if has_key and key is not None:
        yield key, value


def _events(text: str) -> "list[Event]":
    """The YAML events of the text, in order.

    libyaml is used if it is installed, since it is ten times as fast; what it rejects is tried with PyYAML itself.
    """
    _check_length(text, MOST_YAML)
    try:
        return list(_bounded(text, getattr(yaml, "CSafeLoader", _Shallow)))
    except (yaml.YAMLError, ValueError):
        _check_length(text, _MOST_SLOW)
        return list(_bounded(text, _Shallow))


def _bounded(text: str, loader: Any) -> Iterator["Event"]:  # noqa: ANN401  a class of PyYAML
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise MetadataError(_TOO_DEEP)
        yield event


def _check_length(text: str, most: int) -> None:
    if len(text) > most:
        raise MetadataError(f"it has {len(text):,} characters, expected at most {most:,}")
