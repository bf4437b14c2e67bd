"""Says in at most three statements how two models differ.

The text is plain; the caller must escape it. It claims only differences that held-out prompts confirmed.
"""

from diffing.outputs.claims import claim_in_words, headline_leads
from diffing.outputs.phrasing import HEADLINE_LENGTH, one_line, prompt_counts
from diffing.report.index import index_of
from diffing.types import Report


def headline(report: Report) -> str:
    """Returns the headline, without its last full stop: the statements of `statements`, one after the other."""
    return ". ".join(statements(report))


def statements(report: Report) -> tuple[str, ...]:
    """Returns the statements of the headline, each without its full stop.

    There are at most three: the first line of the list, the first line of the other model, and the next line. Each says
    where the difference is concentrated and how often both models show it, in at most 160 characters. If nothing is
    confirmed, the only statement says so.
    """
    index = index_of(report)
    names, tested = index.names, index.tested
    if not report.findings:
        return (f"No hypothesis was found, so nothing was tested between {names.a} and {names.b}",)
    if not tested:
        return (f"No difference between {names.a} and {names.b} was confirmed: train prompts left nothing to test",)
    if all(each.heldout.n == 0 for each in tested):
        return (f"Nothing was tested between {names.a} and {names.b}: no verdict on held-out prompts could be read",)
    leads = headline_leads(report)
    if not leads:
        heldout = prompt_counts(tested, "held-out prompt")
        return (f"No difference between {names.a} and {names.b} was confirmed on {heldout}",)
    return tuple(one_line(claim_in_words(each, names), HEADLINE_LENGTH) for each in leads)
