"""A process that owns a desk, to be killed: `python -m tests.view.runs.kept_desk FOLDER CONFIG_JSON`."""

import sys
import time
from pathlib import Path

from diffing.view.runs import OWN_MACHINE, RunManager
from diffing.view.runs.run_store import read_config


def main() -> None:
    manager = RunManager(Path(sys.argv[1]), workers=1, rules=OWN_MACHINE)
    sys.stdout.write(manager.start(read_config(sys.argv[2]), owner="somebody") + "\n")
    sys.stdout.flush()
    time.sleep(120)


if __name__ == "__main__":
    main()
