"""Writes the text of pull requests that propose a section, and finds those that exist already.

A repository gets at most one such pull request, whoever opened it, and a closed one is not opened again, because
repeated proposals would be a nuisance. Only a pull request of our own account is ever updated: the author identifies
it, since anybody can copy a title.
"""

from dataclasses import dataclass

from huggingface_hub import Discussion, HfApi
from huggingface_hub.community import (
    DiscussionComment,
    DiscussionCommit,
    DiscussionStatusChange,
    DiscussionWithDetails,
)

from diffing.hub import hub_errors
from diffing.outputs.card.described_model import DescribedModel
from diffing.outputs.card.markers import NAME, OPT_OUT
from diffing.outputs.markdown_code import code
from diffing.types import Report
from diffing.version import VERSION

_TITLE_END = f"({NAME})"
_SIGN = f"<!-- {NAME}:pull-request -->"
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request that this tool opened."""

    num: int
    """Its number."""
    url: str
    """URL of its discussion."""
    status: str
    """`open`, `draft`, `closed` or `merged`."""
    author: str
    """The account that opened it."""
    withdrawn: bool
    """Whether its author closed it, which says nothing about the owner's wishes."""
    others: tuple[str, ...]
    """Other users who have committed to it."""

    @property
    def is_open(self) -> bool:
        """Whether it is still open."""
        return self.status in ("open", "draft")

    @property
    def revision(self) -> str:
        """The Git reference for commits to it."""
        return f"refs/pr/{self.num}"


def title_of(subject: DescribedModel, *, anew: bool) -> str:
    """Returns the title of the pull request or commit, short enough for the Hub."""
    verb = "Add" if anew else "Update"
    return f"{verb} behavioral differences vs {subject.other_title[: _LONGEST_TITLE - 60]} {_TITLE_END}"


def description_of(report: Report, user: str, dataset: str | None) -> str:
    """Returns the description of the pull request: what the card's owner needs to know for a decision."""
    a, b = (str(info.ref.published) for info in (report.model_a, report.model_b))
    link = f"https://huggingface.co/datasets/{dataset}"
    published = [f"- **Data:** all responses, verdicts and settings are in [{dataset}]({link})."] if dataset else []
    lines = [
        f'Adds a section "Behavioral differences" to the model card. It says how the responses of this model differ '
        f"from those of another model, according to tests on held-out prompts. Opened by @{user} with `diffing` "
        f"{VERSION}.",
        "",
        f"- **Compared:** {code(a)} with {code(b)}.",
        "- **Changes:** only README.md, and only the section between its two markers.",
        *published,
        f"- **Reproduce:** {code(f'diffing run {a} {b}')}{', with the settings in the data' if dataset else ''}.",
        "- **Limits:** a language model judged part of this, as the section says; it is not a benchmark score.",
        "",
        "If you do not want it, close this pull request, and no other one will be opened for this model. "
        f"`{OPT_OUT}` in the card opts out for good. Please send questions and complaints to @{user}, here.",
        "",
        _SIGN,
    ]
    return "\n".join(lines)


def pulls_of(api: HfApi, repo_id: str, user: str) -> tuple[PullRequest, ...]:
    """Returns this tool's pull requests at a repository, open or not: our account's first, then the newest first.

    Owners rename pull requests, so ours are recognised by the signature in the description or by the title. Those of
    other accounts need both.

    Args:
        api: A Hub client for our account.
        repo_id: The card's repository.
        user: Our account.

    Raises:
        HubError: Pull requests are switched off there, access is denied, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, doing="discuss"):
        listed = api.get_repo_discussions(repo_id, discussion_type="pull_request")
        # fetching the details takes a request each
        likely = [each for each in listed if each.author == user or each.title.endswith(_TITLE_END)]
        details = [(each, api.get_discussion_details(repo_id, each.num)) for each in likely if each.is_pull_request]
    found = [_pull(each, detail) for each, detail in details if _is_of_this_tool(each, detail, user)]
    return tuple(sorted(found, key=lambda pull: (pull.author != user, -pull.num)))


def _is_of_this_tool(listed: Discussion, detail: DiscussionWithDetails, user: str) -> bool:
    comments = [event for event in detail.events if isinstance(event, DiscussionComment)]
    signed = any(_SIGN in comment.content for comment in comments[:1] if comment.author == listed.author)
    return signed or (listed.author == user and listed.title.endswith(_TITLE_END))


def _pull(listed: Discussion, detail: DiscussionWithDetails) -> PullRequest:
    authors = {event.author for event in detail.events if isinstance(event, DiscussionCommit)}
    changes = [event for event in detail.events if isinstance(event, DiscussionStatusChange)]
    return PullRequest(
        num=listed.num,
        url=listed.url,
        status=detail.status,
        author=listed.author,
        withdrawn=bool(changes) and changes[-1].author == listed.author,
        others=tuple(sorted(authors - {listed.author})),
    )
