"""What a revision is compared with, as the Hub tells it, and which revision of a model counts. Changes nothing."""

from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.hf_api import ModelInfo, RepoFile

from diffing.annotate.revision_queue import RevisionQueue
from diffing.annotate.settings import Against
from diffing.annotate.webhook_payload import Ignored, Push, is_hub_name
from diffing.errors import HubError
from diffing.hub import hub_errors
from diffing.model_ref import ModelPlace, ModelRef, read_ref

CARD = "README.md"
_ADAPTER = "adapter_config.json"
_WEIGHTS = (".safetensors", ".bin")
_LOOKED_BACK = 50
"""Commits of a model that are looked at, newest first."""


@dataclass(frozen=True, slots=True)
class ComparedModels:
    """What is compared, as models of a diff, pinned to commits."""

    model_a: str
    """The base, or the revision before."""
    model_b: str
    """The revision to be annotated."""


def choose_comparison(api: HfApi, push: Push, against: Against) -> ComparedModels | Ignored:
    """Decides what a revision is compared with.

    Args:
        api: Reads the Hub.
        push: The revision.
        against: `base`, `previous` or `base-or-previous`.

    Raises:
        HubError: The model or its base cannot be read.
    """
    repository, commit = push.repository, push.commit
    info = _info(api, repository, commit)
    files = _files(info)
    if not any(name.endswith(_WEIGHTS) for name in files):
        return Ignored("no weights in this revision")
    if push.parent and not is_new_model(api, repository, push.parent, commit, against):
        return Ignored(f"nothing but {CARD} changed")
    base = base_of(api, info)
    ref = ModelRef(ModelPlace.HUB, repository)
    if _ADAPTER in files:
        if isinstance(base, Ignored):
            return base
        ref = ref.on(base)
    if against != "previous" and not isinstance(base, Ignored):
        return ComparedModels(str(base), str(ref.at(commit)))
    if against == "base" and isinstance(base, Ignored):
        return base
    previous = _previous(api, push)
    return previous if isinstance(previous, Ignored) else ComparedModels(str(ref.at(previous)), str(ref.at(commit)))


def changed_files(api: HfApi, repository: str, before: str, after: str) -> set[str]:
    """The paths that differ between two commits; all of them where the earlier one is no more (rewritten history).

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
    """Whether more than the card changed between two commits, or what the card says the model is to be compared with.

    Weights come before their card as often as with it: who names the base only then is waiting for the comparison.

    Raises:
        HubError: The repository cannot be read.
    """
    if not changed_files(api, repository, before, after) <= {CARD}:
        return True
    return against != "previous" and _named(_info(api, repository, before)) != _named(_info(api, repository, after))


def base_of(api: HfApi, info: ModelInfo) -> ModelRef | Ignored:
    """The base model that a card names, at its present commit.

    Of several (a merge), none is "the" base: which one to compare with is not for us to say.

    Raises:
        HubError: The base model cannot be read.
    """
    names = _named(info)
    if not names:
        return Ignored("the card names no base_model")
    if not all(is_hub_name(name) for name in names):
        return Ignored("the base_model in the card is no model on the Hub")
    if len(set(names)) > 1:
        return Ignored("the card names several base models")
    base = _info(api, names[0], None)
    if base.id == info.id:
        return Ignored("the card names the model itself as its base_model")
    return ModelRef(ModelPlace.HUB, base.id, base.sha)


def last_of_substance(api: HfApi, queue: RevisionQueue, repository: str, against: Against) -> Push:
    """The newest revision that changed more than the card, or that is being or was annotated.

    So that a section that was merged into a card is not taken for a new model after a restart, even where the queue
    was lost with the machine.

    Raises:
        HubError: The repository cannot be read.
    """
    with hub_errors(repository):
        commits = [each.commit_id for each in islice(api.list_repo_commits(repository), _LOOKED_BACK)]
    for commit, parent in pairwise(commits):
        if queue.state_of(repository, commit) in ("queued", "running", "done"):
            return Push(repository, commit, parent)
        if is_new_model(api, repository, parent, commit, against):
            return Push(repository, commit, parent)
    return Push(repository, commits[-1], None)


def is_outdated(api: HfApi, push: Push, against: Against) -> bool:
    """Whether the main branch has changed more than the card since, or no longer holds the revision.

    What is said of a model is to be said of the model as it is: a dozen checkpoints pushed while one diff runs are one
    diff more, and a delivery that is sent again does not put an older state before a later one.

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
    """The private ones of the models that take part: what they say must not become public.

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
    """The base models in a card, as they stand there."""
    named = getattr(info.card_data, "base_model", None) if info.card_data else None
    return named if isinstance(named, list) else [named] if named else []


def _files(info: ModelInfo) -> set[str]:
    return {each.rfilename for each in info.siblings or ()}


def _tree(api: HfApi, repository: str, commit: str) -> dict[str, Any]:
    """Each file with what tells its content."""
    with hub_errors(repository, revision=commit):
        items = api.list_repo_tree(repository, revision=commit, recursive=True)
        return {each.path: each.blob_id for each in items if isinstance(each, RepoFile)}


def _previous(api: HfApi, push: Push) -> str | Ignored:
    """The revision before, where that had weights."""
    previous = push.parent
    if previous is None:
        with hub_errors(push.repository, revision=push.commit):
            commits = [each.commit_id for each in api.list_repo_commits(push.repository, revision=push.commit)]
        if len(commits) < 2:
            return Ignored("there is no revision before")
        previous = commits[1]
    if not any(name.endswith(_WEIGHTS) for name in _files(_info(api, push.repository, previous))):
        return Ignored("the revision before had no weights")
    return previous
