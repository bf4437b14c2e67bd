"""Writes a report's headline: at most three statements on how the two models differ.

The text is plain; the caller must escape it. It claims only differences that held-out prompts confirmed.
"""

from diffing.outputs.claims import chance_in_words, claim_in_words, confirmed_leads, headline_leads, sure_in_words
from diffing.outputs.count_words import count_caution
from diffing.outputs.line_words import where_it_holds
from diffing.outputs.phrasing import HEADLINE_LENGTH, one_line, prompt_counts
from diffing.report.index import index_of
from diffing.types import Finding, Report

MOST_IN_CARD = 4
"""Maximum number of differences in a card."""


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
        kept = f"the {prompt_counts(tested, 'prompt')} kept aside for checking"
        return (f"No difference between {names.a} and {names.b} held up on {kept}",)
    return tuple(one_line(claim_in_words(each, names), HEADLINE_LENGTH) for each in leads)


def statement_notes(report: Report) -> tuple[str, ...]:
    """Returns what stands below each statement: for which prompts it is claimed, and how sure it is.

    Example: "Where: all 214 prompts together; no kind of prompt stood out. Very sure: chance alone would show
    this in fewer than 1 in 1,000 comparisons." What a degree of sureness means stands where it is first used.

    Args:
        report: The report.

    Returns:
        One text for each statement; none if nothing is confirmed.
    """
    names, told, notes = index_of(report).names, set(), []
    for finding in headline_leads(report):
        sure = sure_in_words(finding)
        meaning = f": {chance_in_words(finding)}" if sure not in told else ""
        told.add(sure)
        notes.append(f"Where: {where_it_holds(finding, names)}.{f' {sure.capitalize()}{meaning}.' if sure else ''}")
    return tuple(notes)


def findings_in_card(report: Report) -> tuple[Finding, ...]:
    """Returns the confirmed findings that a card lists: the headline's and the next ones, in the order of the list.

    If no behaviour is confirmed, they are words and phrases; if none of these is, internal features with an example.
    What errors of a count alone could make is no claim, and is left out.
    """
    leads = [each for each in confirmed_leads(index_of(report)) if each.heldout.n and not count_caution(each)]
    headline = [each for each in headline_leads(report) if each in leads]  # has one of each model, if both have one
    shown = [*headline, *(each for each in leads if each not in headline)][:MOST_IN_CARD]
    return tuple(each for each in leads if each in shown)
