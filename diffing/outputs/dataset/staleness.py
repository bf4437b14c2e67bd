"""Checks whether the helper repositories of a published diff (judge, SAE, prompts ...) have changed since then."""

import re
from collections.abc import Iterable, Iterator

from huggingface_hub import HfApi

from diffing.hub import head_of
from diffing.methods.sae.sae_files import find_sae
from diffing.model_ref import read_ref
from diffing.prompts.hub import SOURCE
from diffing.types import Report

_PINNED = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)@(?P<sha>[0-9a-f]{40})", re.ASCII)


def outdated_source(report: Report, specs: Iterable[str], prompts: str | None, api: HfApi) -> str | None:
    """Returns a repository whose commit differs from that in the report: a judge, reader, embedder or prompt set.

    Equal settings name the same repositories, but a name does not fix the commit.

    Args:
        report: A published report with the same settings.
        specs: The models that the settings name, which may fix revisions.
        prompts: The source of the prompts according to the settings.
        api: A Hub client for the account that wants to reuse the diff.

    Returns:
        The first such repository; None if all are unchanged.

    Raises:
        DiffingError: A repository is gone, its library is not installed, or the Hub cannot be reached.
    """
    parts = (part for spec in specs for part in read_ref(spec).parts)
    revisions = {part.name: part.revision for part in parts if part.revision is not None}
    for repo, sha in dict.fromkeys(_made_with(report)):
        if head_of(api, repo, revision=revisions.get(repo)) != sha:
            return repo
    for sae in dict.fromkeys(str(info.settings["sae"]) for info in report.others if "sae" in info.settings):
        if find_sae(sae.rpartition("@")[0]).identity != sae:
            return sae
    asked = SOURCE.fullmatch(prompts) if prompts else None
    if asked:
        head = head_of(api, asked["repo"], repo_type="dataset", revision=asked["revision"])
        if not all(pair.prompt.source.startswith(f"{asked['repo']}@{head}") for pair in report.pairs):
            return asked["repo"]
    return None


def _made_with(report: Report) -> Iterator[tuple[str, str]]:
    """Yields the repositories and commits of all helper models; SAEs are left out, as their ids have another form."""
    for info in report.others:
        texts = (value for key, value in info.settings.items() if key != "sae" and isinstance(value, str))
        for text in (info.id, *texts):
            for found in _PINNED.finditer(text):
                yield found["repo"], found["sha"]
