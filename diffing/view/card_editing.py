"""A section put into a stranger's card: where the card is long, in a process of its own."""

import json
import sys

from diffing.errors import SettingError
from diffing.jobs import keep_within_bounds
from diffing.outputs.card import edit
from diffing.outputs.card.edit import OptedOutError
from diffing.view.sandbox import run_apart

_SECONDS = 15.0
"""Of computing; a card of a third of a megabyte takes three."""
SHORT = 30_000
"""Bytes of a card that is read within the page's process: whatever it holds takes some tenths of a second."""


def edit_politely(readme: bytes, section: str) -> bytes:
    """As `edit`, for a page that others look at as well.

    Args:
        readme: The card as it is.
        section: From `section`.

    Raises:
        OptedOutError: As `edit`.
        SettingError: As `edit`, or it takes too much to read the card.
    """
    if len(readme) <= SHORT:
        return edit(readme, section)
    asked = {"readme": readme.decode("latin-1"), "section": section}
    told = run_apart(__name__, given=json.dumps(asked).encode(), seconds=_SECONDS)
    if told is None:
        raise SettingError("The card takes too much to read here. Nothing was written. Copy the section by hand")
    answer: dict[str, str] = json.loads(told)
    if "off" in answer:
        raise OptedOutError(answer["off"])
    if "problem" in answer:
        raise SettingError(answer["problem"])
    return answer["card"].encode("latin-1")


def main(memory: str, seconds: str) -> None:
    """Reads a question, writes the answer."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    asked = json.loads(sys.stdin.buffer.read())
    try:
        answer = {"card": edit(asked["readme"].encode("latin-1"), asked["section"]).decode("latin-1")}
    except OptedOutError as error:
        answer = {"off": str(error)}
    except SettingError as error:
        answer = {"problem": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
