"""Whether what a published diff was made with, beside its two models, is still what the same names stand for."""

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
    """A repository that has another commit now than in the report: a judge, a reader, an embedder, a set of prompts.

    The settings that two runs share name these, and a name does not say at which commit.

    Args:
        report: That was published, of the same settings.
        specs: The models that the settings name, to see which revisions of them are meant.
        prompts: Where the prompts come from, by the settings.
        api: Asks for whoever wants to take the diff.

    Returns:
        The first one; None where all are the same.

    Raises:
        DiffingError: One of them is gone, its library is not installed, or the Hub cannot be reached.
    """
    parts = (part for spec in specs for part in read_ref(spec).parts)
    wanted = {part.name: part.revision for part in parts if part.revision is not None}
    for repo, sha in dict.fromkeys(_made_with(report)):
        if head_of(api, repo, revision=wanted.get(repo)) != sha:
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
    """Repositories with commits, of all models but the two; an SAE has a name of another kind."""
    for info in report.others:
        told = (value for key, value in info.settings.items() if key != "sae" and isinstance(value, str))
        for text in (info.id, *told):
            for found in _PINNED.finditer(text):
                yield found["repo"], found["sha"]
