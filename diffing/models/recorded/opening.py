"""A process that only opens files of strangers, with little memory and time.

`python -m diffing.models.recorded.opening`: see `diffing.view.runs.uploads`.

Reads an order from standard input, and tells what it found on standard output, as one JSON object.
"""

import json
import sys
from itertools import permutations

from diffing.errors import DiffingError
from diffing.jobs import keep_within_bounds
from diffing.models.recorded.model import RecordedModel


def main() -> None:
    """Opens the files in the working folder, of two in the order in which they fit: responses, prompts."""
    order = json.load(sys.stdin)
    keep_within_bounds(memory=order["memory"], seconds=order["seconds"], can_write=False)
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
    model = RecordedModel.open(source, columns=columns, most=most)
    found: dict[str, object] = {"source": source, "shape": model.shape.name, "model": model.id}
    if not model.prompts():
        missing = model.shape.companion.what if model.shape.companion else "prompts, with their ids"
        raise DiffingError(f"{source} holds no prompts. Choose a second file with it: the {missing}")
    return {**found, "responses": len(model)}


if __name__ == "__main__":
    main()
