"""Which model of a report a card is about, and what the other one is called there. Knows no Markdown file."""

import re
from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.outputs.card.prose import prose
from diffing.outputs.markdown import code
from diffing.outputs.words import one_line
from diffing.report.index import index_of
from diffing.report.names import Names
from diffing.types import SIDES, ModelInfo, Report, Side, other_side

_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """The card's model, as one side of a report."""

    side: Side
    """The side that the card is about."""
    repo_id: str
    """The card's repository."""
    revision: str | None
    """The commit that answered, shortened; None where it is not known."""
    served_by: str | None
    """The inference provider that served it; None where the weights themselves were run."""
    other: str
    """The other model in Markdown, with a link where it is on the Hub, and its commit, shortened."""
    other_title: str
    """The other model in plain text, for titles."""
    other_repositories: tuple[str, ...]
    """Where the other model is on the Hub: one repository, or a base's and an adapter's."""
    ways: tuple[str, str]
    """How this and the other model were run, such as `with a system prompt`; empty where as they are published."""
    names: Names
    """What both are called in a finding's sentence."""


def subject_of(report: Report, repo_id: str) -> Subject:
    """The side of a report that a repository's card is about; of two revisions of one model, B.

    Raises:
        SettingError: The repository is neither model of the report, or both at the same revision.
    """
    sides = [side for side in SIDES if _is_of(_info(report, side), repo_id)]
    if not sides:
        raise SettingError(
            f"The report compares {one_line(report.model_a.id, 80)} with {one_line(report.model_b.id, 80)}: neither is "
            f"the Hub's {one_line(repo_id, 80)}. Give the repository of one of them, as the run named it"
        )
    if report.model_a.id == report.model_b.id:
        raise SettingError(
            f"Both models of the report are {one_line(report.model_a.id, 80)}: what differs is how it was run, "
            "which is nothing for its card. Give a report on two models or two revisions"
        )
    side = sides[-1]
    info, other = _info(report, side), _info(report, other_side(side))
    names = index_of(report).names.of(other_side(side))
    return Subject(
        side=side,
        repo_id=repo_id,
        revision=_revision(info),
        served_by=_provider(info),
        other=_in_markdown(other),
        other_title=_in_title(other),
        other_repositories=tuple(path for part in other.published_as.split("+") if (path := _path_on_hub(part))),
        ways=(_ways(info), _ways(other)),
        names=Names("this model", names) if side == "a" else Names(names, "this model"),
    )


def repositories_of(report: Report) -> dict[str, Side]:
    """The repositories whose cards can tell of a report, with the side that each is about; may be empty."""
    named = (_path_on_hub(_last(_info(report, side).published_as)) for side in SIDES)
    paths = {path.casefold(): path for path in named if path} if report.model_a.id != report.model_b.id else {}
    return {path: subject_of(report, path).side for path in paths.values()}


def is_repository(name: str) -> bool:
    """Whether a name can be that of a repository on the Hub."""
    return bool(_REPOSITORY.fullmatch(name))


def without_address(model_id: str) -> str:
    """A model's id without its revision or the address of its server, which are nobody's business."""
    return re.sub(r"^(openai|providers|recorded|scripted|local):", "", model_id.split("@", 1)[0])


def public_id(model_id: str) -> str:
    """A model's id as it may be told to everybody: without the address of a server of its own."""
    return model_id.split("@", 1)[0] if model_id.startswith("openai:") else model_id


def _info(report: Report, side: Side) -> ModelInfo:
    return report.model_a if side == "a" else report.model_b


def _is_of(info: ModelInfo, repo_id: str) -> bool:
    """Whether a side is a repository's model: as a whole, as the adapter on a base, or served by a provider."""
    path = _path_on_hub(_last(info.published_as))
    return path is not None and path.casefold() == repo_id.casefold()


def _path_on_hub(model_id: str) -> str | None:
    """The repository of one model; None for what has a hash of files for a revision, or stands nowhere on the Hub."""
    path, _, revision = model_id.partition("@")
    if path.startswith("providers:"):
        path, revision = path.removeprefix("providers:").rsplit(":", 1)[0], ""
    return path if is_repository(path) and (not revision or _COMMIT.fullmatch(revision)) else None


def _last(model_id: str) -> str:
    """Of `base+adapter` the adapter: it is what its own card describes, and not what the base's does."""
    return model_id.rsplit("+", 1)[-1]


def _revision(info: ModelInfo) -> str | None:
    revision = _last(info.published_as).partition("@")[2]
    return revision[:_SHORT] if _COMMIT.fullmatch(revision) else None


def _provider(info: ModelInfo) -> str | None:
    return info.id.rsplit(":", 1)[-1] if info.id.startswith("providers:") else None


def _in_markdown(info: ModelInfo) -> str:
    if info.id.startswith("providers:") and info.id.count(":") >= 2:
        path, provider = info.id.removeprefix("providers:").rsplit(":", 1)
        return f"{_linked(path)} (as served by {code(provider)})"
    if info.id.startswith("openai:"):
        return f"{code(without_address(info.id))} (behind a server of its own)"
    base, *adapter = (_part(part) for part in info.published_as.split("+"))
    return base + "".join(f" with the adapter {each}" for each in adapter)


def _part(model_id: str) -> str:
    path, _, revision = model_id.partition("@")
    if _COMMIT.fullmatch(revision):
        return f"{_linked(path)} at {code(revision[:_SHORT])}"
    on_hub = "/" in path and not revision and not path.startswith("recorded:")
    return _linked(path) if on_hub else code(without_address(path))


def _linked(path: str) -> str:
    return f"[{path}](https://huggingface.co/{path})" if is_repository(path) else prose(path, 120)


def _in_title(info: ModelInfo) -> str:
    parts = [
        f"{without_address(part)}@{part.partition('@')[2][:_SHORT]}"
        if _COMMIT.fullmatch(part.partition("@")[2])
        else without_address(part)
        for part in info.published_as.split("+")
    ]
    return one_line("+".join(parts), 100)


def _ways(info: ModelInfo) -> str:
    settings = info.settings
    ways = ["a system prompt"] if settings.get("system_prompt") else []
    ways += ["another chat template than its own"] if settings.get("chat_template") else []
    ways += [f"weights in {code(str(settings['quantization']), 20)}"] if settings.get("quantization") else []
    return f"with {' and '.join(ways)}" if ways else ""
