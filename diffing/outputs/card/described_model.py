"""Which model of a report a card is about, and what the other one is called there. Knows no Markdown file."""

from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef, is_hub_name
from diffing.outputs.markdown_code import code
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import one_line
from diffing.report.index import index_of
from diffing.report.model_names import Names
from diffing.types import SIDES, ModelInfo, Report, Side, other_side


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
    names, ref = index_of(report).names.of(other_side(side)), _last(info)
    return Subject(
        side=side,
        repo_id=repo_id,
        revision=ref.short_commit,
        served_by=ref.provider,
        other=_in_markdown(other),
        other_title=_in_title(other),
        other_repositories=tuple(path for part in other.ref.parts if (path := _path_on_hub(part))),
        ways=(_ways(info), _ways(other)),
        names=Names("this model", names) if side == "a" else Names(names, "this model"),
    )


def repositories_of(report: Report) -> dict[str, Side]:
    """The repositories whose cards can tell of a report, with the side that each is about; may be empty."""
    named = (_path_on_hub(_last(_info(report, side))) for side in SIDES)
    paths = {path.casefold(): path for path in named if path} if report.model_a.id != report.model_b.id else {}
    return {path: subject_of(report, path).side for path in paths.values()}


def _info(report: Report, side: Side) -> ModelInfo:
    return report.model_a if side == "a" else report.model_b


def _is_of(info: ModelInfo, repo_id: str) -> bool:
    """Whether a side is a repository's model: as a whole, as the adapter on a base, or served by a provider."""
    path = _path_on_hub(_last(info))
    return path is not None and path.casefold() == repo_id.casefold()


def _path_on_hub(ref: ModelRef) -> str | None:
    """The repository of one model; None for what has a hash of files for a revision, or stands nowhere on the Hub."""
    return ref.repository if not ref.revision or ref.commit else None


def _last(info: ModelInfo) -> ModelRef:
    """The adapter of `base+adapter`: its own card describes it, and the base's card does not."""
    return info.ref.parts[-1]


def _in_markdown(info: ModelInfo) -> str:
    ref = info.ref
    if ref.provider:
        return f"{_linked(ref.name)} (as served by {code(ref.provider)})"
    if ref.place == ModelPlace.OPENAI:
        return f"{code(ref.name)} (behind a server of its own)"
    base, *adapter = map(_part, ref.parts)
    return base + "".join(f" with the adapter {each}" for each in adapter)


def _part(ref: ModelRef) -> str:
    if ref.short_commit:
        return f"{_linked(ref.name)} at {code(ref.short_commit)}"
    on_hub = "/" in ref.name and not ref.revision and ref.place != ModelPlace.RECORDED
    return _linked(ref.name) if on_hub else code(ref.name)


def _linked(path: str) -> str:
    return f"[{path}](https://huggingface.co/{path})" if is_hub_name(path) else prose(path, 120)


def _in_title(info: ModelInfo) -> str:
    return one_line(info.ref.plain_at_commit, 100)


def _ways(info: ModelInfo) -> str:
    settings = info.settings
    ways = ["a system prompt"] if settings.get("system_prompt") else []
    ways += ["another chat template than its own"] if settings.get("chat_template") else []
    ways += [f"weights in {code(str(settings['quantization']), 20)}"] if settings.get("quantization") else []
    return f"with {' and '.join(ways)}" if ways else ""
