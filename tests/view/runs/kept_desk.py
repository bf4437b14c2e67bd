"""A process that owns a desk, to be killed: `python -m tests.view.runs.kept_desk FOLDER CONFIG_JSON STARTER`."""

import sys
import time
from pathlib import Path
from unittest.mock import patch

from diffing.view.runs import OWN_MACHINE, RunManager
from diffing.view.runs.run_store import read_config
from tests.starter import Starter
from tests.waiting import DEADLINE


def main() -> None:
    folder, config, starters = sys.argv[1:]
    with (
        Starter(Path(starters)) as starter,
        patch("diffing.jobs.process.subprocess", starter.in_place_of_subprocess()),
    ):
        manager = RunManager(Path(folder), workers=1, rules=OWN_MACHINE)
        sys.stdout.write(manager.start(read_config(config), owner="somebody") + "\n")
        sys.stdout.flush()
        time.sleep(4 * DEADLINE)  # longer than the test may take to kill it


if __name__ == "__main__":
    main()
