"""Decides from the Hub's data what a new revision is compared with, and whether the revision is worth annotating."""

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.hf_api import ModelInfo, RepoFile

from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import Against
from diffing.annotate.webhook_payload import IgnoredPush, ModelPush, is_hub_name
from diffing.errors import HubError
from diffing.hub import hub_errors
from diffing.model_ref import ModelPlace, ModelRef, read_ref

CARD = "README.md"
_ADAPTER = "adapter_config.json"
_WEIGHTS = (".safetensors", ".bin")
_LOOKED_BACK = 50
"""Maximum number of commits of a model to look at, newest first."""


@dataclass(frozen=True, slots=True)
class ComparedModels:
    """The two models of a diff, pinned to commits."""

    model_a: str
    """The base model, or the previous revision."""
    model_b: str
    """The revision to be annotated."""


def choose_comparison(api: HfApi, push: ModelPush, against: Against) -> ComparedModels | IgnoredPush:
    """Decides what a revision is compared with.

    Args:
        api: A Hub client.
        push: The new revision.
        against: `base`, `previous` or `base-or-previous`.

    Raises:
        HubError: The model or its base cannot be read.
    """
    repository, commit = push.repository, push.commit
    info = _info(api, repository, commit)
    files = _files(info)
    if not any(name.endswith(_WEIGHTS) for name in files):
        return IgnoredPush("no weights in this revision")
    if push.parent and not is_new_model(api, repository, push.parent, commit, against):
        return IgnoredPush(f"nothing but {CARD} changed")
    base = base_of(api, info)
    ref = ModelRef(ModelPlace.HUB, repository)
    if _ADAPTER in files:
        if isinstance(base, IgnoredPush):
            return base
        ref = ref.on(base)
    if against != "previous" and not isinstance(base, IgnoredPush):
        return ComparedModels(str(base), str(ref.at(commit)))
    if against == "base" and isinstance(base, IgnoredPush):
        return base
    previous = _previous(api, push)
    return previous if isinstance(previous, IgnoredPush) else ComparedModels(str(ref.at(previous)), str(ref.at(commit)))


def changed_files(api: HfApi, repository: str, before: str, after: str) -> set[str]:
    """Returns the paths that differ between two commits; all paths if rewritten history has removed the earlier one.

    Raises:
        HubError: The repository cannot be read.
    """
    new = _tree(api, repository, after)
    try:
        old = _tree(api, repository, before)
    except HubError as error:
        if error.status != 404:
            raise
        old = {}
    return {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}


def is_new_model(api: HfApi, repository: str, before: str, after: str, against: Against) -> bool:
    """Whether more than the card changed between two commits, or the base model that the card names.

    Many authors push the weights first and name the base model in a later commit of the card.

    Raises:
        HubError: The repository cannot be read.
    """
    if not changed_files(api, repository, before, after) <= {CARD}:
        return True
    return against != "previous" and _named(_info(api, repository, before)) != _named(_info(api, repository, after))


def base_of(api: HfApi, info: ModelInfo) -> ModelRef | IgnoredPush:
    """Returns the base model that a card names, at its present commit.

    If a card names several base models, as for a merge, the revision is ignored, because none of them is the base.

    Raises:
        HubError: The base model cannot be read.
    """
    names = _named(info)
    if not names:
        return IgnoredPush("the card names no base_model")
    if not all(is_hub_name(name) for name in names):
        return IgnoredPush("the base_model in the card is not a model on the Hub")
    if len(set(names)) > 1:
        return IgnoredPush("the card names several base models")
    base = _info(api, names[0], None)
    if base.id == info.id:
        return IgnoredPush("the card names the model itself as its base_model")
    return ModelRef(ModelPlace.HUB, base.id, base.sha)


def last_of_substance(api: HfApi, queue: RevisionQueue, repository: str, against: Against) -> ModelPush:
    """Returns the newest revision that changed more than the card, or that the queue knows already.

    Thus a section merged into a card does not count as a new model after a restart, even if the queue was lost.

    Raises:
        HubError: The repository cannot be read.
    """
    with hub_errors(repository):
        commits = [each.commit_id for each in islice(api.list_repo_commits(repository), _LOOKED_BACK)]
    for commit, parent in pairwise(commits):
        if queue.state_of(repository, commit) in ("queued", "running", "done"):
            return ModelPush(repository, commit, parent)
        if is_new_model(api, repository, parent, commit, against):
            return ModelPush(repository, commit, parent)
    return ModelPush(repository, commits[-1], None)


def is_outdated(api: HfApi, push: ModelPush, against: Against) -> bool:
    """Whether the main branch has later changes of more than the card, or no longer contains the revision.

    Only the present state of a model is annotated: a dozen checkpoints pushed during one diff cause one more diff, and
    a repeated webhook request does not replace a later state with an older one.

    Raises:
        HubError: The repository cannot be read.
    """
    with hub_errors(push.repository):
        commits = [each.commit_id for each in islice(api.list_repo_commits(push.repository), _LOOKED_BACK)]
    if push.commit not in commits:
        return True
    later = commits[: commits.index(push.commit) + 1]
    return any(is_new_model(api, push.repository, old, new, against) for new, old in pairwise(later))


def private_of(api: HfApi, comparison: ComparedModels) -> frozenset[str]:
    """Returns the private ones of the compared models, whose responses must not become public.

    Raises:
        HubError: One of them cannot be read.
    """
    models = (comparison.model_a, comparison.model_b)
    names = sorted({part.name for model in models for part in read_ref(model).parts})
    return frozenset(name for name in names if _info(api, name, None).private)


def _info(api: HfApi, name: str, revision: str | None) -> ModelInfo:
    with hub_errors(name, revision=revision):
        return api.model_info(name, revision=revision)


def _named(info: ModelInfo) -> list[Any]:
    """Returns the base models that a card names, unchecked."""
    named = getattr(info.card_data, "base_model", None) if info.card_data else None
    return named if isinstance(named, list) else [named] if named else []


def _files(info: ModelInfo) -> set[str]:
    return {each.rfilename for each in info.siblings or ()}


def _tree(api: HfApi, repository: str, commit: str) -> dict[str, Any]:
    """Returns the files of a commit, each with the id of its content."""
    with hub_errors(repository, revision=commit):
        items = api.list_repo_tree(repository, revision=commit, recursive=True)
        return {each.path: each.blob_id for each in items if isinstance(each, RepoFile)}


def _previous(api: HfApi, push: ModelPush) -> str | IgnoredPush:
    """Returns the previous revision if it has weights."""
    previous = push.parent
    if previous is None:
        with hub_errors(push.repository, revision=push.commit):
            commits = [each.commit_id for each in api.list_repo_commits(push.repository, revision=push.commit)]
        if len(commits) < 2:
            return IgnoredPush("there is no previous revision")
        previous = commits[1]
    if not any(name.endswith(_WEIGHTS) for name in _files(_info(api, push.repository, previous))):
        return IgnoredPush("the previous revision had no weights")
    return previous
