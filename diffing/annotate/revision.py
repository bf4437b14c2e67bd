"""One revision, from what the Hub says of it to the dataset and the card: the work of the annotator.

Every step can be repeated: what is compared is decided once and kept, completions are cached, an unchanged dataset is
not committed, and a repository has one open pull request of ours. Writes to the models' repositories only what
`diffing.outputs.card` writes.
"""

import hashlib
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.hf_api import ModelInfo, RepoFile

from diffing.annotate.delivery import Ignored, Push, is_hub_name
from diffing.annotate.queue import QUEUE, Job, Queue
from diffing.annotate.settings import Against, AnnotatorSettings
from diffing.annotate.worker import Done, Worker, one_line
from diffing.errors import HubError, SettingError
from diffing.hub import hub_api, hub_errors, user_name
from diffing.types import OnProgress, Report

CARD = "README.md"
_ADAPTER = "adapter_config.json"
_WEIGHTS = (".safetensors", ".bin")
_FORBIDDEN = 403
_LOOKED_BACK = 50
"""Commits of a watched model that are looked at on start, newest first."""
_LONGEST_NAME = 96
"""Characters of a repository's name on the Hub, at most."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, as models of a diff, pinned to commits."""

    model_a: str
    """The base, or the revision before."""
    model_b: str
    """The revision to be annotated."""


class Annotator:
    """Does one job: looks, compares, publishes."""

    def __init__(self, settings: AnnotatorSettings, queue: Queue, api: HfApi | None = None) -> None:
        self._settings = settings
        self._queue = queue
        self._api = api or hub_api()

    def __call__(self, job: Job, on_progress: OnProgress) -> Done | Ignored:
        """See `diffing.annotate.worker.Work`."""
        if job.model_b:
            comparison: Comparison | Ignored = Comparison(job.model_a, job.model_b)
        else:
            comparison = compare_what(self._api, Push(job.repository, job.commit, job.parent), self._settings.against)
        if isinstance(comparison, Ignored):
            return comparison
        self._queue.decide(job, comparison.model_a, comparison.model_b)
        report = diff_of(self._settings, job.repository, comparison, on_progress)
        if self._queue.superseded(job):
            return Ignored("a later revision has been annotated already")
        done, own = publish(self._api, self._settings, job.repository, comparison, report)
        if own is not None:
            self._queue.remember_own(job.repository, own)
        return done

    def catch_up(self) -> None:
        """Queues the heads of the watched models that were not annotated, those that failed included.

        Raises:
            HubError: The Hub cannot be reached, or a model cannot be read; the others have been looked at.
        """
        failed: HubError | None = None
        for repository in self._settings.watch:
            try:
                self._queue.add(last_of_substance(self._api, self._queue, repository), again=True)
            except HubError as error:
                failed = error
        if failed is not None:
            raise failed


def annotate_forever(settings: AnnotatorSettings) -> None:
    """What the worker's process does."""
    queue = Queue(settings.state / QUEUE)
    annotator = Annotator(settings, queue)
    Worker(queue, annotator, tries=settings.tries, catch_up=annotator.catch_up).run()


def diff_of(settings: AnnotatorSettings, repository: str, comparison: Comparison, on_progress: OnProgress) -> Report:
    """Does the diff, and keeps its report beside the completions.

    Raises:
        DiffingError: What `diffing.run.run` raises.
    """
    from diffing.models.cache import Store
    from diffing.report import save_report
    from diffing.run import run

    report = run(
        settings.config(comparison.model_a, comparison.model_b),
        limits=settings.limits,
        store=Store(settings.state / "completions.sqlite"),
        on_progress=on_progress,
    )
    save_report(report, settings.state / "reports" / name_of(repository))
    return report


def publish(
    api: HfApi, settings: AnnotatorSettings, repository: str, comparison: Comparison, report: Report
) -> tuple[Done, str | None]:
    """Brings a report to the Hub: the dataset, then the card. A card that may not be edited is no failure of the diff.

    Returns:
        What came of it, and our own commit on the model's main branch where there is one.

    Raises:
        SettingError: The dataset's name is taken by something else.
        HubError: The Hub refuses or cannot be reached.
    """
    from diffing.outputs.card import update_card
    from diffing.outputs.dataset import push_report

    dataset = f"{settings.namespace or user_name(api)}/{name_of(repository)}"
    private = private_of(api, comparison)
    # one dataset per model: it follows the card when that names another base
    pushed = push_report(report, dataset, api=api, private=bool(private) or None, overwrite=True)
    if settings.card == "off":
        return Done(dataset=pushed.url), None
    if private and repository not in private:
        remark = "It was compared with a private model: the dataset is private, and the public card was left alone."
        return Done(dataset=pushed.url, remark=remark), None
    try:
        outcome = update_card(report, repository, api=api, dataset=dataset, mode=settings.card)
    except (SettingError, HubError) as error:
        if isinstance(error, HubError) and error.status != _FORBIDDEN:
            raise
        return Done(dataset=pushed.url, remark=one_line(error)), None
    own = outcome.url.rsplit("/", 1)[-1] if outcome.url and outcome.happened == "committed" else None
    return Done(dataset=pushed.url, card=outcome.url or "", remark=outcome.said), own


def compare_what(api: HfApi, push: Push, against: Against) -> Comparison | Ignored:
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
    if push.parent and changed_files(api, repository, push.parent, commit) <= {CARD}:
        return Ignored(f"nothing but {CARD} changed")
    base = base_of(api, info)
    if _ADAPTER in files:
        if isinstance(base, Ignored):
            return base
        before, after = f"{base}+{repository}@", f"{base}+{repository}@{commit}"
    else:
        before, after = f"{repository}@", f"{repository}@{commit}"
    if against != "previous" and not isinstance(base, Ignored):
        return Comparison(base, after)
    if against == "base" and isinstance(base, Ignored):
        return base
    previous = _previous(api, push)
    return previous if isinstance(previous, Ignored) else Comparison(f"{before}{previous}", after)


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


def base_of(api: HfApi, info: ModelInfo) -> str | Ignored:
    """The base model that a card names, at its present commit.

    Of several (a merge), none is "the" base: which one to compare with is not for us to say.

    Raises:
        HubError: The base model cannot be read.
    """
    named = getattr(info.card_data, "base_model", None) if info.card_data else None
    names = named if isinstance(named, list) else [named] if named else []
    if not names:
        return Ignored("the card names no base_model")
    if not all(is_hub_name(name) for name in names):
        return Ignored("the base_model in the card is no model on the Hub")
    if len(set(names)) > 1:
        return Ignored("the card names several base models")
    base = _info(api, names[0], None)
    if base.id == info.id:
        return Ignored("the card names the model itself as its base_model")
    return f"{base.id}@{base.sha}"


def last_of_substance(api: HfApi, queue: Queue, repository: str) -> Push:
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
        if not changed_files(api, repository, parent, commit) <= {CARD}:
            return Push(repository, commit, parent)
    return Push(repository, commits[-1], None)


def private_of(api: HfApi, comparison: Comparison) -> frozenset[str]:
    """The private ones of the models that take part: what they say must not become public.

    Raises:
        HubError: One of them cannot be read.
    """
    parts = [part for model in (comparison.model_a, comparison.model_b) for part in model.split("+")]
    names = sorted({part.partition("@")[0] for part in parts})
    return frozenset(name for name in names if _info(api, name, None).private)


def name_of(repository: str) -> str:
    """The name of a model's result dataset: `org__name-diff`; where that is too long, cut and told apart by a hash."""
    name = repository.replace("/", "__")
    whole = f"{name}-diff"
    if len(whole) <= _LONGEST_NAME:
        return whole
    digest = hashlib.sha256(repository.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 14].rstrip('-.')}-{digest}-diff"


def _info(api: HfApi, name: str, revision: str | None) -> ModelInfo:
    with hub_errors(name, revision=revision):
        return api.model_info(name, revision=revision)


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
