"""The tables of a published family: its pairs, their confirmed differences, and what separates groups of models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffing.family import Family, Separation
from diffing.outputs.family.family_page import separation_in_words
from diffing.outputs.flat_findings import parquet
from diffing.outputs.phrasing import statement
from diffing.report.index import index_of
from diffing.report.parquet import savable

if TYPE_CHECKING:
    import pyarrow as pa

PAIRS: Mapping[str, str] = {
    "model_a": "The id of the first model, in the order in which the models were given.",
    "model_b": "The id of the second model.",
    "told_apart": "The share of held-out prompts on which the responses of the two are told apart; 0.5 is guessing.",
    "told_apart_low": "The lower end of its 95% interval.",
    "told_apart_high": "The upper end of its 95% interval.",
    "p": "The one-sided p-value of this share against guessing.",
    "confirmed_differences": "The number of confirmed differences between the two.",
    "heldout_prompts": "The number of held-out prompts that both answered.",
}
DIFFERENCES: Mapping[str, str] = {
    "model_a": "The id of the pair's first model.",
    "model_b": "The id of the pair's second model.",
    "difference": "The confirmed difference in words.",
    "more": "The id of the model for which the sentence holds more often.",
    "category": "One of the seven categories.",
    "method": "The method that found it.",
    "scope": "The condition on prompts in words; null if it is about all prompts.",
    "net_difference": "The share of held-out prompts that speak for the sentence minus the share against it.",
    "net_difference_low": "The lower end of its 95% interval.",
    "net_difference_high": "The upper end of its 95% interval.",
    "q": "The p-value after correction for all hypotheses of the pair.",
}
SEPARATIONS: Mapping[str, str] = {
    "more": "The ids of the models that show it more.",
    "less": "The ids of the models that show it less.",
    "difference": "The difference in words, with the net difference in the pair in which it is smallest.",
    "scope": "The condition on prompts in words; null if it is about all prompts.",
    "net_difference": "The net difference in the pair in which its interval's lower end is lowest.",
    "net_difference_low": "The lower end of that interval.",
    "net_difference_high": "The upper end of that interval.",
}
TABLES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "pairs": ("One pair of models: how far apart they are.", PAIRS),
    "differences": ("One confirmed difference of one pair.", DIFFERENCES),
    "separations": (
        "One difference that is confirmed, in the same direction, in every pair with one model of each of two groups: "
        "those that a fork of the tree divides, or one model and all others.",
        SEPARATIONS,
    ),
}
"""By table, what a row is, and what its columns mean."""
_TEXTS = ("model_a", "model_b", "difference", "more", "category", "method", "scope")
_COUNTS = ("confirmed_differences", "heldout_prompts")


def table_files(family: Family) -> dict[str, bytes]:
    """Returns the parquet file of each table that has rows, by the table's name."""
    rows = {"pairs": _pairs(family), "differences": _differences(family), "separations": _separations(family)}
    made = {name: list(each) for name, each in rows.items()}
    return {name: parquet(_table(name, found)) for name, found in made.items() if found}


def _pairs(family: Family) -> Iterator[dict[str, Any]]:
    for pair in family.pairs:
        yield {
            "model_a": family.models[pair.first].id,
            "model_b": family.models[pair.second].id,
            "told_apart": pair.told_apart.value,
            "told_apart_low": pair.told_apart.low,
            "told_apart_high": pair.told_apart.high,
            "p": pair.p,
            "confirmed_differences": pair.confirmed,
            "heldout_prompts": sum(each.prompt.split == "heldout" for each in pair.report.pairs),
        }


def _differences(family: Family) -> Iterator[dict[str, Any]]:
    for pair in family.pairs:
        names = index_of(pair.report).names
        for finding in index_of(pair.report).confirmed:
            hypothesis, net = finding.hypothesis, finding.heldout.net_difference
            more = pair.first if hypothesis.direction == "a" else pair.second
            yield {
                "model_a": family.models[pair.first].id,
                "model_b": family.models[pair.second].id,
                "difference": statement(finding, names),
                "more": family.models[more].id,
                "category": hypothesis.category,
                "method": hypothesis.method,
                "scope": hypothesis.scope.words if hypothesis.scope else None,
                "net_difference": net.value,
                "net_difference_low": net.low,
                "net_difference_high": net.high,
                "q": finding.heldout.q,
            }


def _separations(family: Family) -> Iterator[dict[str, Any]]:
    found: dict[Separation, None] = {}
    for group in (*(branch.separations for branch in reversed(family.branches)), *family.unique):
        found.update(dict.fromkeys(group))
    for each in found:
        yield {
            "more": [family.models[model].id for model in each.more],
            "less": [family.models[model].id for model in each.less],
            "difference": separation_in_words(family, each),
            "scope": each.scope or None,
            "net_difference": each.least.value,
            "net_difference_low": each.least.low,
            "net_difference_high": each.least.high,
        }


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> "pa.Table":
    import pyarrow as pa

    fields = [
        pa.field(column, _kind(name, column), metadata={"doc": doc.encode()}) for column, doc in TABLES[name][1].items()
    ]
    cleaned = [{column: _safe(value) for column, value in row.items()} for row in rows]
    return pa.Table.from_pylist(cleaned, schema=pa.schema(fields))


def _kind(table: str, column: str) -> "pa.DataType":
    import pyarrow as pa

    if table == "separations" and column in ("more", "less"):
        return pa.list_(pa.string())
    return pa.string() if column in _TEXTS else pa.int64() if column in _COUNTS else pa.float64()


def _safe(value: Any) -> Any:  # noqa: ANN401  a cell of any type
    if isinstance(value, list):
        return [_safe(each) for each in value]
    return savable(value) if isinstance(value, str) else value
