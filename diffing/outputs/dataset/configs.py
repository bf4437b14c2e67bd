"""Turns a report into the configurations of a Hub dataset: one parquet file per configuration and split.

Tables that a run does not have (for example without the SAE method) and empty splits are left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffing.outputs.flat_findings import STATEMENT, documented, findings_table, parquet, with_columns
from diffing.outputs.phrasing import statement
from diffing.report.column_specs import ColumnSpec
from diffing.report.index import index_of
from diffing.report.parquet import savable
from diffing.report.schema import TABLES
from diffing.types import Report

if TYPE_CHECKING:
    import pyarrow as pa

_BOTH = ("train", "heldout")
_PROMPT = ColumnSpec("prompt", "string", "The last user message.")

DIFFERENCES = {
    "prompt_id": "The prompt of the pair on which it was described.",
    "owner": "The side that shows the behaviour: `a` or `b`.",
    "behaviour": "A sentence about the owner; `<MODEL>` stands for the owner.",
    "condition": "The condition on prompts under which it shows, such as `when asked for advice`; empty without one.",
    "hypothesis_id": "The first tested hypothesis that it carries; null if there is none.",
    "has": "A sentence about the owner; `<MODEL>` stands for the owner.",
    "lacks": "A sentence about the other side; here `<MODEL>` stands for the other side.",
    "category": "One of the seven categories.",
    "label": "The property in a few words.",
    "general": "Whether the LLM considers it a general trait and not specific to this prompt.",
    "impact": "How much it matters to the user, according to the LLM.",
    "serves": "What it does for the user, according to the LLM.",
    "error": "Whether a mistake is involved, according to the LLM.",
    "unexpected": "Whether it is unexpected of a language model, according to the LLM.",
    "quote_a": "A quote from A's response.",
    "quote_b": "A quote from B's response.",
    "cluster": "The cluster of `has`; -1 means none.",
    "cluster_of_lacks": "The cluster of `lacks`; -1 means none.",
}
"""Descriptions of the columns of the LLM method's differences, including those of other versions of the method."""
FEATURES = {
    "index": "Index of the latent in the SAE.",
    "direction": "The side in whose responses it is active more often: `a` or `b`.",
    "rate_a": "Share of train prompts for which it is active in A's response.",
    "rate_b": "Share of train prompts for which it is active in B's response.",
    "difference": "Difference between the two rates.",
    "p": "p value of a paired test on train prompts; it chose the feature, so it confirms nothing.",
    "q": "p after Benjamini-Hochberg correction over the SAE's features.",
    "label": "Description of what the feature stands for; null if there is none.",
    "label_source": "Source of the label.",
    "label_score": "Share of held-back examples that a blind scorer classified correctly by the label.",
    "top_tokens": "Tokens at which it is most active.",
    "url": "Its public page.",
    "chosen": "Whether it was followed up.",
}
"""Descriptions of the columns of the SAE method's features."""


@dataclass(frozen=True, slots=True)
class DatasetConfig:
    """One configuration of the dataset."""

    name: str
    """Its name for `load_dataset`."""
    doc: str
    """Description of a row."""
    columns: tuple[tuple[str, str], ...]
    """Names and descriptions of the columns."""
    splits: Mapping[str, bytes]
    """The parquet file of each split."""
    rows: int
    """The number of rows in all splits together."""

    def path(self, split: str) -> str:
        """Returns the path of a split's file in the repository."""
        return f"{self.name}/{split}.parquet"


def configs_of(report: Report, tables: Mapping[str, bytes]) -> tuple[DatasetConfig, ...]:
    """Builds the configurations, `findings` first.

    Args:
        report: The report to publish.
        tables: The parquet files of the saved report, by name.
    """
    from pyarrow import BufferReader
    from pyarrow.parquet import read_table

    read = {name.removesuffix(".parquet"): read_table(BufferReader(content)) for name, content in tables.items()}
    makers: dict[str, Callable[[Report, Mapping[str, Any]], DatasetConfig | None]] = {
        "findings": _findings,
        "levels": _levels,
        "responses": _responses,
        "judgements": _judgements,
        "differences": _differences,
        "features": _features,
        "prompts": _prompts,
    }
    made = (make(report, read) for make in makers.values())
    return tuple(config for config in made if config is not None and config.splits)


def _findings(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig:
    doc = (
        "One hypothesis with its metrics on train and held-out prompts; the only split is `findings`. If a test was "
        "futile after the train prompts, the hypothesis was not tested, and its `heldout_p` and `heldout_q` are null. "
        "Metrics on train prompts confirm nothing, because these prompts suggested the hypothesis."
    )
    table = findings_table(report)
    columns = tuple((field.name, field.metadata[b"doc"].decode()) for field in table.schema)
    return _config("findings", doc, table, {"findings": None}, columns)


def _responses(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig:
    prompts, table = tables["prompts"], tables["responses"]
    texts = (messages[-1]["content"] for messages in prompts["messages"].to_pylist())
    asked = dict(zip(prompts["id"].to_pylist(), texts, strict=True))
    extra = {_PROMPT: [asked[key] for key in table["prompt_id"].to_pylist()]}
    doc = "One response; two rows per prompt, side `a` first."
    return _config(
        "responses",
        doc,
        with_columns(table, extra),
        _by_prompt(tables["prompts"], table),
        documented("responses", extra),
    )


def _judgements(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig:
    table = tables["judgements"]
    extra = {STATEMENT: _statements(report, table)}
    doc = (
        "One verdict on one hypothesis for one pair. With early stopping, an LLM does not judge every pair; see how it "
        "was made."
    )
    return _config(
        "judgements",
        doc,
        with_columns(table, extra),
        _by_prompt(tables["prompts"], table),
        documented("judgements", extra),
    )


def _levels(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig:
    table = tables["levels"]
    extra = {STATEMENT: _statements(report, table)}
    splits = {split: [value == split for value in table["split"].to_pylist()] for split in _BOTH}
    return _config(
        "levels",
        TABLES["levels"].doc,
        with_columns(table.drop_columns("split"), extra),
        splits,
        documented("levels", extra, "split"),
    )


def _statements(report: Report, table: "pa.Table") -> list[str | None]:
    """Returns the hypothesis of each row in words."""
    names = index_of(report).names
    said = {savable(finding.hypothesis.id): statement(finding, names) for finding in report.findings}
    return [said.get(key) for key in table["hypothesis_id"].to_pylist()]


def _differences(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig | None:
    table = tables.get("llm_differences")
    if table is None:
        return None
    doc = "One difference that the LLM described on one train pair, before hypotheses were made of them."
    return _config("differences", doc, table, {"train": None}, _documented(table, DIFFERENCES))


def _features(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig | None:
    table = tables.get("sae_features")
    if table is None:
        return None
    doc = "One feature of the sparse autoencoder whose rates differ on the train pairs."
    return _config("features", doc, table, {"train": None}, _documented(table, FEATURES))


def _prompts(report: Report, tables: Mapping[str, "pa.Table"]) -> DatasetConfig:
    table = tables["prompts"]
    splits = {split: [value == split for value in table["split"].to_pylist()] for split in _BOTH}
    return _config(
        "prompts", TABLES["prompts"].doc, table.drop_columns("split"), splits, documented("prompts", (), "split")
    )


def _config(
    name: str,
    doc: str,
    table: "pa.Table",
    splits: Mapping[str, list[bool] | None],
    columns: tuple[tuple[str, str], ...],
) -> DatasetConfig:
    import pyarrow as pa

    masks = {split: None if mask is None else pa.array(mask, type=pa.bool_()) for split, mask in splits.items()}
    parts = {split: table if mask is None else table.filter(mask) for split, mask in masks.items()}
    kept = {split: parquet(part) for split, part in parts.items() if part.num_rows}
    return DatasetConfig(name, doc, columns, kept, table.num_rows)


def _by_prompt(prompts: "pa.Table", table: "pa.Table") -> dict[str, list[bool] | None]:
    """Returns for each split a mask of the rows whose prompt belongs to it."""
    split_of = dict(zip(prompts["id"].to_pylist(), prompts["split"].to_pylist(), strict=True))
    splits = [split_of[key] for key in table["prompt_id"].to_pylist()]
    return {split: [each == split for each in splits] for split in _BOTH}


def _documented(table: "pa.Table", docs: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, docs.get(name, "")) for name in table.column_names)
