"""An app with a run, to be killed: `python -m tests.view.progress.kept_app FOLDER PORT CONFIG_JSON STARTER`."""

import sys
import time
from pathlib import Path
from unittest.mock import patch

from diffing.view.runs.run_store import read_config
from tests.starter import Starter
from tests.view.served import served
from tests.waiting import DEADLINE


def main() -> None:
    folder, port, config, starters = sys.argv[1:]
    with (
        Starter(Path(starters)) as starter,
        patch("diffing.jobs.process.subprocess", starter.in_place_of_subprocess()),
        served(Path(folder), workers=1, port=int(port)) as at,
    ):
        run_id = at.site.run_manager.start(read_config(config), owner="somebody")
        Path(folder, "started").write_text(run_id, encoding="utf-8")
        time.sleep(4 * DEADLINE)  # longer than the page may take to come


if __name__ == "__main__":
    main()
