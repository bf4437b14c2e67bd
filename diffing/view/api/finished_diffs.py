"""Finished diffs for programs: found, read, their evidence looked at. By the functions that the page calls."""

from typing import Any, Literal

from diffing.errors import HubError, SettingError
from diffing.outputs.dataset import Published
from diffing.outputs.phrasing import explanation, headline, statement
from diffing.report import report_summary
from diffing.report.grouped_list import Entry
from diffing.report.index import index_of
from diffing.types import Judgement, Report
from diffing.view.api.api_results import EvidencePage, Listed, Read
from diffing.view.api.endpoint import Call
from diffing.view.examples import EXAMPLES
from diffing.view.gallery.gallery_search import find, reason
from diffing.view.page_query import Address, read_address
from diffing.view.result.entry_filter import Filter, choose
from diffing.view.result.evidence import LONGEST, Group, Shown, Wanted, evidence_of
from diffing.view.result.report_cache import Opened


def find_diffs(call: Call, words: str = "", page: int = 1) -> Listed:
    """Find finished comparisons of language models on the Hugging Face Hub, the newest first; computes nothing.

    The answer also names the examples that ship with the app.

    Args:
        call: Who calls.
        words: Words of the models' or the dataset's names; a model's whole name, org/name, finds every one of its.
        page: From 1, of 20 each.

    Returns:
        The page; read_diff takes a dataset's or an example's name.
    """
    try:
        found = find(call.site.diffs, words, page - 1, call.visitor)
    except HubError as error:
        raise HubError(reason(error), status=error.status) from None
    examples = [{"example": each.key, "title": each.title, "caption": each.caption} for each in EXAMPLES]
    return Listed(
        [_listed(each) for each in found.diffs], found.page + 1, found.pages, found.total, found.all, examples
    )


def read_diff(
    call: Call, diff: str, words: str = "", confirmed_only: bool = False, domain: str | None = None, page: int = 1
) -> Read:
    """Read how two models behave differently: the result of a finished comparison in one sentence, and its findings.

    Each finding has its size with a 95 % interval, and is confirmed or not on prompts that did not suggest it.

    Args:
        call: Who calls.
        diff: A dataset of the Hub (user/name[@revision]), an example's name, the id of a run that is done, or a link.
        words: Only findings that hold all of these words.
        confirmed_only: Only confirmed findings.
        domain: Only findings that show on held-out prompts of this domain.
        page: From 1, of 40 findings each.

    Returns:
        The diff with a page of findings; read_evidence takes their numbers.
    """
    opened, where = _opened(call, diff)
    report = opened.report
    if domain is not None and domain not in opened.index.domains:
        raise SettingError(
            f"domain: there is no {domain!r:.60} in this diff. Expected one of {', '.join(opened.index.domains)}"
        )
    chosen = choose(opened, Filter(words=words, confirmed=confirmed_only or None, domain=domain, page=page - 1))
    return Read(
        link=call.link(where),
        model_a=report.model_a.id,
        model_b=report.model_b.id,
        headline=headline(report),
        explanation=explanation(report),
        prompts={split: sum(pair.prompt.split == split for pair in report.pairs) for split in ("train", "heldout")},
        notes=list(report.notes),
        domains=list(opened.index.domains),
        findings=_findings(report, chosen.entries),
        page=chosen.page + 1,
        pages=chosen.pages,
        total=chosen.total,
    )


def read_evidence(
    call: Call,
    diff: str,
    finding: int,
    group: Literal["for", "against", "neither", "unreadable"] | None = None,
    words: str = "",
    page: int = 1,
) -> EvidencePage:
    """Look at the evidence of one finding: prompts with both models' responses, the verdict on each pair and why.

    Args:
        call: Who calls.
        diff: As for read_diff.
        finding: Its number in read_diff.
        group: Pairs for it, against it, neither, or whose verdict could not be read; default: the first that has any.
        words: Only pairs that hold all of these words.
        page: From 1, of 5 pairs each.

    Returns:
        The page of pairs.
    """
    opened, _ = _opened(call, diff)
    views = opened.page.findings
    if not 1 <= finding <= len(views):
        raise SettingError(f"finding is {finding}: expected 1 to {len(views)}, as read_diff numbers them")
    shown = views[finding - 1].finding
    wanted = Wanted(group=group, words=words, page=max(page - 1, 0))
    found = evidence_of(opened, shown.hypothesis.id, wanted)
    return EvidencePage(
        finding=finding,
        statement=statement(shown, opened.index.names),
        counts={name: found.counts[name] for name in found.counts},
        group=_group(found.wanted.group),
        pairs=[_pair(each, found.finding.hypothesis.evidence) for each in found.shown],
        page=found.wanted.page + 1,
        pages=found.pages,
    )


def _opened(call: Call, diff: str) -> tuple[Opened, Address]:
    """A diff by whatever names it. A name never becomes a path."""
    site, text = call.site, diff.strip()
    where = read_address(text.rpartition("?")[2]) if "=" in text else Address()
    if where.what not in ("run", "diff", "example"):
        example = any(text == each.key for each in EXAMPLES)
        where = Address("example" if example else "diff" if "/" in text else "run", text)
    if where.what == "example":
        key = site.key_of_example(where.value)
    elif where.what == "diff":
        key = site.key_of_diff(where.value, call.visitor)
    else:
        key = site.key_of_run(where.value)
        state = site.desk.state(where.value)
        if state is not None and state.report is None:
            raise SettingError(f"This run is not done but {state.state}: ask diff_state until it is")
    return site.shelf.open(key), where


def _listed(diff: Published) -> dict[str, Any]:
    told = {name: getattr(diff, name) for name in ("private", "prompts", "findings", "confirmed")}
    models = {"model_a": diff.identity.model_a, "model_b": diff.identity.model_b}
    return {"dataset": diff.repo_id, **models, "day": diff.changed, **told}


def _findings(report: Report, entries: tuple[Entry, ...]) -> list[dict[str, Any]]:
    """Each as in the report's summary, with its number and its sentence in place of the id and the template."""
    summary: Any = report_summary(report)["findings"]
    by_id = {each["id"]: each for each in summary}
    numbers, names = index_of(report).numbers, index_of(report).names
    found = []
    for entry in entries:
        lead = entry.lead
        told = {key: value for key, value in by_id[lead.hypothesis.id].items() if key not in ("id", "text")}
        same = [member.number for member in entry.members]
        said = {"number": numbers[lead.hypothesis.id], "statement": statement(lead, names)}
        found.append({**said, **told, "same": same})
    return found


def _group(group: Group | None) -> str:
    return group or "for"


def _pair(shown: Shown, evidence: Any) -> dict[str, Any]:  # noqa: ANN401  the finding's
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
