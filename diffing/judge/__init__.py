"""Verdicts of an LLM: which response of a pair fits a hypothesis better (arXiv 2602.10371).

Knows nothing of predicted directions: the judge is not told which model a hypothesis speaks about, and the verdict is
the side whose response fits. What follows from it is for `metrics` to say; `judge_in_stages` alone counts verdicts, to
know when enough is judged.
"""

from diffing.judge.questions import Judging
from diffing.judge.schedule import judge, judge_in_stages
from diffing.judge.verdicts import Judged

__all__ = ["Judged", "Judging", "judge", "judge_in_stages"]
