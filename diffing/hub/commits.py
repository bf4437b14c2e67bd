"""Makes commits and pull requests on the Hub exactly once, even if the Hub's answer is lost and the call is repeated.

`huggingface_hub` does not repeat a commit, and simply repeating one after a lost answer would create a second commit or
pull request. Here every commit names its parent, so that the Hub accepts it at most once, and before each further
attempt the code checks whether the commit exists already.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import httpx2
from huggingface_hub import CommitInfo, CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from diffing.hub.client import BoundedApi, Patience, head_of
from diffing.hub.hub_errors import hub_errors, seconds_to_wait

log = logging.getLogger(__name__)

Operation = CommitOperationAdd | CommitOperationDelete
_MARKER = "diffing-content:"
_LATEST = 50
"""Number of pull requests that are searched for the commit, newest first."""
_BUSY = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class _Commit:
    """The contents of a commit that is to be made."""

    repo_id: str
    repo_type: str
    revision: str | None
    parent: str | None
    operations: tuple[Operation, ...]
    message: str
    description: str
    create_pr: bool

    @property
    def marker(self) -> str:
        """A line for the description that identifies the content of this commit."""
        digest = hashlib.sha256(self.repo_id.encode())
        for operation in sorted(self.operations, key=lambda each: each.path_in_repo):
            content = operation.upload_info.sha256 if isinstance(operation, CommitOperationAdd) else b"deleted"
            digest.update(f"\0{operation.path_in_repo}\0".encode() + content)
        return f"{_MARKER} {digest.hexdigest()[:16]}"


def commit(
    api: HfApi,
    repo_id: str,
    operations: Sequence[Operation],
    *,
    message: str,
    description: str = "",
    repo_type: str = "model",
    revision: str | None = None,
    parent: str | None = None,
    create_pr: bool = False,
) -> CommitInfo:
    """Makes one commit, or opens one pull request with it; files that are unchanged are not sent.

    If the Hub is busy (429, 5xx) or its answer was lost, the commit is repeated after a pause, unless it is found on
    the branch or among the pull requests.

    Args:
        api: The client, signed in as the author of the commit.
        repo_id: `user/name`.
        operations: Files to add and to delete; either all of them are applied or none.
        message: The title of the commit and of the pull request.
        description: The description; a line that identifies the content is added to it.
        repo_type: `model`, `dataset` or `space`.
        revision: The branch, or `refs/pr/N` for an open pull request.
        parent: The expected head of the branch; if the branch has another head, nothing is written.
        create_pr: Whether to open a pull request instead of writing to the branch.

    Returns:
        The commit; if nothing changed, the head of the branch.

    Raises:
        HubError: The Hub refused (its `status` is 403 without write access, 412 if another commit came first), or it
            cannot be reached.
    """
    draft = _Commit(repo_id, repo_type, revision, parent, tuple(operations), message, description, create_pr)
    patience = api.patience if isinstance(api, BoundedApi) else Patience()
    before = parent or head_of(api, repo_id, repo_type=repo_type, revision=revision)
    attempts = Retrying(
        retry=retry_if_exception(lambda error: _may_pass(error, pinned=parent is not None, patience=patience)),
        wait=lambda state: _pause(state, patience),
        stop=stop_after_attempt(patience.attempts),
        reraise=True,
    )
    with hub_errors(repo_id, revision=revision, doing="write", repo_type=repo_type):
        return attempts(_Attempts(api, draft, before))


class _Attempts:
    """Makes the commit when called; when called again after an error, first checks whether it exists."""

    def __init__(self, api: HfApi, draft: _Commit, before: str) -> None:
        self._api = api
        self._draft = draft
        self._before = before
        self._again = False

    def __call__(self) -> CommitInfo:
        head = self._before
        if self._again:
            if (existing := self._existing()) is not None:
                return existing
            head = self._draft.parent or self._head()
        self._again = True
        try:
            return self._sent(head)
        except HfHubHTTPError as error:
            # the branch may have moved because of an earlier attempt of ours that arrived late
            if error.response.status_code == 412 and (existing := self._existing()) is not None:
                return existing
            raise

    def _head(self) -> str:
        draft = self._draft
        return str(self._api.repo_info(draft.repo_id, repo_type=draft.repo_type, revision=draft.revision).sha)

    def _sent(self, parent: str) -> CommitInfo:
        draft = self._draft
        return self._api.create_commit(
            draft.repo_id,
            draft.operations,
            commit_message=draft.message,
            commit_description=f"{draft.description}\n\n{draft.marker}".strip(),
            repo_type=draft.repo_type,
            revision=draft.revision,
            parent_commit=parent,
            create_pr=draft.create_pr,
        )

    def _existing(self) -> CommitInfo | None:
        """The commit, if an earlier attempt created it although its answer was lost; else None."""
        draft = self._draft
        if not draft.create_pr:
            sha = self._on(draft.revision)
            return None if sha is None else self._info(sha, None)
        mine = self._api.whoami(cache=True)["name"]
        pulls = self._api.get_repo_discussions(
            draft.repo_id, author=mine, discussion_type="pull_request", repo_type=draft.repo_type
        )
        for pull in islice(pulls, _LATEST):
            if pull.title == draft.message and (sha := self._on(f"refs/pr/{pull.num}")) is not None:
                return self._info(sha, pull.url)
        return None

    def _on(self, revision: str | None) -> str | None:
        """The id of the commit on a branch, searched among the commits after its parent; None if it is not there."""
        draft = self._draft
        for each in self._api.list_repo_commits(draft.repo_id, repo_type=draft.repo_type, revision=revision):
            if each.commit_id == self._before:
                return None
            if draft.marker in f"{each.title}\n{each.message}":
                log.info("%s: the Hub's answer was lost, but the commit is there", draft.repo_id)
                return str(each.commit_id)
        return None

    def _info(self, sha: str, pr_url: str | None) -> CommitInfo:
        draft = self._draft
        folder = "" if draft.repo_type == "model" else f"{draft.repo_type}s/"
        return CommitInfo(
            commit_url=f"{self._api.endpoint}/{folder}{draft.repo_id}/commit/{sha}",
            commit_message=draft.message,
            commit_description=draft.description,
            oid=sha,
            _endpoint=self._api.endpoint,
            pr_url=pr_url,
        )


def _may_pass(error: BaseException, *, pinned: bool, patience: Patience) -> bool:
    """Whether the same commit may succeed a little later."""
    if not isinstance(error, HfHubHTTPError):
        return isinstance(error, httpx2.TransportError)
    status = error.response.status_code
    if status == 412:  # somebody else's commit came first
        return not pinned
    return status in _BUSY and (seconds_to_wait(error) or 0.0) <= patience.longest_wait


def _pause(state: RetryCallState, patience: Patience) -> float:
    """Seconds before the next attempt: the Hub's own value if it gives one, else doubled with each attempt."""
    error = state.outcome.exception() if state.outcome else None
    requested = seconds_to_wait(error) if isinstance(error, HfHubHTTPError) else None
    if requested is not None:
        return requested
    return float(min(patience.first_wait * 2 ** (state.attempt_number - 1), patience.longest_wait))
