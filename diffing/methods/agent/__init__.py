"""Method agent: an LLM writes prompts, sees both models' answers to them, and tries to prove its own hypotheses wrong.

How it fits the pipeline, which separates what suggests a hypothesis from what tests it:

1. `Tools.compared` gives the method both models with their system prompts; the run's cache and limits are below them.
2. In each round the LLM gets its notebook and the last answers, fenced, and returns the notebook and the next prompts.
   A round is one structured reply, so a stopped run repeats no call: every question follows from cached answers.
3. No prompt of the investigation is a held-out prompt of the run, whatever the LLM writes (compared after `fold`).
4. The pairs that the investigation made are `Discovery.probes`: train pairs of this method's hypotheses alone.
5. What is left in the notebook at the end, with enough prompts for it, becomes a hypothesis with a stated scope.
6. `diffing.fresh_prompts`, which the method does not see, then fixes the prompts that test a hypothesis: held-out
   prompts of the run that meet its condition and, if these are too few, new ones from a conversation that sees the
   condition alone. None of them is a prompt that the investigation used. Only then do the models answer them.
7. The judge, the family of tests, and everything after them are those of all other hypotheses.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diffing.methods.agent.method import AgentMethod

__all__ = ["AgentMethod"]


def __getattr__(name: str) -> object:
    """Imports the method when it is first used: every command imports the plan, which does not need the method."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diffing.methods.agent import method

    return getattr(method, name)
