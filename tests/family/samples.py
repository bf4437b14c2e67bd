"""Comparisons of several models with planted distances and differences."""

from dataclasses import replace
from itertools import combinations

from diffing import metrics
from diffing.estimates import Coverage
from diffing.family import Family, family_of
from diffing.metrics import UNDEFINED, sign_test, wilson
from diffing.types import Finding, Hypothesis, ModelInfo, Report
from tests.outputs.samples import empty_report
from tests.servers.rules import planted_pairs

HELDOUT = 100
SHOWS = {"rhymes": (0, 0, 1, 1), "sighs": (1, 0, 0, 0), "nods": (0, 1, 2, 3)}
"""How much of each behaviour the models show: whoever has more, differs from the other in 30 more of 100 prompts."""
RIGHT = {(0, 1): 70, (0, 2): 95, (0, 3): 99, (1, 2): 90, (1, 3): 95, (2, 3): 60}
"""Of 100 held-out pairs, those that are told apart."""


def compared(first: int, second: int, names: tuple[str, ...]) -> Report:
    """The comparison of two models."""
    findings = []
    for text, shown in SHOWS.items():
        if shown[first] != shown[second]:
            side = "a" if shown[first] > shown[second] else "b"
            hypothesis = Hypothesis(
                f"h-{side}-{text}", f"<MODEL> {text} more than <OTHER MODEL>.", side, "llm", "style"
            )
            k_for = 20 + 10 * abs(shown[first] - shown[second])
            tested = metrics.confirm({"": metrics.metrics_of(HELDOUT, k_for, 2)})[""]
            findings.append(Finding(hypothesis, tested, tested, True, metrics.confirmed(tested)))
    told, wrong = RIGHT[first, second], HELDOUT - RIGHT[first, second]
    share = wilson(told, HELDOUT)
    rest = (share, share, share, UNDEFINED, UNDEFINED, UNDEFINED, share, share)
    return replace(
        empty_report(),
        model_a=ModelInfo(names[first], "model_a"),
        model_b=ModelInfo(names[second], "model_b"),
        pairs=tuple(planted_pairs(10, 20)),
        findings=tuple(findings),
        coverage=Coverage(share, *rest, p=sign_test(told, wrong)),
    )


def family(names: tuple[str, ...] = ("org/base", "org/sft", "org/dpo", "org/rlhf")) -> Family:
    """Four models, of which the first two and the last two are close."""
    return family_of({pair: compared(*pair, names) for pair in combinations(range(len(names)), 2)})
