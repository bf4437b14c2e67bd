"""Runs local models on a ZeroGPU Space, which lends its GPU to the page's own process for about a minute at a time.

Call `prepare()` first in the app, before anything uses CUDA. Iterate `answer_on_loans(config, ...)` within an event of
the visitor; afterwards the run itself finds every response in the completions cache.
"""

from diffing.view.zero.gpu_limits import gpu_seconds, obstacle
from diffing.view.zero.gpu_process import prepare
from diffing.view.zero.loan_answers import LoanProgress, answer_on_loans
from diffing.view.zero.machine import check_room, find_model, machine_in_words, zero_gpu

__all__ = [
    "LoanProgress",
    "answer_on_loans",
    "check_room",
    "find_model",
    "gpu_seconds",
    "machine_in_words",
    "obstacle",
    "prepare",
    "zero_gpu",
]
