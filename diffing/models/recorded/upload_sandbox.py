"""A sandboxed process that opens uploaded recordings of strangers, with limits on memory and time.

`diffing.view.runs.uploads` starts it as `python -m diffing.models.recorded.upload_sandbox`. It reads a request from
standard input and writes the result to standard output, each as one JSON object.
"""

import json
import sys
from itertools import permutations

from diffing.errors import DiffingError
from diffing.jobs import keep_within_bounds
from diffing.models.recorded.model import RecordedModel


def main() -> None:
    """Opens the files in the working folder; of two files, tries both orders of responses and prompts."""
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
