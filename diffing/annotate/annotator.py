"""Annotates one revision of a model: decides on the comparison, runs it, and publishes the dataset and card section.

Every step can be repeated safely: the comparison is decided once and stored, completions are cached, an unchanged
dataset gets no commit, and a repository gets at most one open pull request from us. Only `diffing.outputs.card` writes
to the models' repositories.
"""

import hashlib
from functools import partial

from huggingface_hub import HfApi

from diffing.annotate.compared_models import (
    ComparedModels,
    choose_comparison,
    is_outdated,
    last_of_substance,
    private_of,
)
from diffing.annotate.revision_queue import QUEUE, RevisionJob, RevisionQueue
from diffing.annotate.settings import AnnotatorSettings
from diffing.annotate.webhook_payload import IgnoredPush, ModelPush
from diffing.annotate.weight_cleanup import only_while_needed
from diffing.annotate.worker import FinishedJob, PostponedJob, Worker, one_line
from diffing.errors import DiffingError, HubError, SettingError
from diffing.hub import head_of, hub_api, user_name
from diffing.types import OnProgress, Report

_OUTDATED = IgnoredPush("the model has a later revision already")
_DAY = 24 * 3600.0
_RECHECK = 600.0
"""Seconds until a postponed job is tried again."""
_FORBIDDEN = 403
_LONGEST_NAME = 96
"""Maximum number of characters of a repository's name on the Hub."""


class Annotator:
    """Does the work of one job: checks the revision, compares it and publishes the result."""

    def __init__(self, settings: AnnotatorSettings, queue: RevisionQueue, api: HfApi | None = None) -> None:
        self._settings = settings
        self._queue = queue
        self._api = api or hub_api()

    def __call__(self, job: RevisionJob, on_progress: OnProgress) -> FinishedJob | IgnoredPush | PostponedJob:
        """Annotates the revision of a job; this is the worker's `Work` function."""
        user_name(self._api)  # fails early if there is no valid token to publish with
        task = job.task
        push = ModelPush(task.repository, task.commit, task.parent)
        if task.model_b:
            comparison: ComparedModels | IgnoredPush = ComparedModels(task.model_a, task.model_b)
        else:
            comparison = choose_comparison(self._api, push, self._settings.against)
        if isinstance(comparison, IgnoredPush):
            return comparison
        if self._queue.superseded(job) or is_outdated(self._api, push, self._settings.against):
            return _OUTDATED
        if not task.model_b and self._queue.begun(_DAY) >= self._settings.most_per_day:
            return PostponedJob(f"{self._settings.most_per_day} diffs were begun within a day (most_per_day)", _RECHECK)
        self._queue.decide(job, comparison.model_a, comparison.model_b)
        with only_while_needed(task.repository):
            report = self._published(task.repository, comparison)
            report = report or diff_of(self._settings, task.repository, comparison, on_progress)
        if self._queue.superseded(job) or is_outdated(self._api, push, self._settings.against):
            return _OUTDATED
        done, own = publish(self._api, self._settings, task.repository, comparison, report)
        if own is not None:
            self._queue.remember_own(task.repository, own)
        return done

    def _published(self, repository: str, comparison: ComparedModels) -> Report | None:
        """Loads the same diff if this service published it before, for example if its queue was lost since.

        Only its own dataset is used, so that what others publish about this model does not get into its card.
        """
        from diffing.config import local_files, settings_of
        from diffing.models.cache import Store
        from diffing.outputs.dataset import RunIdentity, identity_of, settings_digest
        from diffing.report import load_report
        from diffing.run import model_ids
        from diffing.versions import versions

        config = self._settings.config(comparison.model_a, comparison.model_b)
        if local_files(config):  # a report contains only the names of such files
            return None
        name = dataset_of(self._api, self._settings, repository)
        try:
            report = load_report(f"{name}@{head_of(self._api, name, repo_type='dataset')}", self._api.token)
        except HubError as error:
            if error.status not in (401, 404):  # it may exist, so an outage of the Hub must not cause a second paid run
                raise
            return None
        except DiffingError:  # not a readable report of this version: it will be published again
            return None
        ids = model_ids(config, Store.in_folder(self._settings.state))
        identity = RunIdentity(*ids, settings_digest(settings_of(config), versions().get("diffing", "")))
        return report if identity_of(report) == identity else None

    def catch_up(self, service_started: float) -> None:
        """Queues the latest revisions of the watched models that were not annotated.

        This includes those that failed before the service started. Later failures are final, because otherwise a model
        that crashes the worker process would be tried for ever.

        Args:
            service_started: Start time of the service, in seconds since 1970.

        Raises:
            HubError: The Hub cannot be reached, or a model cannot be read; the other models have been checked.
        """
        failed: HubError | None = None
        for repository in self._settings.watch:
            try:
                head = last_of_substance(self._api, self._queue, repository, self._settings.against)
                self._queue.add(head, failed_before=service_started)
            except HubError as error:
                failed = error
        if failed is not None:
            raise failed


def annotate_forever(settings: AnnotatorSettings, service_started: float) -> None:
    """Runs the worker; the supervisor may call this more than once during the life of a service."""
    queue = RevisionQueue(settings.state / QUEUE)
    annotator = Annotator(settings, queue)
    Worker(queue, annotator, tries=settings.tries, catch_up=partial(annotator.catch_up, service_started)).run()


def diff_of(
    settings: AnnotatorSettings, repository: str, comparison: ComparedModels, on_progress: OnProgress
) -> Report:
    """Runs the diff, and saves its report beside the completions.

    Raises:
        DiffingError: The run fails, as in `diffing.run.run`.
    """
    from diffing.models.cache import Store
    from diffing.report import save_report
    from diffing.run import run

    report = run(
        settings.config(comparison.model_a, comparison.model_b),
        limits=settings.limits,
        store=Store.in_folder(settings.state),
        on_progress=on_progress,
    )
    save_report(report, settings.state / "reports" / name_of(repository))
    return report


def publish(
    api: HfApi, settings: AnnotatorSettings, repository: str, comparison: ComparedModels, report: Report
) -> tuple[FinishedJob, str | None]:
    """Publishes a report as a dataset and then in the model card; a card that may not be edited is not an error.

    Returns:
        The result, and our own commit on the model's main branch or None if there is none.

    Raises:
        SettingError: The dataset's name is taken by something else.
        HubError: The Hub refuses or cannot be reached.
    """
    from diffing.outputs.card import update_card
    from diffing.outputs.dataset import push_report

    dataset = dataset_of(api, settings, repository)
    private = private_of(api, comparison)
    # overwrite: a model keeps its one dataset when its card names another base model
    pushed = push_report(report, dataset, api=api, private=bool(private) or None, overwrite=True)
    if settings.card == "off":
        return FinishedJob(dataset=pushed.url), None
    if private and repository not in private:
        remark = "It was compared with a private model, so the dataset is private and the public card was not changed."
        return FinishedJob(dataset=pushed.url, remark=remark), None
    try:
        outcome = update_card(report, repository, api=api, dataset=dataset, mode=settings.card)
    except (SettingError, HubError) as error:
        if isinstance(error, HubError) and error.status != _FORBIDDEN:
            raise
        return FinishedJob(dataset=pushed.url, remark=one_line(error)), None
    own = outcome.url.rsplit("/", 1)[-1] if outcome.url and outcome.happened == "committed" else None
    return FinishedJob(dataset=pushed.url, card=outcome.url or "", remark=outcome.said), own


def dataset_of(api: HfApi, settings: AnnotatorSettings, repository: str) -> str:
    """Returns the name of the dataset for the results of a model.

    Raises:
        HubError: The Hub does not accept the token.
    """
    return f"{settings.namespace or user_name(api)}/{name_of(repository)}"


def name_of(repository: str) -> str:
    """Returns the name of a model's result dataset, such as `org__name-diff`.

    If that is too long or ambiguous, the name contains a hash.
    """
    name = repository.replace("/", "__")
    whole = f"{name}-diff"
    if len(whole) <= _LONGEST_NAME and name.find("__") == name.rfind("__"):
        return whole
    digest = hashlib.sha256(repository.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 14].rstrip('-.')}-{digest}-diff"
