"""Pull requests that propose a section to somebody else: what they say, and which there are already.

One per repository: whoever opens a second one, or opens one again that was closed, is a nuisance, and it is one as well
where another user of this tool has opened the first. Only the author tells ours from others': a title can be copied by
anybody, so another's is respected, and never touched.
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
from diffing.outputs.card.described_model import Subject
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
    """Where it is discussed."""
    status: str
    """`open`, `draft`, `closed` or `merged`."""
    author: str
    """Who opened it."""
    withdrawn: bool
    """Whether its author closed it, which tells nothing of what the owner wants."""
    others: tuple[str, ...]
    """Who else has committed to it."""

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.status in ("open", "draft")

    @property
    def revision(self) -> str:
        """Where commits to it go."""
        return f"refs/pr/{self.num}"


def title_of(subject: Subject, *, anew: bool) -> str:
    """Title of the pull request or commit; short enough for the Hub."""
    verb = "Add" if anew else "Update"
    return f"{verb} behavioral differences vs {subject.other_title[: _LONGEST_TITLE - 60]} {_TITLE_END}"


def description_of(report: Report, user: str, dataset: str | None) -> str:
    """What the owner of the card has to know to decide."""
    a, b = (str(info.ref.published) for info in (report.model_a, report.model_b))
    link = f"https://huggingface.co/datasets/{dataset}"
    published = [f"- **Data:** all responses, verdicts and settings are in [{dataset}]({link})."] if dataset else []
    lines = [
        f'Adds a section "Behavioral differences" to the model card: how the responses of this model differ from those '
        f"of another, as far as that was confirmed on held-out prompts. Opened by @{user} with `diffing` "
        f"{VERSION}.",
        "",
        f"- **Compared:** {code(a)} with {code(b)}.",
        "- **Changes:** README.md only, and there only what is between the two markers of the section.",
        *published,
        f"- **Reproduce:** {code(f'diffing run {a} {b}')}{', with the settings in the data' if dataset else ''}.",
        "- **Limits:** judged by a language model as far as the section says so; no benchmark, no score.",
        "",
        "If you do not want it, close this pull request: no other one will be opened for this model. "
        f"`{OPT_OUT}` in the card keeps such sections away for good. Questions and complaints: here, to @{user}.",
        "",
        _SIGN,
    ]
    return "\n".join(lines)


def pulls_of(api: HfApi, repo_id: str, user: str) -> tuple[PullRequest, ...]:
    """The pull requests of this tool at a repository, whatever became of them: our account's first, then newest first.

    Owners rename pull requests, so of ours the sign in the description counts as well as the title. Another's needs
    both.

    Args:
        api: Acts for our account.
        repo_id: The card's repository.
        user: Our account.

    Raises:
        HubError: Pull requests are switched off there, no access, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, doing="discuss"):
        listed = api.get_repo_discussions(repo_id, discussion_type="pull_request")
        # the details take a request each
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
