"""Writes the text of the model card's section: confirmed findings in sentences, how they were measured, their limits.

The same report always gives the same text.
"""

from collections.abc import Sequence

from diffing.errors import SettingError
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.model_ref import is_hub_name
from diffing.outputs.behaviour_words import scope_of
from diffing.outputs.card.described_model import DescribedModel, subject_of
from diffing.outputs.card.markers import OPT_OUT, between_markers
from diffing.outputs.claims import (
    chance_in_words,
    claim_in_words,
    confirmed_leads,
    intervals_in_words,
    sure_in_words,
)
from diffing.outputs.figures import BADGE, CHART, badge_words, rates_alternative
from diffing.outputs.headline import findings_in_card
from diffing.outputs.markdown_code import code
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import count, needs_examples, one_line, percent, prompt_counts, prompts_in
from diffing.report.index import index_of
from diffing.types import FeatureMeasure, Finding, Report

HEADING = "## Behavioral differences"
_EXCLUSIVE = (
    "That one model alone has a feature means that a dictionary of both models' activations found it in no other; the "
    "other model may still be able to do what the feature stands for. "
)
_STATEMENT, _EXAMPLE = 240, 120


def section(report: Report, *, of: str, dataset: str | None) -> str:
    """Returns the section of a card, including both markers, without a newline at its end.

    Args:
        report: The report with the findings.
        of: The card's repository, `org/name`; must be one of the report's two models.
        dataset: The Hub dataset with the whole report; None if it is not published.

    Raises:
        SettingError: The card describes neither model, or the dataset's name is invalid.
    """
    if dataset is not None and not (is_hub_name(dataset) and "/" in dataset):
        raise SettingError(f"{one_line(dataset, 80)!r} is not a dataset's name: expected user/name")
    subject = subject_of(report, of)
    findings = findings_in_card(report)
    items = ["\n".join(_item(finding, subject) for finding in findings)] if findings else []
    parts = [
        HEADING,
        _introduction(report, subject, findings),
        *items,
        *_picture(report, findings, dataset),
        *_total(report, findings, dataset),
        _details(report, subject, findings),
    ]
    content = "\n\n".join(parts).replace("\u00a0", " ")
    names = {"with": subject.other_title, **({"dataset": dataset} if dataset else {})}
    return between_markers(f"{content}\n", names)


def _introduction(report: Report, subject: DescribedModel, findings: Sequence[Finding]) -> str:
    own, others = subject.ways
    known = ", ".join(part for part in (code(subject.revision) if subject.revision else "", own) if part)
    this = f"this model ({known})" if known else "this model"
    other = f"{subject.other} ({others})" if others else subject.other
    tested = index_of(report).tested
    if not findings:
        where = f" on {prompt_counts(tested, 'prompt')}" if tested else ", because a test was futile for all of them"
        return (
            f"{this[0].upper()}{this[1:]} was compared with {other}: no difference between their responses was "
            f"confirmed{where}. This does not prove that there is none; more prompts can reveal smaller ones."
        )
    kept = f"{prompt_counts(tested, 'prompt')} that were kept aside for checking"
    everywhere = any(scope_of(each) is None and each.levels for each in findings)
    where = " Where no kind of prompt is named, none was found to stand out." if everywhere else ""
    return f"Compared with {other}, on the same {kept}, {this} differs as follows.{where}"


def _item(finding: Finding, subject: DescribedModel) -> str:
    said = prose(claim_in_words(finding, subject.names, _STATEMENT), _STATEMENT)
    example = next(
        (each.quote for each in finding.hypothesis.evidence if each.side == finding.hypothesis.direction), ""
    )
    shown = f" For example: “{prose(example, _EXAMPLE)}”." if needs_examples(finding) and example.strip() else ""
    said = f"T{said[1:]}" if said.startswith("this model") else said
    sure = f"{words}; " if (words := sure_in_words(finding)) else ""
    return f"- **{said}** ({sure}{intervals_in_words(finding)}).{shown}"


def _picture(report: Report, findings: Sequence[Finding], dataset: str | None) -> list[str]:
    """The one picture of the section, both models' rates.

    It lies in the dataset, because cards show pictures of the Hub only: without a dataset the bullets alone say it.
    """
    if dataset is None or not findings:
        return []
    return [f"![{rates_alternative(report)}](https://huggingface.co/datasets/{dataset}/resolve/main/{CHART})"]


def _total(report: Report, findings: Sequence[Finding], dataset: str | None) -> list[str]:
    """Says how many differences are confirmed in all, and where everything can be read; empty if neither is known.

    The badge stands before the link to the dataset, in which it lies.
    """
    total = len(confirmed_leads(index_of(report)))
    if dataset is None:
        listed = f"; {len(findings)} of them are listed" if total > len(findings) else ""
        return [f"{count(total, 'difference is', 'differences are')} confirmed{listed}."] if findings else []
    counted = "Everything that was tested"
    if total:
        counted = f"All {total:,} confirmed differences" if total > 1 else "The confirmed difference"
    address = f"https://huggingface.co/datasets/{dataset}"
    badge = f"[![diffing: {badge_words(report)}]({address}/resolve/main/{BADGE})]({address})"
    return [f"{badge} [{counted}, with examples and all responses]({address})"]


def _details(report: Report, subject: DescribedModel, findings: Sequence[Finding]) -> str:
    tested = len(index_of(report).tested)
    lines = (
        f"**Prompts:** {prompts_in(report, 'train'):,} to find differences and "
        f"{prompts_in(report, 'heldout'):,} others to test them{_prompt_sources(report)}.",
        f"**Responses:** {_responses(report, subject)}.",
        "**Verdicts:** for each prompt, which of the two responses fits the sentence better, or neither. "
        f"{_scopes(findings)}{_judges(report, findings)}",
        f"**Test:** exact sign test on prompts that did not suggest the sentence, with a false discovery rate of "
        f"{percent(FALSE_DISCOVERY_RATE)} over all {tested:,} tested sentences{_untested(report)}.{_degrees(findings)}",
        f"**Limits:** {_limits(findings)}",
        "**Opting out:** `diffing` wrote this section and replaces it when the comparison is run again; "
        f"`{OPT_OUT}` in its place keeps it away.",
    )
    return f"<details><summary>How this was measured, and its limits</summary>\n\n{' '.join(lines)}\n\n</details>"


def _degrees(findings: Sequence[Finding]) -> str:
    """Explains the degrees of sureness that the list uses."""
    used = {sure: chance_in_words(each) for each in findings if (sure := sure_in_words(each))}
    return "".join(f" “{sure.capitalize()}”: {chance}." for sure, chance in used.items())


def _scopes(findings: Sequence[Finding]) -> str:
    if all(finding.hypothesis.scope is None for finding in findings):
        return ""
    return (
        "A sentence that says when the behaviour shows applies only to some prompts, which is decided from the prompt "
        "alone; on all others it counts as not shown. "
    )


def _untested(report: Report) -> str:
    left = len(report.findings) - len(index_of(report).tested)
    return f"; {left:,} more were not tested, because the other prompts showed that a test was futile" if left else ""


def _prompt_sources(report: Report) -> str:
    sources = list(dict.fromkeys(pair.prompt.source for pair in report.pairs))
    if len(sources) != 1 or " + " in sources[0]:  # the source of two recordings consists of the models' names
        return ""
    if sources[0] == "bundled":
        return ", from the set that comes with `diffing`"
    return f", from {code(sources[0])}"


def _responses(report: Report, subject: DescribedModel) -> str:
    """Describes how the responses were made, as far as that is known."""
    temperature, length = report.settings.get("temperature"), report.settings.get("max_new_tokens")
    parts = []
    if any("temperature" in info.settings for info in (report.model_a, report.model_b)):
        parts.append("at a temperature that a server chose, because it accepts none")
    elif isinstance(temperature, int | float):
        parts.append(f"temperature {temperature:g}" if temperature else "greedy decoding")
    if isinstance(length, int):
        parts.append(f"at most {count(length, 'token')}")
    if subject.served_by:
        parts.append(f"this model as {code(subject.served_by)} serves it")
    return ", ".join(parts) or "as they were recorded"


def _judges(report: Report, findings: Sequence[Finding]) -> str:
    """Says who gave the verdicts on the findings in the card."""
    judged = sum(finding.hypothesis.measure is None for finding in findings)
    measured = len(findings) - judged
    names = list(dict.fromkeys(info.ref.plain for info in report.others if info.role == "judge"))
    by = f"judged by the language model {' and '.join(code(name) for name in names)}" if names else "judged by a model"
    blind = ", which does not know which response is whose"
    if judged and measured:
        return f"{judged} of the {len(findings)} were {by}{blind}; {measured} measured by a program."
    return f"They were {by}{blind}." if judged or not findings else "They were measured by a program."


def _limits(findings: Sequence[Finding]) -> str:
    judge = "A judge can be wrong, also systematically. " if any(f.hypothesis.measure is None for f in findings) else ""
    chosen = (
        "The listed differences were chosen because they passed a test and are large, so their sizes tend to be "
        "somewhat too large; each interval is for its own difference alone. "
    )
    features = any(isinstance(finding.hypothesis.measure, FeatureMeasure) for finding in findings)
    return (
        f"{judge}{chosen if findings else ''}{_EXCLUSIVE if features else ''}Other prompts, languages or sampling can "
        "give other results. The models can also differ in ways that were not found or not confirmed. This is not a "
        "benchmark: it does not say which model is better."
    )
