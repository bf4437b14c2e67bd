"""Commits that are made once, also where the Hub's answer is lost.

The stock client sends a commit once and repeats nothing; one that is repeated after a lost answer makes a second commit
or a second pull request. Here every commit names its parent, so that the Hub takes it at most once, and before another
try it is looked for.
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
"""Pull requests looked through, newest first."""
_BUSY = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class _Commit:
    """One commit to be made."""

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
        """A line that tells this commit's content from any other's."""
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
    """Makes one commit, or opens one pull request with it; files that are the same already are not sent.

    A Hub that is busy (429, 5xx), or whose answer was lost, is asked again after a pause, but only when the commit is
    found neither on the branch nor among the pull requests.

    Args:
        api: Acts for whoever owns its token.
        repo_id: `user/name`.
        operations: Files to add and to delete, all of them or none.
        message: The commit's title, and the pull request's.
        description: More on it; a line that identifies the content is added.
        repo_type: `model`, `dataset` or `space`.
        revision: Branch, or `refs/pr/N` for an open pull request.
        parent: The commit that this one was made for: when the branch has moved on, nothing is written.
        create_pr: Open a pull request instead of writing to the branch.

    Returns:
        The commit; without changes, the head of the branch.

    Raises:
        HubError: Refused (its `status` says how: 403 no write access, 412 another commit came first), or out of reach.
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
    """Makes the commit when called; when called again, after an error, looks for it first."""

    def __init__(self, api: HfApi, draft: _Commit, before: str) -> None:
        self._api = api
        self._draft = draft
        self._before = before
        self._again = False

    def __call__(self) -> CommitInfo:
        head = self._before
        if self._again:
            if (there := self._found()) is not None:
                return there
            head = self._draft.parent or self._head()
        self._again = True
        try:
            return self._sent(head)
        except HfHubHTTPError as error:
            # one of our own, slow to arrive, may be what moved the branch
            if error.response.status_code == 412 and (there := self._found()) is not None:
                return there
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

    def _found(self) -> CommitInfo | None:
        """The commit, where the Hub has it although it did not say so."""
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
        """The id of the commit on a branch, among those that came after the one it was made for."""
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
    """Whether the same may succeed a little later."""
    if not isinstance(error, HfHubHTTPError):
        return isinstance(error, httpx2.TransportError)
    status = error.response.status_code
    if status == 412:  # somebody else's commit came first
        return not pinned
    return status in _BUSY and (seconds_to_wait(error) or 0.0) <= patience.longest_wait


def _pause(state: RetryCallState, patience: Patience) -> float:
    """Seconds before the next attempt: what the Hub asks for, else twice as long from time to time."""
    error = state.outcome.exception() if state.outcome else None
    asked = seconds_to_wait(error) if isinstance(error, HfHubHTTPError) else None
    return (
        asked
        if asked is not None
        else min(patience.first_wait * 2 ** (state.attempt_number - 1), patience.longest_wait)
    )
