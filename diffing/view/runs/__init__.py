"""The runs of many visitors: queued, several at a time, stoppable at once, and resumed after a restart of the app.

Create `RunManager(folder)`, call `run_id = manager.start(config, owner=..., token=...)`, and poll
`manager.state(run_id)`. This package does not depend on the page.
"""

from diffing.view.runs.gpu_waiting import AnswerPrompts
from diffing.view.runs.latest_responses import LivePair
from diffing.view.runs.run_manager import RunManager
from diffing.view.runs.run_state import EarlyHypothesis, RunState, StageProgress
from diffing.view.runs.visitor_rules import OWN_MACHINE, PUBLIC, VisitorRules

__all__ = [
    "OWN_MACHINE",
    "PUBLIC",
    "AnswerPrompts",
    "EarlyHypothesis",
    "LivePair",
    "RunManager",
    "RunState",
    "StageProgress",
    "VisitorRules",
]
