"""A section's way to a card on the Hub: shown, committed by those who may, or proposed in one pull request.

Reads the card at one commit and writes on that commit, so that nobody's change is lost. Knows nothing of Markdown.
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
from diffing.outputs.card.section import findings_in_card, section
from diffing.outputs.card.text_diff import changes
from diffing.types import Report

Mode: TypeAlias = Literal["dry-run", "commit", "pr"]
"""Show what would change; write to the main branch; propose it."""
_README = "README.md"
_ATTEMPTS = 4
"""Times that the card is read anew because somebody else changed it."""
_STALE, _FORBIDDEN = 412, 403


@dataclass(frozen=True, slots=True)
class CardOutcome:
    """What became of a card."""

    happened: Literal["shown", "unchanged", "declined", "committed", "opened", "updated"]
    """`declined`: the card or its owner does not want it, or there is nothing to say; nothing was written."""
    said: str
    """One sentence for people."""
    diff: str
    """What changes in README.md, as a unified diff; empty where nothing does."""
    url: str | None = None
    """The commit or the pull request."""
    change: str = ""
    """Tells the change that was shown from every other one, byte for byte; empty where nothing changes."""


@dataclass(frozen=True, slots=True)
class _Proposal:
    """One section for one card."""

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
        """Whether there is anything that an owner's time should be taken for."""
        return bool(findings_in_card(self.report))


@dataclass(frozen=True, slots=True)
class _Change:
    """What the section makes of a card."""

    head: str
    """The commit at which the card was read."""
    before: bytes
    """The card as it is; empty where there is none."""
    after: bytes
    """With the section."""

    @property
    def diff(self) -> str:
        """What changes, as a unified diff."""
        return changes(self.before.decode(), self.after.decode(), _README)

    @property
    def replaces(self) -> bool:
        """Whether the section takes the place of an earlier one."""
        return not self.after.startswith(self.before)

    @property
    def digest(self) -> str:
        """Of the card as it is and as it would be."""
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
    """Brings the section into a card, or shows what that would change.

    Safe to run again: a card that has the section already is not touched, an open pull request of ours is updated, and
    one that was closed is an answer.

    Args:
        report: What was found.
        repo_id: The card's repository; must be one of the report's two models.
        api: From `hub_api`; acts for whoever owns its token.
        dataset: Where the whole report is published.
        mode: `dry-run` writes nothing; `commit` needs write access; `pr` proposes.
        agreed: The `change` that somebody was shown and agreed to: where it would be another one by now, nothing is
            written and that one is shown.
        editing: Puts the section into the card, as `edit` does; a page has it done in a process of its own.

    Raises:
        SettingError: The card's markers are ambiguous, its section was edited by hand, or the report is not about it.
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
    """A public card names and links nothing that its readers may not see."""
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
        said = f"The card of {repo_id} asks for no such section: nothing was written."
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
    """The card as it is now and as it would be; None where it wants no section."""
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
    """Why no pull request is opened beside an earlier one, and where that is; None where it speaks against none."""
    whose = f"our pull request {pull.num}" if pull.author == user else f"pull request {pull.num}, of {pull.author},"
    if pull.status == "closed" and (pull.author == user or not pull.withdrawn):
        return f"{whose} was closed: no other one is opened.", pull.url
    if pull.is_open and pull.author != user:
        return f"{whose} proposes such a section already: no second one is opened.", pull.url
    return None


def _updated(proposal: _Proposal, change: _Change, pull: PullRequest) -> CardOutcome:
    """An open pull request of ours gets the card as it would be now; one that others work on is left to them."""
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
    """Commits the one file; returns the address of the commit or of the new pull request."""
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
