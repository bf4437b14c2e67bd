"""Pull requests that propose a section to somebody else: what they say, and which of them are ours.

One per repository: whoever opens a second one, or opens one again that was closed, is a nuisance. Only the author tells
ours from others': a title can be copied by anybody.
"""

from dataclasses import dataclass
from importlib.metadata import version

from huggingface_hub import Discussion, HfApi
from huggingface_hub.community import DiscussionComment, DiscussionCommit, DiscussionWithDetails

from diffing.hub import hub_errors
from diffing.outputs.card.markers import NAME, OPT_OUT
from diffing.outputs.card.subject import Subject, public_id
from diffing.outputs.markdown import code
from diffing.types import Report

_TITLE_END = f"({NAME})"
_SIGN = f"<!-- {NAME}:pull-request -->"
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request of ours."""

    num: int
    """Its number."""
    url: str
    """Where it is discussed."""
    status: str
    """`open`, `draft`, `closed` or `merged`."""
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
    a, b = public_id(report.model_a.id), public_id(report.model_b.id)
    link = f"https://huggingface.co/datasets/{dataset}"
    published = [f"- **Data:** all responses, verdicts and settings are in [{dataset}]({link})."] if dataset else []
    lines = [
        f'Adds a section "Behavioral differences" to the model card: how the responses of this model differ from those '
        f"of another, as far as that was confirmed on held-out prompts. Opened by @{user} with `diffing` "
        f"{version('diffing')}.",
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


def pulls_of(api: HfApi, repo_id: str, user: str) -> tuple[Pull, ...]:
    """Our pull requests at a repository, whatever became of them, newest first.

    Owners rename pull requests, so the sign in the description counts as well as the title.

    Args:
        api: Acts for whoever opened them.
        repo_id: The card's repository.
        user: The account that opened them.

    Raises:
        HubError: Pull requests are switched off there, no access, or the Hub cannot be reached.
    """
    with hub_errors(repo_id, doing="discuss"):
        listed = list(api.get_repo_discussions(repo_id, author=user, discussion_type="pull_request"))
        # asked for by author, and checked: a server that did not filter would hand over the pull requests of others
        own = [each for each in listed if each.author == user and each.is_pull_request]
        details = [(each, api.get_discussion_details(repo_id, each.num)) for each in own]
    found = [_pull(each, detail, user) for each, detail in details if _is_ours(each, detail, user)]
    return tuple(sorted(found, key=lambda pull: -pull.num))


def _is_ours(listed: Discussion, detail: DiscussionWithDetails, user: str) -> bool:
    comments = [event for event in detail.events if isinstance(event, DiscussionComment)]
    signed = any(_SIGN in comment.content for comment in comments[:1] if comment.author == user)
    return signed or listed.title.endswith(_TITLE_END)


def _pull(listed: Discussion, detail: DiscussionWithDetails, user: str) -> Pull:
    authors = {event.author for event in detail.events if isinstance(event, DiscussionCommit)}
    return Pull(listed.num, listed.url, detail.status, tuple(sorted(authors - {user})))
