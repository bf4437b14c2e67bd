"""What the tests ask of a card without writing to it."""

from diffing.outputs.card.edit import _read


def opted_out(readme: bytes) -> bool:
    """Whether the card asks not to have a section."""
    return _read(readme).off


def has_section(readme: bytes) -> bool:
    """Whether the card has a section, or what looks like one."""
    return any(marker.kind == "begin" for marker in _read(readme).markers)
