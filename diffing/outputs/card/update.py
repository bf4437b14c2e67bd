"""Updates a model card on the Hub: shows the change, commits it, or proposes it in a pull request.

It reads the card at one commit and writes on top of that commit, so that nobody's change is lost.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from huggingface_hub import CommitOperationAdd, HfApi

from diffing.errors import HubError, SettingError
from diffing.hub import commit, head_of, hub_errors, is_private, read_file, user_name
from diffing.outputs.card.described_model import subject_of
from diffing.outputs.card.edit import OptedOutError, edit
from diffing.outputs.card.pull_requests import PullRequest, description_of, pulls_of, title_of
from diffing.outputs.card.section import section
from diffing.outputs.card.text_diff import changes
from diffing.outputs.headline import findings_in_card
from diffing.types import Report

Mode: TypeAlias = Literal["dry-run", "commit", "pr"]
"""`dry-run` shows what would change, `commit` writes to the main branch, `pr` proposes the change."""
_README = "README.md"
_ATTEMPTS = 4
"""Maximum number of attempts if somebody else changes the card meanwhile."""
_STALE, _FORBIDDEN = 412, 403


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """The result of updating a card."""

    happened: Literal["shown", "unchanged", "declined", "committed", "opened", "updated"]
    """`declined`: the card or its owner opted out, or there is nothing to report; nothing was written."""
    said: str
    """One sentence for people."""
    diff: str
    """The change of README.md as a unified diff; empty if nothing changes."""
    url: str | None = None
    """URL of the commit or the pull request."""
    change: str = ""
    """Digest that identifies the shown change byte for byte; empty if nothing changes."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    """One section for one card, with what is needed to write it."""

    api: HfApi
    repo_id: str
    section: str
    title: str
    update_title: str
    report: Report
    dataset: str | None
    agreed: str | None
    editing: Callable[[bytes, str], bytes]

    @property
    def worth_asking(self) -> bool:
        """Whether the report has findings that justify a pull request."""
        return bool(findings_in_card(self.report))


@dataclass(frozen=True, slots=True)
class _Change:
    """The card before and after the update."""

    head: str
    """The commit at which the card was read."""
    before: bytes
    """The present card; empty if there is none."""
    after: bytes
    """The card with the section."""

    @property
    def diff(self) -> str:
        """The change as a unified diff."""
        return changes(self.before.decode(), self.after.decode(), _README)

    @property
    def replaces(self) -> bool:
        """Whether the section takes the place of an earlier one."""
        return not self.after.startswith(self.before)

    @property
    def digest(self) -> str:
        """Digest of the present and the new card."""
        return hashlib.sha256(b"%d\n%b%b" % (len(self.before), self.before, self.after)).hexdigest()


def update_card(
    report: Report,
    repo_id: str,
    *,
    api: HfApi,
    dataset: str | None = None,
    mode: Mode = "dry-run",
    agreed: str | None = None,
    editing: Callable[[bytes, str], bytes] = edit,
) -> CardOutcome:
    """Writes the section to a card, or shows what that would change.

    It can be run again safely: a card that has the section already is not touched, an open pull request of ours is
    updated, and a closed one is respected as a refusal.

    Args:
        report: The report with the findings.
        repo_id: The card's repository; must be one of the report's two models.
        api: A Hub client from `hub_api`, for the account that writes.
        dataset: The dataset in which the whole report is published.
        mode: `dry-run` writes nothing, `commit` needs write access, `pr` opens a pull request.
        agreed: The `change` that somebody saw and agreed to. If the change would now be a different one, nothing is
            written and the new change is shown.
        editing: Puts the section into the card, as `edit` does; the page runs it in a separate process.

    Raises:
        SettingError: The card's markers are ambiguous, its section was edited by hand, or the report compares other
            models.
        HubError: The Hub refused (no access, pull requests switched off, invalid metadata), or cannot be reached.
    """
    subject = subject_of(report, repo_id)
    text = section(report, of=repo_id, dataset=dataset)
    titles = title_of(subject, anew=True), title_of(subject, anew=False)
    proposal = _Proposal(api, repo_id, text, *titles, report, dataset, agreed, editing)
    if mode != "dry-run":
        _check_readable(api, repo_id, dataset, subject.other_repositories)
    for attempt in range(_ATTEMPTS):
        try:
            return _once(proposal, mode)
        except HubError as error:
            if error.status != _STALE or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def _check_readable(api: HfApi, repo_id: str, dataset: str | None, models: Sequence[str]) -> None:
    """Makes sure that a public card does not name or link private repositories."""
    with hub_errors(repo_id):
        if api.model_info(repo_id).private:
            return
    private = [name for name in models if is_private(api, name)]
    if dataset is not None:
        with hub_errors(dataset, repo_type="dataset"):
            private += [f"the dataset {dataset}"] if api.dataset_info(dataset).private else []
    if private:
        raise SettingError(
            f"{repo_id} is public and {private[0]} is private: readers of the card could not open it. Make it public, "
            "or leave it out"
        )


def _once(proposal: _Proposal, mode: Mode) -> CardOutcome:
    repo_id = proposal.repo_id
    change = _change(proposal)
    if change is None:
        said = f"The card of {repo_id} opts out of this section: nothing was written."
        return CardOutcome("declined", said, "")
    if change.before == change.after:
        return CardOutcome("unchanged", f"The card of {repo_id} has this section already.", "")
    if mode == "dry-run":
        said = f"Nothing was written: this is what would change in {repo_id}."
        return CardOutcome("shown", said, change.diff, change=change.digest)
    if proposal.agreed not in (None, change.digest):
        said = f"The card of {repo_id} changed in the meantime: nothing was written. This is what would change now."
        return CardOutcome("shown", said, change.diff, change=change.digest)
    if mode == "commit":
        return _committed(proposal, change)
    return _proposed(proposal, change)


def _change(proposal: _Proposal) -> _Change | None:
    """Reads the card and makes the new one; returns None if the card opts out."""
    head = head_of(proposal.api, proposal.repo_id)
    readme = read_file(proposal.api, proposal.repo_id, _README, revision=head) or b""
    try:
        return _Change(head, readme, proposal.editing(readme, proposal.section))
    except OptedOutError:
        return None


def _committed(proposal: _Proposal, change: _Change) -> CardOutcome:
    title = proposal.update_title if change.replaces else proposal.title
    try:
        made = _commit(proposal, change, title)
    except HubError as error:
        if error.status != _FORBIDDEN:
            raise
        remedy = "Or propose it with a pull request (--pr)."
        raise HubError(f"{error} {remedy}", status=error.status) from None
    said = f"The section was written to the card of {proposal.repo_id}."
    return CardOutcome("committed", said, change.diff, made)


def _proposed(proposal: _Proposal, change: _Change) -> CardOutcome:
    repo_id = proposal.repo_id
    try:
        user = user_name(proposal.api)
        pulls = pulls_of(proposal.api, repo_id, user)
        if ours := next((pull for pull in pulls if pull.is_open and pull.author == user), None):
            return _updated(proposal, change, ours)
        if answer := next(filter(None, (_answer(pull, user) for pull in pulls)), None):
            said, url = answer
            return CardOutcome("declined", f"{repo_id}: {said}", change.diff, url)
        if not proposal.worth_asking and not change.replaces:
            said = f"No difference was confirmed, so no pull request to {repo_id} was opened."
            return CardOutcome("declined", said, change.diff)
        description = description_of(proposal.report, user, proposal.dataset)
        url = _commit(proposal, change, proposal.title, description=description, create_pr=True)
    except HubError as error:
        if error.status != _FORBIDDEN:
            raise
        remedy = "If the owner has switched pull requests off, copy the section by hand."
        raise HubError(f"{error} {remedy}", status=error.status) from None
    return CardOutcome("opened", f"A pull request to {repo_id} was opened.", change.diff, url)


def _answer(pull: PullRequest, user: str) -> tuple[str, str] | None:
    """Says why an earlier pull request rules out a new one, with its URL; returns None if it does not."""
    whose = f"our pull request {pull.num}" if pull.author == user else f"pull request {pull.num}, of {pull.author},"
    if pull.status == "closed" and (pull.author == user or not pull.withdrawn):
        return f"{whose} was closed: no other one is opened.", pull.url
    if pull.is_open and pull.author != user:
        return f"{whose} proposes such a section already: no second one is opened.", pull.url
    return None


def _updated(proposal: _Proposal, change: _Change, pull: PullRequest) -> CardOutcome:
    """Updates our open pull request, unless other users have committed to it."""
    api, repo_id = proposal.api, proposal.repo_id
    if pull.others:
        said = f"{', '.join(pull.others)} committed to our pull request {pull.num} to {repo_id}: it is left as it is."
        return CardOutcome("declined", said, change.diff, pull.url)
    head = head_of(api, repo_id, revision=pull.revision)
    if read_file(api, repo_id, _README, revision=head) == change.after:
        said = f"Our open pull request {pull.num} to {repo_id} says this already."
        return CardOutcome("unchanged", said, change.diff, pull.url)
    _commit(proposal, replace(change, head=head), proposal.update_title, revision=pull.revision)
    said = f"Our open pull request {pull.num} to {repo_id} was updated."
    return CardOutcome("updated", said, change.diff, pull.url)


def _commit(
    proposal: _Proposal,
    change: _Change,
    title: str,
    *,
    description: str = "",
    revision: str | None = None,
    create_pr: bool = False,
) -> str:
    """Commits README.md and returns the URL of the commit or of the new pull request."""
    made = commit(
        proposal.api,
        proposal.repo_id,
        [CommitOperationAdd(_README, change.after)],
        message=title,
        description=description,
        revision=revision,
        parent=change.head,
        create_pr=create_pr,
    )
    return str(made.pr_url if create_pr else made.commit_url)
