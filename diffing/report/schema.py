"""Defines the file format of a saved report: its version, and its tables with their columns.

Any change to the format needs a new `SCHEMA_VERSION`. `schema_document` makes `SCHEMA.md` of it.
"""

from typing import TYPE_CHECKING

from diffing.report.column_specs import ColumnSpec, TableSpec
from diffing.report.finding_columns import FINDING_TABLES

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 6
"""The version of the whole folder's format. A newer version is refused; all earlier ones can be read."""
DOCUMENT = "report.json"
"""The main file of a report, which is written last."""

TABLES: dict[str, TableSpec] = {
    "prompts": TableSpec(
        "One prompt that both models answered, in the order of the run.",
        (
            ColumnSpec("id", "string", "Unique in the run."),
            ColumnSpec("split", "string", "`train` or `heldout`."),
            ColumnSpec("source", "string", "Where the prompt comes from."),
            ColumnSpec("domain", "string", "The prompt's subject, if the source gives one.", nullable=True),
            ColumnSpec("messages", "messages", "The conversation that was sent; the last message is the user's."),
        ),
    ),
    "responses": TableSpec(
        "One response; two rows per prompt, side `a` first.",
        (
            ColumnSpec("prompt_id", "string", "The prompt it answers."),
            ColumnSpec("side", "string", "`a` or `b`."),
            ColumnSpec("model", "string", "The model's id, such as `org/name@commit-sha`."),
            ColumnSpec("text", "string", "The response without its thinking; may be empty."),
            ColumnSpec("finish", "string", "`stop`, `length` or `refused`."),
            ColumnSpec("sample", "int64", "The number of the sample, if one model was sampled several times."),
            ColumnSpec("thinking", "string", "The text between `<think>` and `</think>`.", nullable=True),
            ColumnSpec("prompt_tokens", "int64", "Number of prompt tokens, if known.", nullable=True),
            ColumnSpec("completion_tokens", "int64", "Number of tokens of the response, if known.", nullable=True),
        ),
    ),
    **FINDING_TABLES,
    "judgements": TableSpec(
        "One verdict on one hypothesis for one pair.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("prompt_id", "string", "The prompt of the pair."),
            ColumnSpec(
                "verdict",
                "string",
                "`A` or `B`: that response fits better; `SAME`: both show the behaviour, and equally; `NOT SHOWN`: "
                "neither shows it; `NEITHER`: neither fits better, for one of these two reasons; `UNREADABLE`.",
            ),
            ColumnSpec(
                "judge",
                "string",
                "The judge's model id, `measured`, or `described` (taken from the descriptions of differences).",
            ),
            ColumnSpec("shown_first", "string", "The side that the judge saw first; null if measured.", nullable=True),
            ColumnSpec("reply", "string", "The judge's reply on this hypothesis, unchanged.", nullable=True),
            ColumnSpec(
                "in_scope",
                "bool",
                "Whether the prompt is in the hypothesis's scope; true without a scope. Outside it, the verdict is "
                "`NOT SHOWN`, and no judge was asked.",
                since=4,
            ),
            ColumnSpec(
                "per_word",
                "string",
                "For counted signs of which a longer response has more: the side with more per word; null for other "
                "verdicts, and if the sides do not differ. With `NEITHER`, the other side has more in all.",
                nullable=True,
                since=5,
            ),
            ColumnSpec(
                "chance_a",
                "float64",
                "The probability that `per_word` is `a` if the lengths of the responses alone placed the signs.",
                nullable=True,
                since=5,
            ),
        ),
    ),
}


def arrow_schema(name: str, version: int = SCHEMA_VERSION) -> "pa.Schema":
    """Returns the pyarrow schema of a table, with the documentation of every field.

    Args:
        name: A key of `TABLES`.
        version: The schema version; tables of earlier versions lack columns that were added later.
    """
    import pyarrow as pa

    return pa.schema([arrow_field(column) for column in TABLES[name].columns if column.since <= version])


def arrow_field(column: ColumnSpec) -> "pa.Field":
    """Returns the pyarrow field of a column, with its documentation."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "int64": pa.int64(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "messages": pa.list_(
            pa.struct([pa.field("role", pa.string(), nullable=False), pa.field("content", pa.string(), nullable=False)])
        ),
    }
    return pa.field(column.name, kinds[column.kind], nullable=column.nullable, metadata={"doc": column.doc})
