"""Runs of many visitors: in line, several at a time, stopped at once, found again after a restart. Knows no page.

`Desk(folder)`, then `run_id = desk.start(config, owner=..., token=...)` and `desk.state(run_id)` as often as one likes.
"""

from diffing.view.runs.run_manager import Desk
from diffing.view.runs.run_state import Early, RunState, Stage
from diffing.view.runs.visitor_rules import OWN_MACHINE, PUBLIC, Rules
from diffing.view.runs.waiting_for_gpu import Answers

__all__ = ["OWN_MACHINE", "PUBLIC", "Answers", "Desk", "Early", "Rules", "RunState", "Stage"]
