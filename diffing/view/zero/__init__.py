"""Answers of local models on a ZeroGPU Space, whose GPU is lent for a minute at a time to the page's own process.

`for each in answered(config, ...)` within an event of the visitor, then the run itself finds every response in the
completions cache. `prepare()` comes first in the app, before anything touches CUDA.
"""

from diffing.view.zero.answers_on_loans import Answering, answered
from diffing.view.zero.gpu_limits import gpu_seconds, obstacle
from diffing.view.zero.gpu_process import prepare
from diffing.view.zero.machine import check_room, find_model, machine_in_words, zero_gpu

__all__ = [
    "Answering",
    "answered",
    "check_room",
    "find_model",
    "gpu_seconds",
    "machine_in_words",
    "obstacle",
    "prepare",
    "zero_gpu",
]
