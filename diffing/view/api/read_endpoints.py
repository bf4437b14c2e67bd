"""API endpoints that read finished diffs: find published ones, read findings, and look at their evidence."""

from typing import Any, Literal

from diffing.errors import HubError, SettingError
from diffing.outputs.behaviour_words import where
from diffing.outputs.blocks import ShownBlock, lines_by_block
from diffing.outputs.coverage_words import coverage_of_report
from diffing.outputs.dataset import PublishedDiff
from diffing.outputs.headline import headline
from diffing.outputs.line_words import overall
from diffing.outputs.phrasing import explanation, line_statement, prompts_in, statement
from diffing.outputs.prompt_kinds import PromptKind
from diffing.report import report_summary
from diffing.report.grouped_list import ListEntry
from diffing.report.index import index_of
from diffing.types import Judgement, Report
from diffing.view.api.api_results import DiffList, DiffSummary, EvidencePage
from diffing.view.api.endpoint import ApiCall
from diffing.view.examples import EXAMPLES
from diffing.view.gallery.gallery_search import find, reason
from diffing.view.page_query import PageAddress, read_address
from diffing.view.result.entry_filter import EntryFilter, choose
from diffing.view.result.evidence_pages import LONGEST, EvidenceFilter, Group, JudgedPair, evidence_of
from diffing.view.result.report_cache import OpenedReport


def find_diffs(call: ApiCall, words: str = "", page: int = 1) -> DiffList:
    """Find finished comparisons of language models on the Hugging Face Hub, the newest first; computes nothing.

    The result also names the examples that ship with the app.

    Args:
        call: The context of the call.
        words: Words in the names of the models or the dataset; a model's whole name, org/name, finds all diffs of that
            model.
        page: The page from 1, with 20 diffs each.

    Returns:
        The page of diffs; read_diff takes the name of a dataset or an example.
    """
    try:
        matches = find(call.site.diffs, words, page - 1, call.visitor)
    except HubError as error:
        raise HubError(reason(error), status=error.status) from None
    examples = [{"example": each.key, "title": each.title, "caption": each.caption} for each in EXAMPLES]
    return DiffList(
        [_listed(each) for each in matches.diffs], matches.page + 1, matches.pages, matches.total, matches.all, examples
    )


def read_diff(
    call: ApiCall,
    diff: str,
    words: str = "",
    block: ShownBlock = "differences",
    domain: str | None = None,
    page: int = 1,
) -> DiffSummary:
    """Read how two models behave differently: the result of a finished comparison in a few words, and its list.

    Each line of the list has its size with a 95% interval, both models' own levels, and the prompts that it is
    concentrated in, if such were found. All numbers are from prompts that did not suggest it.

    Args:
        call: The context of the call.
        diff: A dataset on the Hub (user/name[@revision]), the name of an example, the id of a finished run, or a link.
        words: Only lines with all of these words.
        block: The part of the list: confirmed differences; confirmed words and phrases (wording); confirmed SAE
            features without words (features); or what is not confirmed (unconfirmed).
        domain: Only lines that show on held-out prompts of this domain.
        page: The page from 1, with 40 lines each.

    Returns:
        The diff with a page of its list; read_evidence takes the numbers of the findings.
    """
    opened, address = _opened(call, diff)
    report, index = opened.report, opened.index
    if domain is not None and domain not in index.domains:
        raise SettingError(
            f"domain: there is no {domain!r:.60} in this diff. Expected one of {', '.join(index.domains)}"
        )
    where = PromptKind(domain, frozenset({domain}), 0) if domain is not None else None
    chosen = choose(opened, EntryFilter(words=words, block=block, where=where, page=page - 1))
    return DiffSummary(
        link=call.link(address),
        model_a=report.model_a.id,
        model_b=report.model_b.id,
        headline=headline(report),
        explanation=explanation(report),
        prompts={split: prompts_in(report, split) for split in ("train", "heldout")},
        lines={name: len(entries) for name, entries in lines_by_block(index).items()},
        coverage=coverage_of_report(report, index.names),
        notes=list(report.notes),
        domains=list(index.domains),
        findings=lines_as_json(report, chosen.entries),
        page=chosen.page + 1,
        pages=chosen.pages,
        total=chosen.total,
    )


def read_evidence(
    call: ApiCall,
    diff: str,
    finding: int,
    group: Literal["for", "against", "same", "not_shown", "neither", "outside", "unreadable"] | None = None,
    words: str = "",
    page: int = 1,
) -> EvidencePage:
    """Look at the evidence for one finding: prompts with both models' responses, the verdict on each pair, and why.

    Args:
        call: The context of the call.
        diff: As for read_diff.
        finding: The finding's number in read_diff.
        group: Pairs for the finding; against it; both alike (same); not shown by either (not_shown); for neither,
            unknown which of these two; outside the finding's scope (outside); or with an unreadable verdict. Default:
            the first group with any.
        words: Only pairs with all of these words.
        page: The page from 1, with 5 pairs each.

    Returns:
        The page of pairs.
    """
    opened, _ = _opened(call, diff)
    views = opened.page.findings
    if not 1 <= finding <= len(views):
        raise SettingError(f"finding is {finding}: expected 1 to {len(views)}, as read_diff numbers them")
    shown = views[finding - 1].finding
    filters = EvidenceFilter(group=group, words=words, page=max(page - 1, 0))
    matches = evidence_of(opened, shown.hypothesis.id, filters)
    return EvidencePage(
        finding=finding,
        statement=statement(shown, opened.index.names),
        counts={name: matches.counts[name] for name in matches.counts},
        group=_group(matches.filters.group),
        pairs=[_pair(each, matches.finding.hypothesis.evidence) for each in matches.pairs],
        page=matches.filters.page + 1,
        pages=matches.pages,
    )


def _opened(call: ApiCall, diff: str) -> tuple[OpenedReport, PageAddress]:
    """Opens a diff by any of its names, and gives its address. A name never becomes a path."""
    site, text = call.site, diff.strip()
    address = read_address(text.rpartition("?")[2]) if "=" in text else PageAddress()
    if address.what not in ("run", "diff", "example"):
        example = any(text == each.key for each in EXAMPLES)
        address = PageAddress("example" if example else "diff" if "/" in text else "run", text)
    if address.what == "example":
        key = site.key_of_example(address.value)
    elif address.what == "diff":
        key = site.key_of_diff(address.value, call.visitor)
    else:
        key = site.key_of_run(address.value)
        state = site.run_manager.state(address.value)
        if state is not None and state.report is None:
            raise SettingError(f"This run is {state.state}, not done: call diff_state until it is done")
    return site.report_cache.open(key), address


def _listed(diff: PublishedDiff) -> dict[str, Any]:
    extra = {name: getattr(diff, name) for name in ("private", "prompts", "findings", "confirmed", "differences")}
    models = {"model_a": diff.identity.model_a, "model_b": diff.identity.model_b}
    return {"dataset": diff.repo_id, **models, "day": diff.changed, **extra}


def lines_as_json(report: Report, entries: tuple[ListEntry, ...]) -> list[dict[str, Any]]:
    """Each lead as in the report's summary, but with its number and words instead of its id and template."""
    summary: Any = report_summary(report)["findings"]
    by_id = {each["id"]: each for each in summary}
    names = index_of(report).names
    matches = []
    for entry in entries:
        lead = entry.lead
        numbers = {key: value for key, value in by_id[lead.hypothesis.id].items() if key not in ("id", "text")}
        said = {
            "number": entry.number,
            "statement": line_statement(entry, names),
            "block": entry.block,
            "where": where(lead, names),
            "both_models": overall(lead, names),
        }
        members = [
            {"number": each.number, "statement": statement(each.finding, names), "known_by": each.known_by}
            for each in entry.members
        ]
        matches.append({**said, **numbers, "members": members})
    return matches


def _group(group: Group | None) -> str:
    return group or "for"


def _pair(shown: JudgedPair, evidence: Any) -> dict[str, Any]:  # noqa: ANN401  the finding's
    prompt, judgement = shown.pair.prompt, shown.judgement
    return {
        "prompt": [{"role": message.role, "content": _cut(message.content)} for message in prompt.messages],
        "split": prompt.split,
        "domain": prompt.domain,
        "response_a": _cut(shown.pair.a.text),
        "response_b": _cut(shown.pair.b.text),
        "verdict": judgement.verdict.name.lower(),
        "judge": judgement.judge,
        "why": _why(judgement),
        "quotes": [{"side": each.side, "quote": _cut(each.quote)} for each in evidence if each.prompt_id == prompt.id],
    }


def _why(judgement: Judgement) -> str:
    return _cut(judgement.reply or "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
