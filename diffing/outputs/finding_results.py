"""Puts the results of one finding into words: over all held-out prompts and, if it has a scope, where it applies.

All functions return plain text, as those of `phrasing` do.
"""

from diffing.metrics import wilson
from diffing.outputs.phrasing import count, interval, percent, points, shares, statement, tested_only_inside
from diffing.report.model_names import ModelNames
from diffing.types import Finding


def sentence(finding: Finding, names: ModelNames) -> str:
    """Returns the hypothesis and its result on held-out prompts in one sentence.

    Examples: "tuned writes longer responses (in words) than base: in 71% of 83 held-out prompts, and the reverse in
    12%; net difference +59 points, 95% interval +47 to +69". "tuned refuses when asked for medical advice: it fits
    tuned better in 17 of the 17 held-out prompts where it applies (82 to 100%), and the reverse in 0 (0 to 18%); over
    all 214 held-out prompts, net difference +8 points, 95% interval +5 to +12". If it was not confirmed, the sentence
    ends by saying so.
    """
    heldout = finding.heldout
    if heldout.p is None:
        return f"{statement(finding, names)}: not tested on held-out prompts, futile after the train prompts"
    if heldout.n == 0:
        return f"{statement(finding, names)}: not tested, because no verdict on held-out prompts is readable"
    result = f"{statement(finding, names)}: {_in_words(finding, names)}"
    return result if finding.confirmed else f"{result}; not confirmed"


def _in_words(finding: Finding, names: ModelNames) -> str:
    heldout, within = finding.heldout, finding.heldout_in_scope
    net = heldout.net_difference
    size = f"net difference {points(net.value)} points, 95% interval {interval(net)}"
    if within is None:
        return (
            f"in {percent(heldout.k_for / heldout.n)} of {count(heldout.n, 'held-out prompt')}, and the reverse in "
            f"{percent(heldout.k_against / heldout.n)}; {size}"
        )
    if not within.n:
        return f"where it applies: {_nowhere(finding)}; over all, {size}"
    model, prompts = names.of(finding.hypothesis.direction), count(within.n, "held-out prompt")
    overall = "" if tested_only_inside(finding) else f"over all {count(heldout.n, 'held-out prompt')}, "
    return (
        f"it fits {model} better in {within.k_for:,} of the {prompts} where it applies "
        f"({shares(wilson(within.k_for, within.n))}), and the reverse in {within.k_against:,} "
        f"({shares(wilson(within.k_against, within.n))}); {overall}{size}"
    )


def _nowhere(finding: Finding) -> str:
    """Says why there is no result where the finding applies."""
    within = finding.heldout_in_scope
    if within is not None and within.unreadable:
        return "no readable verdict"
    return f"none of {count(finding.heldout.n, 'held-out prompt')} meets its condition"
