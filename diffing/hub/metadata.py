"""The YAML of a card: found, looked through and read in time that grows with its length alone, whatever it holds.

Strangers write it. With aliases some hundred bytes become a million values, nesting exhausts the stack, and a number of
some hundred thousand digits takes minutes. Knows no key.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from diffing.hub.limits import MOST_YAML

if TYPE_CHECKING:
    from yaml import Event

_DEEPEST = 50
"""Values within values; the deepest of a card's, its results, lie six deep."""
_LONGEST_NUMBER = 100
"""Characters; no metadata needs more."""
_MOST_SLOW = 100_000
"""Characters that PyYAML itself reads for a second look."""
_TOO_DEEP = f"its values lie more than {_DEEPEST} deep"
_NUMBER = re.compile(r"[-+.]?[0-9][0-9a-fA-F_:.xoeE+-]*")
# as `huggingface_hub.repocard.REGEX_YAML_BLOCK` and the Hub's server find it
_BEGIN = re.compile(r"\ufeff?\s*---(?:\r\n|\r|\n)")
_END = re.compile(r"(?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$)")


class MetadataError(ValueError):
    """YAML that is none, or that takes more than a card's metadata may."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Where a card's YAML stands."""

    yaml: str
    """What is between the fences."""
    whole: str
    """The beginning of the card up to the end of the second fence."""


def front_matter(card: str) -> FrontMatter | None:
    """A card's YAML; None where it has none.

    Args:
        card: The whole file, with or without a byte order mark, with its own line endings.
    """
    begin = _BEGIN.match(card)
    end = _END.search(card, begin.end()) if begin else None
    return FrontMatter(card[begin.end() : end.start()], card[: end.end()]) if begin and end else None


def read_yaml(text: str) -> Any:  # noqa: ANN401  whatever the YAML holds
    """What the YAML says, as plain values, read as `datasets` and `huggingface_hub` read it.

    Raises:
        MetadataError: It is no YAML, is larger or deeper than metadata is, or has aliases or endless numbers.
    """
    _check_length(text, MOST_YAML)
    try:
        return yaml.load(text, _Bounded)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError) as error:
        raise MetadataError("it is no valid YAML" if not isinstance(error, MetadataError) else str(error)) from error


class _Shallow(yaml.SafeLoader):
    """Looks no deeper than metadata is: PyYAML reads ahead, and at every step looks at every level."""

    def fetch_flow_collection_start(self, token: Any) -> None:  # noqa: ANN401  PyYAML's own
        """As PyYAML's, but for depth."""
        if self.flow_level >= _DEEPEST:
            raise MetadataError(_TOO_DEEP)
        super().fetch_flow_collection_start(token)


class _Bounded(_Shallow):
    """Makes every value once, and refuses what would take more time than its length says."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401  PyYAML's own
        """As PyYAML's, but for aliases, depth and long numbers."""
        if self.check_event(yaml.AliasEvent):
            raise MetadataError("it has aliases (*name)")
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > _LONGEST_NUMBER:
            # what is no text is worked out
            if event.tag is not None or (event.implicit[0] and _NUMBER.fullmatch(event.value)):
                raise MetadataError("it has a number without end")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise MetadataError(_TOO_DEEP)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def pairs_in(text: str) -> Iterator[tuple[str, str | None]]:
    """Every key of every mapping, at whatever depth and however often, with its value; None for a value that has parts.

    Makes no values, so nothing can become large; an alias stands for the scalar that it names.

    Raises:
        MetadataError: It is no YAML, or is larger or deeper than metadata is.
    """
    known: dict[str, str | None] = {}
    # per collection that is open: whether it is a mapping, and the key that waits for its value
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
    """Notes a key, or gives it with its value."""
    _, has_key, key = mapping
    mapping[1:] = [not has_key, None if has_key else value]
    if has_key and key is not None:
        yield key, value


def _events(text: str) -> "list[Event]":
    """The parts of the text, in their order.

    By libyaml where it is installed, which is ten times as fast; what that does not take, PyYAML itself may.
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
