"""Writes the text of the model card's section: confirmed findings in sentences, how they were measured, their limits.

The same report always gives the same text.
"""

from collections.abc import Sequence

from diffing.errors import SettingError
from diffing.metrics import FALSE_DISCOVERY_RATE
from diffing.model_ref import is_hub_name
from diffing.outputs.card.described_model import Subject, subject_of
from diffing.outputs.card.markers import OPT_OUT, between_markers
from diffing.outputs.finding_results import where_it_applies
from diffing.outputs.markdown_code import code
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import (
    count,
    interval,
    needs_examples,
    one_line,
    percent,
    points,
    prompt_counts,
    prompts_in,
    statement,
)
from diffing.report.index import index_of
from diffing.types import Finding, Report

HEADING = "## Behavioral differences"
MOST = 7
"""Maximum number of findings in a card."""
_FEW = 3
"""If there are fewer findings in plain words than this, SAE features are listed too, with an example."""
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
    parts = [
        HEADING,
        _introduction(report, subject, findings),
        *(["\n".join(_item(finding, subject) for finding in findings)] if findings else []),
        _details(report, subject, findings),
        _sources(dataset),
    ]
    content = "\n\n".join(parts).replace("\u00a0", " ")
    names = {"with": subject.other_title, **({"dataset": dataset} if dataset else {})}
    return between_markers(f"{content}\n", names)


def findings_in_card(report: Report) -> tuple[Finding, ...]:
    """Returns the confirmed findings that a card lists: the largest first, and those that need examples last."""
    index = index_of(report)
    folded = [entry.lead for entry in (*index.wording, *index.bare_features)]
    confirmed = [entry.lead for entry in index.differences] + folded
    tested = [finding for finding in confirmed if finding.heldout.n]
    plain = [finding for finding in tested if not needs_examples(finding)]
    features = [finding for finding in tested if needs_examples(finding)]
    return (*plain[:MOST], *features[: max(0, _FEW - len(plain))])


def _introduction(report: Report, subject: Subject, findings: Sequence[Finding]) -> str:
    own, others = subject.ways
    known = ", ".join(part for part in (code(subject.revision) if subject.revision else "", own) if part)
    this = f"this model ({known})" if known else "this model"
    other = f"{subject.other} ({others})" if others else subject.other
    if not findings:
        tested = index_of(report).tested
        where = f" on {prompt_counts(tested, 'prompt')}" if tested else ", because a test was futile for all of them"
        return (
            f"{this[0].upper()}{this[1:]} was compared with {other}: no difference between their responses was "
            f"confirmed{where}. This does not prove that there is none; more prompts can reveal smaller ones."
        )
    # SAE features that are left out do not count here, so that the listed findings are truly the largest
    in_words = sum(finding.confirmed and not needs_examples(finding) for finding in index_of(report).leads)
    listed = f" The {len(findings)} largest of {in_words} are listed." if in_words > len(findings) else ""
    return (
        f"On the same prompts, the responses of {this} and of {other} differ as follows. Each difference was predicted "
        f"from one set of prompts and confirmed on another.{listed}"
    )


def _item(finding: Finding, subject: Subject) -> str:
    said = prose(statement(finding, subject.names), _STATEMENT)
    shares = f"{_size(finding)} (95% interval {interval(finding.heldout.net_difference)})."
    example = next(
        (each.quote for each in finding.hypothesis.evidence if each.side == finding.hypothesis.direction), ""
    )
    shown = f" For example: “{prose(example, _EXAMPLE)}”." if needs_examples(finding) and example.strip() else ""
    said = f"T{said[1:]}" if said.startswith("this model") else said
    return f"- **{said}.** {shares}{shown}"


def _size(finding: Finding) -> str:
    heldout, within = finding.heldout, where_it_applies(finding, "prompt")
    net = f"net difference {points(heldout.net_difference.value)} points"
    if within is not None:
        return f"Where it applies: {within}. Over all {count(heldout.n, 'prompt')}: {net}"
    return (
        f"In {percent(heldout.k_for / heldout.n)} of {count(heldout.n, 'prompt')}, against "
        f"{percent(heldout.k_against / heldout.n)} the other way: {net}"
    )


def _details(report: Report, subject: Subject, findings: Sequence[Finding]) -> str:
    tested = len(index_of(report).tested)
    lines = (
        f"**Prompts:** {prompts_in(report, 'train'):,} to find differences and "
        f"{prompts_in(report, 'heldout'):,} others to test them{_prompt_sources(report)}.",
        f"**Responses:** {_responses(report, subject)}.",
        "**Verdicts:** for each prompt, which of the two responses fits the sentence better, or neither. "
        f"{_scopes(findings)}{_judges(report, findings)}",
        f"**Test:** exact sign test on prompts that did not suggest the sentence, with a false discovery rate of "
        f"{percent(FALSE_DISCOVERY_RATE)} over all {tested:,} tested sentences{_untested(report)}.",
        f"**Limits:** {_limits(findings)}",
    )
    items = "\n".join(f"- {line}" for line in lines)
    return f"<details>\n<summary>How this was measured, and its limits</summary>\n\n{items}\n\n</details>"


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


def _responses(report: Report, subject: Subject) -> str:
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
    return (
        f"{judge}{chosen if findings else ''}Other prompts, languages or sampling can give other results. The models "
        "can also differ in ways that were not found or not confirmed. This is not a benchmark: it does not say which "
        "model is better."
    )


def _sources(dataset: str | None) -> str:
    link = f"https://huggingface.co/datasets/{dataset}"
    found = f"All responses, verdicts and settings: [{dataset}]({link}). " if dataset else ""
    return (
        f"{found}`diffing` wrote this section and replaces it when the comparison is run again. To opt out, put "
        f"`{OPT_OUT}` in its place."
    )
