"""The queue of model revisions to annotate; a revision is one job, however often the webhook announces it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

from diffing.annotate.webhook_payload import ModelPush
from diffing.jobs import JobStore, State, StoredJob
from diffing.model_ref import ModelPlace, ModelRef

QUEUE = "queue.sqlite"
"""Name of the queue's file in the service's folder."""
_FROM_0 = """
INSERT INTO jobs (position, key, owner, task, state, reason, tries, next_try, begun, changed, told)
SELECT position, lower(repository) || '@' || revision, lower(repository),
    json_object('repository', repository, 'commit', revision, 'parent', parent, 'model_a', model_a, 'model_b', model_b),
    state, reason, tries, next_try, begun, changed, json_object('dataset', dataset, 'card', card)
FROM revisions;
INSERT INTO notes SELECT lower(repository) || '@' || revision FROM own_commits;
DROP TABLE revisions;
DROP TABLE own_commits;
"""
STATES: tuple[State, ...] = ("queued", "running", "done", "ignored", "failed")
"""The states in which a revision can be."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of one repository."""

    repository: str
    """`org/name`."""
    commit: str
    """The commit of the revision."""
    parent: str | None
    """The previous head commit; None if it is unknown."""
    model_a: str = ""
    """The model it is compared with; empty before the first try."""
    model_b: str = ""
    """The revision as a model string; empty before the first try."""


@dataclass(frozen=True, slots=True)
class RevisionProgress:
    """The progress of a revision's diff, and its results."""

    stage: str = ""
    """The current stage of the diff."""
    done: int = 0
    """Number of finished steps of the stage."""
    total: int = 0
    """Number of all steps of the stage; 0 if it is unknown."""
    dataset: str = ""
    """URL of the result dataset; empty if there is none."""
    card: str = ""
    """URL of the pull request or commit; empty if there is none."""


RevisionJob: TypeAlias = StoredJob[Revision, RevisionProgress]


class RevisionQueue(JobStore[Revision, RevisionProgress]):
    """The queue of revisions. A job's owner is its repository, in lower case, because the Hub's names ignore case."""

    EARLIER: ClassVar[Mapping[int, tuple[str, str]]] = {
        0: ("ALTER TABLE jobs RENAME TO revisions; DROP INDEX jobs_by_state;", _FROM_0)
    }

    def add(self, push: ModelPush, *, failed_before: float = 0.0) -> bool:
        """Queues a revision unless the queue knows it already.

        Args:
            push: The revision.
            failed_before: A known revision that failed before this time (seconds since 1970) is queued again.

        Returns:
            Whether it was queued.
        """
        revision = Revision(push.repository, push.commit, push.parent)
        key = _key(push.repository, push.commit)
        return self.insert(key, push.repository.casefold(), revision, failed_before=failed_before)

    def remember_own(self, repository: str, commit: str) -> None:
        """Records a commit of our own, so that the webhook request that it causes is ignored."""
        self.note(_key(repository, commit))

    def is_own(self, repository: str, commit: str) -> bool:
        """Whether the commit was recorded as our own."""
        return self.noted(_key(repository, commit))

    def decide(self, job: RevisionJob, model_a: str, model_b: str) -> None:
        """Stores the models to compare, so that every further try compares the same; the diff begins now."""
        self.begin(job.key, replace(job.task, model_a=model_a, model_b=model_b))

    def superseded(self, job: RevisionJob) -> bool:
        """Whether a later revision of the repository was annotated already."""
        query = "SELECT 1 FROM jobs WHERE owner = ? AND position > ? AND state = 'done' LIMIT 1"
        return bool(self._rows(query, (job.owner, job.position)))

    def state_of(self, repository: str, commit: str) -> State | None:
        """Returns the state of a revision; None if the queue does not know it."""
        job = self.get(_key(repository, commit))
        return job.state if job else None

    def read_task(self, values: Mapping[str, Any]) -> Revision:  # noqa: D102
        return Revision(**values)

    def read_told(self, values: Mapping[str, Any]) -> RevisionProgress:  # noqa: D102
        return RevisionProgress(**values)


def _key(repository: str, commit: str) -> str:
    return str(ModelRef(ModelPlace.HUB, repository.casefold(), commit))
