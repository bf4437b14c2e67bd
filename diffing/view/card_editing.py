"""Inserts a section into a stranger's model card; long cards are edited in a sandboxed process."""

import json
import sys

from diffing.errors import SettingError
from diffing.jobs import keep_within_bounds
from diffing.outputs.card import edit
from diffing.outputs.card.edit import OptedOutError
from diffing.view.sandbox import run_sandboxed

_SECONDS = 15.0
"""Limit of computing time. A card of a third of a megabyte takes about three seconds."""
SHORT = 30_000
"""Maximum size in bytes of a card that is edited in the page's own process. Any card of this size takes a few tenths of
a second at most."""


def edit_in_sandbox(readme: bytes, section: str) -> bytes:
    """Does the same as `edit`, but never blocks the page for other visitors.

    Args:
        readme: The current card.
        section: The section to insert, as made by `section`.

    Raises:
        OptedOutError: As for `edit`.
        SettingError: As for `edit`, or the card takes too long to parse.
    """
    if len(readme) <= SHORT:
        return edit(readme, section)
    request = {"readme": readme.decode("latin-1"), "section": section}
    output = run_sandboxed(__name__, given=json.dumps(request).encode(), seconds=_SECONDS)
    if output is None:
        raise SettingError("The card takes too long to process here. Nothing was written. Copy the section by hand")
    answer: dict[str, str] = json.loads(output)
    if "off" in answer:
        raise OptedOutError(answer["off"])
    if "problem" in answer:
        raise SettingError(answer["problem"])
    return answer["card"].encode("latin-1")


def main(memory: str, seconds: str) -> None:
    """Reads a request from standard input and writes the edited card, or the reason for a refusal."""
    keep_within_bounds(memory=int(memory), seconds=float(seconds))
    request = json.loads(sys.stdin.buffer.read())
    try:
        answer = {"card": edit(request["readme"].encode("latin-1"), request["section"]).decode("latin-1")}
    except OptedOutError as error:
        answer = {"off": str(error)}
    except SettingError as error:
        answer = {"problem": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
