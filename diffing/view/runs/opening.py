"""The process that opens an upload first: `python -m diffing.view.runs.opening`, with little memory and time.

Reads an order from standard input, and tells what it found on standard output, as one JSON object.
"""

import json
import resource
import sys
from itertools import permutations

from diffing.errors import DiffingError

_MOST_MEMORY = 2 << 30
"""Bytes of address space; the libraries take about half of it."""
_MOST_SECONDS = 30
"""Of processor time."""


def main() -> None:
    """Opens the files in the working folder; of two, whichever is the file of the prompts."""
    order = json.load(sys.stdin)
    for limit, most in ((resource.RLIMIT_AS, _MOST_MEMORY), (resource.RLIMIT_CPU, _MOST_SECONDS)):
        resource.setrlimit(limit, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    problem = None
    for files in permutations(order["files"]):
        try:
            found = _opened("+".join(files), order["columns"], order["most"])
        except DiffingError as error:
            problem = problem or " ".join(str(error).split()).replace(f"{files[0].split('/')[0]}/", "")
        else:
            sys.stdout.write(json.dumps(found))
            return
    sys.stdout.write(json.dumps({"problem": problem}))


def _opened(source: str, columns: str | None, most: int) -> dict[str, object]:
    from diffing.models.recorded import RecordedModel

    model = RecordedModel.open(source, columns=columns, most=most)
    found: dict[str, object] = {"source": source, "shape": model.shape.name, "model": model.id}
    if not model.prompts():
        missing = model.shape.companion.what if model.shape.companion else "prompts, with their ids"
        raise DiffingError(f"{source} holds no prompts. Choose a second file with it: the {missing}")
    return {**found, "responses": len(model)}


if __name__ == "__main__":
    main()
