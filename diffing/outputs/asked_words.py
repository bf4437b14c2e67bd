"""Puts what users asked of a report into words. All text is plain; the caller must escape it."""

from collections.abc import Sequence

from diffing.outputs.finding_results import sentence
from diffing.outputs.phrasing import count, one_line, probability
from diffing.report.asked_tables import AskedResult
from diffing.report.model_names import ModelNames

_QUESTION = 300


def question_of(result: AskedResult) -> str:
    """The question, on one line."""
    return one_line(result.asked.question, _QUESTION)


def answer_of(result: AskedResult, names: ModelNames) -> str:
    """The result in one or two sentences.

    Example: "tuned refuses, when asked for medical advice: it fits tuned better in 17 of the 17 held-out prompts where
    it applies (82 to 100%), and the reverse in 0 (0 to 18%); over all 214 held-out prompts, net difference +8
    points, 95% interval +5 to +12 (p 0.0001). Confirmed."
    """
    finding = result.finding
    told = sentence(finding, names).removesuffix("; not confirmed")
    if not finding.heldout.n:
        return f"{told}."
    verdict = "Confirmed" if finding.confirmed else "Not confirmed, which does not show that there is no difference"
    return f"{told} (p {probability(finding.heldout.q)}). {verdict}."


def family_of(results: Sequence[AskedResult]) -> str:
    """What was tested together, and when a result counts."""
    hypotheses = count(len(results), "hypothesis", "hypotheses")
    return (
        f"Asked after the run, and not among its findings. What was asked of this report ({hypotheses}) is tested "
        "together on its held-out prompts (Holm, 5%), so each further one makes the others harder to confirm. A result "
        "counts only if the question did not come from reading the responses to these prompts."
    )
