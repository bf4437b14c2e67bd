"""Finds out which model of a report a model card describes, and how the card names the other model."""

from dataclasses import dataclass

from diffing.errors import SettingError
from diffing.model_ref import ModelPlace, ModelRef, is_hub_name
from diffing.outputs.markdown_code import code
from diffing.outputs.markdown_escape import prose
from diffing.outputs.phrasing import one_line
from diffing.report.index import index_of
from diffing.report.model_names import ModelNames
from diffing.types import SIDES, ModelInfo, Report, Side, other_side


@dataclass(frozen=True, slots=True)
class DescribedModel:
    """The model that a card describes, as one side of a report."""

    side: Side
    """The side that the card describes."""
    repo_id: str
    """The card's repository."""
    revision: str | None
    """The short commit of the model that was run; None if it is unknown."""
    served_by: str | None
    """The inference provider that served the model; None if no provider did."""
    other: str
    """The other model in Markdown, with its short commit, and with a link if it is on the Hub."""
    other_title: str
    """The other model in plain text, for titles."""
    other_repositories: tuple[str, ...]
    """Hub repositories of the other model: one, or those of a base model and its adapter."""
    ways: tuple[str, str]
    """How this and the other model were run, such as `with a system prompt`; empty if unmodified."""
    names: ModelNames
    """The names of both models in the sentences of findings."""


def subject_of(report: Report, repo_id: str) -> DescribedModel:
    """Finds the side of a report that a repository's card describes; if both are revisions of one model, it is B.

    Raises:
        SettingError: The repository is neither model of the report, or it is both models at the same revision.
    """
    sides = [side for side in SIDES if _is_of(_info(report, side), repo_id)]
    if not sides:
        raise SettingError(
            f"The report compares {one_line(report.model_a.id, 80)} with {one_line(report.model_b.id, 80)}: neither is "
            f"the Hub's {one_line(repo_id, 80)}. Give the repository of one of them, spelt as in the run"
        )
    if report.model_a.id == report.model_b.id:
        raise SettingError(
            f"Both models of the report are {one_line(report.model_a.id, 80)}: they differ only in how they were run, "
            "which does not belong in a model card. Give a report on two models or two revisions"
        )
    side = sides[-1]
    info, other = _info(report, side), _info(report, other_side(side))
    names, ref = index_of(report).names.of(other_side(side)), _last(info)
    return DescribedModel(
        side=side,
        repo_id=repo_id,
        revision=ref.short_commit,
        served_by=ref.provider,
        other=_in_markdown(other),
        other_title=_in_title(other),
        other_repositories=tuple(path for part in other.ref.parts if (path := _path_on_hub(part))),
        ways=(_ways(info), _ways(other)),
        names=ModelNames("this model", names) if side == "a" else ModelNames(names, "this model"),
    )


def repositories_of(report: Report) -> dict[str, Side]:
    """Returns the repositories whose cards can contain a report, with the side that each describes; may be empty."""
    named = (_path_on_hub(_last(_info(report, side))) for side in SIDES)
    paths = {path.casefold(): path for path in named if path} if report.model_a.id != report.model_b.id else {}
    return {path: subject_of(report, path).side for path in paths.values()}


def _info(report: Report, side: Side) -> ModelInfo:
    return report.model_a if side == "a" else report.model_b


def _is_of(info: ModelInfo, repo_id: str) -> bool:
    """Whether a side runs a repository's model: the model itself, an adapter on a base, or as served by a provider."""
    path = _path_on_hub(_last(info))
    return path is not None and path.casefold() == repo_id.casefold()


def _path_on_hub(ref: ModelRef) -> str | None:
    """Returns the Hub repository of one model; None if it is not on the Hub, as with local files."""
    return ref.repository if not ref.revision or ref.commit else None


def _last(info: ModelInfo) -> ModelRef:
    """Returns the adapter of `base+adapter`, or else the model itself, because an adapter has its own card."""
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
