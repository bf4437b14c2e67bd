"""Which pairs of a report belong to the prompts of its run, and not to prompts that a method asked or had written."""

from diffing.types import Pair, Report

PROBES, FRESH = "agent_probes", "fresh_prompts"
"""The tables of the prompts that the agent method asked, and of those on which its hypotheses are tested."""


def pairs_of_run(report: Report) -> tuple[Pair, ...]:
    """Returns the pairs of the prompts that all hypotheses of a run are about.

    Prompts that the agent method asked, and those that were written for conditions of its hypotheses, are left out:
    they are no sample of what the run asks, and only some hypotheses have verdicts on them.

    Args:
        report: Any report.
    """
    own = {row.get("prompt_id") for row in report.tables.get(PROBES, ())}
    own |= {row.get("prompt_id") for row in report.tables.get(FRESH, ()) if row.get("written")}
    return tuple(pair for pair in report.pairs if pair.prompt.id not in own) if own else report.pairs
