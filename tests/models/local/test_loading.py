"""Threads that are the first to name parts of transformers, all at once."""

import subprocess
import sys

SCRIPT = """
from concurrent.futures import ThreadPoolExecutor
from diffing.models.local.architecture import check_architecture
from diffing.models.local.spec import LocalOptions
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda name: check_architecture(name, {"model_type": "llama"}, LocalOptions()), "abcd"))
"""


def test_threads_may_be_the_first_to_need_transformers() -> None:
    """In a process that has not loaded any of it, unlike those that tests fork."""
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
