"""Asks an LLM, the judge, which response of each pair fits a hypothesis better (arXiv 2602.10371).

The judge is not told which model a hypothesis is about or which side it predicts: a verdict only names the side whose
response fits. `diffing.metrics` compares verdicts with predictions; here only `judge_in_stages` counts them, to know
when it can stop. Whether a prompt is in the scope of a hypothesis is decided first, from the prompt alone.
"""

from diffing.judge.judge_questions import Judging
from diffing.judge.judged_verdicts import JudgingResult
from diffing.judge.schedule import JudgedApart, judge, judge_in_stages

__all__ = ["JudgedApart", "Judging", "JudgingResult", "judge", "judge_in_stages"]
