"""Threads that are the first to name parts of transformers, all at once."""

import os

from tests.starter import Starter

SCRIPT = """
import sys
for name in [each for each in sys.modules if each.startswith(("transformers", "diffing.models.local"))]:
    del sys.modules[name]
sys.setswitchinterval(1e-6)  # otherwise they seldom meet in the same import
from concurrent.futures import ThreadPoolExecutor
from diffing.models.local.architecture import check_architecture
from diffing.models.local.spec import LocalOptions
with ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda name: check_architecture(name, {"model_type": "llama"}, LocalOptions()), "abcd"))
"""


def test_threads_may_be_the_first_to_need_transformers(starter: Starter) -> None:
    """In a process to which transformers is new; torch, which takes longer, need not be."""
    result = starter.run(["-c", SCRIPT], os.environ)
    assert result.returncode == 0, result.stderr
