"""Prints a requirement for the lowest version of all that pyproject.toml names for the package and its extra `all`.

`python .ci/lowest.py > lowest.txt`, then `pip install -r lowest.txt`. Torch is left out: the build at hand stays, its
bounds are checked in the matrix of the hosted CI. An extra that names another of ours is followed.
"""

import re
import sys
import tomllib
from pathlib import Path

LEFT_OUT = {"torch"}


def lowest() -> list[str]:
    """One `name[extras]==version` for each direct dependency, sorted."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def expand(lines: list[str]) -> set[str]:
        found: set[str] = set()
        for line in lines:
            ours = re.fullmatch(r"diffing\[(.+)\]", line)
            found |= (
                {line} if ours is None else expand([one for name in ours[1].split(",") for one in extras[name.strip()]])
            )
        return found

    pinned = []
    for line in sorted(expand([*project["dependencies"], *extras["all"]])):
        name, bounds = re.fullmatch(r"([\w.-]+(?:\[[\w,]+\])?)(.*)", line).groups()
        if name.partition("[")[0] not in LEFT_OUT:
            least = re.search(r">=([^,]+)", bounds)[1]
            pinned.append(f"{name}=={least}")
    return pinned


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest()) + "\n")
