"""Writes the dataset card (README.md) of a published report: findings, models, how to load it, how to reproduce it.

All text from models and users is escaped: YAML by the library that writes it, Markdown as in model cards. The same
report always gives the same bytes.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from diffing.methods.lexical.language_detection import language_of
from diffing.outputs import phrasing
from diffing.outputs.behaviour_words import metrics_shown
from diffing.outputs.blocks import ShownBlock, lines_by_block, title_of
from diffing.outputs.coverage_words import coverage_of_report
from diffing.outputs.dataset.configs import DatasetConfig
from diffing.outputs.dataset.identity import ENTRY, identity_of, tags_of
from diffing.outputs.dataset.reproduce import command_of
from diffing.outputs.figures import rates_alternative
from diffing.outputs.headline import headline
from diffing.outputs.line_words import overall, place
from diffing.outputs.markdown_code import block, code
from diffing.outputs.markdown_escape import code_cell, prose
from diffing.rendering import environment, templates_of
from diffing.report.grouped_list import ListEntry
from diffing.report.index import ReportIndex, index_of
from diffing.report.schema import SCHEMA_VERSION
from diffing.types import ModelInfo, Report, Scalar

if TYPE_CHECKING:
    from jinja2 import Template

ROWS = 15
"""Maximum number of differences in the card's table; it shows the first ones."""
NOTES = 12
"""Maximum number of notes and of reasons in the card; the report has all of them."""
_FOLDED: tuple[ShownBlock, ...] = ("wording", "features")
_LANGUAGES = {
    "English": "en", "German": "de", "French": "fr", "Spanish": "es", "Italian": "it", "Portuguese": "pt",
    "Dutch": "nl", "Swedish": "sv", "Danish": "da", "Norwegian": "no", "Finnish": "fi", "Polish": "pl", "Czech": "cs",
    "Romanian": "ro", "Hungarian": "hu", "Turkish": "tr", "Indonesian": "id", "Vietnamese": "vi", "Russian": "ru",
    "Greek": "el", "Korean": "ko", "Hebrew": "he", "Arabic": "ar", "Hindi": "hi", "Bengali": "bn", "Tamil": "ta",
    "Thai": "th", "Japanese": "ja", "Chinese": "zh", "Persian": "fa", "Ukrainian": "uk",
}  # fmt: skip
_LOOKED_AT = 200
"""Maximum number of pairs in which languages are detected."""
_OFTEN = 0.02
"""Minimum share of the responses in a language for the card to list it."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(report: Report, repo_id: str, configs: Sequence[DatasetConfig], chart: str | None) -> bytes:
    """Returns the dataset's README.md.

    Args:
        report: The report to publish.
        repo_id: The dataset, `user/name`.
        configs: The configurations that can be loaded.
        chart: Path of the picture in the repository, or None if there is none.
    """
    index = index_of(report)
    names, shown = index.names, index.differences[:ROWS]
    judges = set(index.judgements.judges.values)
    text = _template().render(
        metadata=_metadata(report, repo_id, configs),
        names=names,
        headline=headline(report),
        explanation=phrasing.explanation(report),
        chart=chart,
        chart_alternative=rates_alternative(report),
        **_listed(index, shown),
        coverage=coverage_of_report(report, names),
        all=len(report.findings),
        more=len(report.findings) - len(shown),
        scoped=any(finding.hypothesis.scope for finding in report.findings),
        models=(report.model_a, report.model_b, *report.others),
        settings_of=_settings_text,
        links=_links((report.model_a, report.model_b)),
        train=phrasing.prompts_in(report, "train"),
        heldout=phrasing.prompts_in(report, "heldout"),
        sources=sorted({pair.prompt.source for pair in report.pairs})[:NOTES],
        tested=len(index.tested),
        stops_early=report.settings.get("judging") != "full",
        repo=repo_id,
        tags=tags_of(report),
        configs=configs,
        schema_version=SCHEMA_VERSION,
        command=command_of(report),
        version=report.versions.get("diffing"),
        settings=sorted(report.settings.items()),
        versions=[code(f"{name} {version}", 60) for name, version in sorted(report.versions.items())],
        judged=sorted(judges - {"measured", "described", ""}),
        described="described" in judges,
        notes=report.notes[:NOTES],
        more_notes=len(report.notes) - NOTES,
        left_out=[(stage, reason, n) for stage, one in report.left_out.items() for reason, n in one.items()][:NOTES],
    )
    return text.encode("utf-8", errors="replace")


def _listed(index: ReportIndex, shown: Sequence[ListEntry]) -> dict[str, object]:
    """The template's values for the table of differences."""
    return {
        "title": title_of("differences", index),
        "below": [title_of(block, index) for block in _FOLDED if lines_by_block(index)[block]],
        "rows": shown,
        "more_rows": len(index.differences) - len(shown),
        "placed": any(place(entry.lead, index.names) for entry in shown),
        "levels": any(overall(entry.lead, index.names) for entry in shown),
    }


@cache
def _template() -> "Template":
    # no automatic escaping, since this is not HTML: every value from outside goes through one of the filters
    templates = environment(templates_of(__package__), escapes=False)
    templates.filters |= {"md": prose, "code": code_cell, "block": block}
    helpers = ("count", "interval", "line_statement", "points", "probability")
    templates.globals |= {name: getattr(phrasing, name) for name in helpers}
    templates.globals |= {function.__name__: function for function in (metrics_shown, overall, place)}
    return templates.get_template("README.md.jinja")


def _metadata(report: Report, repo_id: str, configs: Sequence[DatasetConfig]) -> str:
    """Returns the card's YAML metadata."""
    import yaml

    identity, names = identity_of(report), index_of(report).names
    metadata: dict[str, Any] = {
        "pretty_name": f"Behavioural differences: {names.a} and {names.b}",
        "license": "other",
        "license_name": "results-cc-by-4-responses-as-their-models",
        "license_link": f"https://huggingface.co/datasets/{repo_id}#licence",
        "language": _languages(report),
        "task_categories": ["text-generation"],
        "annotations_creators": ["machine-generated"],
        "size_categories": [_size(max((config.rows for config in configs), default=0))],
        "tags": tags_of(report),
        "configs": [_config(config, default=config is configs[0]) for config in configs],
        ENTRY: {
            "model_a": identity.model_a,
            "model_b": identity.model_b,
            "settings": identity.settings,
            "schema_version": SCHEMA_VERSION,
            # so that a list of diffs can show these numbers without loading the reports
            "prompts": len(report.pairs),
            "findings": len(report.findings),
            "confirmed": len(index_of(report).confirmed),
            "differences": len(index_of(report).differences),
        },
    }
    present = {key: value for key, value in metadata.items() if value}
    return str(yaml.safe_dump(present, sort_keys=False, allow_unicode=False, width=1000))


def _config(config: DatasetConfig, *, default: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"config_name": config.name}
    if default:
        entry["default"] = True
    return entry | {"data_files": [{"split": split, "path": config.path(split)} for split in config.splits]}


def _languages(report: Report) -> list[str]:
    """Returns the codes of the responses' languages, the most frequent first."""
    pairs = report.pairs[:: len(report.pairs) // _LOOKED_AT + 1]
    counts = Counter(language_of(response.text) for pair in pairs for response in (pair.a, pair.b))
    del counts[None]
    frequent = [name for name, number in counts.most_common() if number >= _OFTEN * counts.total()]
    return [_LANGUAGES[name] for name in frequent if name in _LANGUAGES]


def _size(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), "1M<n<10M")


def _links(models: Sequence[ModelInfo]) -> list[tuple[str, str]]:
    """Returns the models' repositories on the Hub, each with its commit."""
    parts = [part for info in models for part in info.ref.parts]
    return list(dict.fromkeys((name, part.commit or "main") for part in parts for name in part.repositories))


def _settings_text(settings: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(settings.items()))
