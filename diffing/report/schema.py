"""What a saved report consists of: the tables with their columns, and the text that documents them.

Knows no report and reads no file. Any change to what is here is a new `SCHEMA_VERSION`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 3
"""Of the whole folder; a reader refuses newer ones, and reads all earlier ones."""
DOCUMENT = "report.json"
"""The file that makes a folder a report; written last."""

Kind: TypeAlias = Literal["string", "int64", "float64", "bool", "messages"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table of ours."""

    name: str
    """Its name."""
    kind: Kind
    """Its type; `messages` is a list of {role, content}."""
    doc: str
    """What it holds, in one sentence."""
    nullable: bool = False
    """Whether it may be null."""


@dataclass(frozen=True, slots=True)
class Table:
    """One parquet file of ours."""

    doc: str
    """What a row is."""
    columns: tuple[Column, ...]
    """In this order."""


def _estimate(prefix: str, name: str, doc: str) -> tuple[Column, ...]:
    return (
        Column(f"{prefix}{name}", "float64", f"{doc}; null where undefined.", nullable=True),
        Column(f"{prefix}{name}_low", "float64", "Lower end of its 95 % interval.", nullable=True),
        Column(f"{prefix}{name}_high", "float64", "Upper end of its 95 % interval.", nullable=True),
    )


def _metrics(split: str) -> tuple[Column, ...]:
    prefix = f"{split}_"
    return (
        Column(f"{prefix}n", "int64", f"Readable verdicts on {split} prompts."),
        Column(f"{prefix}k_for", "int64", "Verdicts for the predicted side."),
        Column(f"{prefix}k_against", "int64", "Verdicts for the other side."),
        Column(f"{prefix}unreadable", "int64", "Verdicts that could not be read; outside every rate."),
        *_estimate(prefix, "frequency", "(k_for + k_against) / n"),
        *_estimate(prefix, "accuracy", "k_for / (k_for + k_against)"),
        *_estimate(prefix, "net_difference", "(k_for - k_against) / n"),
        Column(f"{prefix}p", "float64", "Exact one-sided sign test of k_for against k_against.", nullable=True),
    )


def _rating(scale: str) -> tuple[Column, ...]:
    return (
        Column(scale, "float64", "Mean rating, 1 to 5.", nullable=True),
        Column(f"{scale}_low", "float64", "The lowest single rating.", nullable=True),
        Column(f"{scale}_high", "float64", "The highest single rating.", nullable=True),
        Column(f"{scale}_n", "int64", "Readable ratings; null if nobody was asked.", nullable=True),
    )


TABLES: dict[str, Table] = {
    "prompts": Table(
        "One prompt that both models answered, in the order of the run.",
        (
            Column("id", "string", "Unique in the run."),
            Column("split", "string", "`train` or `heldout`."),
            Column("source", "string", "Where the prompt comes from."),
            Column("domain", "string", "Subject, where the source says it.", nullable=True),
            Column("messages", "messages", "What was sent; the last message is the user's."),
        ),
    ),
    "responses": Table(
        "One response; two rows per prompt, side `a` first.",
        (
            Column("prompt_id", "string", "The prompt it answers."),
            Column("side", "string", "`a` or `b`."),
            Column("model", "string", "`org/name@commit-sha`, or what stands for it."),
            Column("text", "string", "The answer without its thinking; may be empty."),
            Column("finish", "string", "`stop`, `length` or `refused`."),
            Column("sample", "int64", "Independent samples of one model are numbered."),
            Column("thinking", "string", "What stood between `<think>` and `</think>`.", nullable=True),
            Column("prompt_tokens", "int64", "Tokens read, where known.", nullable=True),
            Column("completion_tokens", "int64", "Tokens written, where known.", nullable=True),
        ),
    ),
    "findings": Table(
        "One hypothesis with what the tests said: confirmed first, then by size of the held-out net difference.",
        (
            Column("id", "string", "Unique in the run, the same in every rerun."),
            Column("text", "string", "Starts with `<MODEL>`, the model of `direction`; the other is `<OTHER MODEL>`."),
            Column(
                "direction", "string", "The side of which the sentence is predicted to hold more often: `a` or `b`."
            ),
            Column("method", "string", "The method that found it."),
            Column("category", "string", "One of the seven categories."),
            Column(
                "measure",
                "string",
                "What kind of thing was measured, if nobody judged: `property`, `phrase`, `latents` (the text only "
                "names a latent of an SAE) or `latents in words` (an LLM wrote the text about them).",
                nullable=True,
            ),
            Column("measured", "string", "The property's name, the phrase, or the latents' numbers.", nullable=True),
            Column("train_effect", "float64", "The method's own size of the difference on train.", nullable=True),
            Column(
                "speaks_of",
                "string",
                "The measured property of which the text says that its model has more; null if it was measured itself, "
                "or if the LLM that wrote the text named none.",
                nullable=True,
            ),
            Column("accepted", "bool", "The paper's criterion, on train."),
            Column("confirmed", "bool", "On held-out prompts, q <= 0.05."),
            *_rating("interestingness"),
            *_rating("abstraction"),
            *_metrics("train"),
            *_metrics("heldout"),
            Column(
                "heldout_q", "float64", "p after Benjamini-Hochberg over the hypotheses tested there.", nullable=True
            ),
        ),
    ),
    "ratings": Table(
        "One rater's ratings of one hypothesis.",
        (
            Column("hypothesis_id", "string", "The hypothesis."),
            Column("rater", "string", "The rater's model id."),
            Column("interestingness", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
            Column("abstraction", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
        ),
    ),
    "evidence": Table(
        "One passage that led to a hypothesis, in the order of the findings.",
        (
            Column("hypothesis_id", "string", "The hypothesis."),
            Column("prompt_id", "string", "The pair it comes from."),
            Column("side", "string", "Whose response is quoted: `a` or `b`."),
            Column("quote", "string", "Words of the response."),
        ),
    ),
    "judgements": Table(
        "One verdict on one hypothesis for one pair.",
        (
            Column("hypothesis_id", "string", "The hypothesis."),
            Column("prompt_id", "string", "The pair."),
            Column("verdict", "string", "`A`, `B`, `NEITHER` or `UNREADABLE`."),
            Column("judge", "string", "The judge's model id, or `measured`."),
            Column("shown_first", "string", "Which response the judge saw first; null where measured.", nullable=True),
            Column("reply", "string", "What the judge answered for this hypothesis, as it was.", nullable=True),
        ),
    ),
}


def arrow_schema(name: str) -> "pa.Schema":
    """The pyarrow schema of one of our tables, every field with its documentation.

    Args:
        name: A key of `TABLES`.
    """
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
    return pa.schema(
        [
            pa.field(column.name, kinds[column.kind], nullable=column.nullable, metadata={"doc": column.doc})
            for column in TABLES[name].columns
        ]
    )


_INTRODUCTION = f"""# A saved report

Generated from `schema.py`; schema version {SCHEMA_VERSION}. A folder with one JSON file and parquet tables, without
time stamps: the same report gives the same bytes (within one version of pyarrow). Texts are UTF-8; lone surrogates,
which it cannot hold, are saved as U+FFFD.

## report.json
| key | holds |
|---|---|
| `schema_version` | {SCHEMA_VERSION} |
| `model_a`, `model_b` | `id`, `role`, `settings` |
| `others` | differ, judge, raters: a list of the same |
| `merged` | the findings of all methods as one ranked list, every finding in one entry: `lead` (the id of the one \
that speaks for all), `members` (ids, the lead first), and for each member `known_by` (how it is known to say the same \
as the lead: `lead`, `property`, `judge`, `verdicts`) and `agreement` (share of the train pairs decided by it or by \
the lead on which both gave the same verdict) |
| `left_out` | per stage, what was not followed up: reason -> count |
| `notes` | warnings and remarks, plain sentences |
| `usage` | per stage and model: `calls`, `prompt_tokens`, `completion_tokens`, `unreadable`, `usd` |
| `settings`, `versions` | what decided the result |
| `tables` | names of the methods' own tables |
| `files` | SHA-256 of every parquet file, so that a damaged or half-replaced folder is told apart |

A number that JSON cannot write is `{{"float": "nan"}}`, `{{"float": "inf"}}` or `{{"float": "-inf"}}`. Estimates are
`{{"value", "low", "high", "n"}}`, null where undefined.
"""

_VERSIONS = """## Earlier versions
`load_report` reads them all.

| version | differs from the one after it |
|---|---|
| 2 | `report.json` holds the findings too, under `findings`, and is what is read; `findings.parquet` is a copy for \
pandas, without `measured` and `speaks_of`, and without the lowest, the highest and the number of ratings; its \
`measure` is a text in the method's notation. There is no `ratings.parquet`. |
| 1 | `report.json` has no `merged`. |
"""

_OTHER_TABLES = """## judge_checks.parquet
Where an LLM judged, one row per check of the judge: `check`, `judge`, `value` with `low` and `high` (its 95 %
interval), `n`, and `meaning` in words.

## <method>_<table>.parquet
The methods' own records, e.g. `llm_differences`. Every row has the same columns; a column's type is that of
its values: string, int64, float64 (also for integers and floats together), bool; without values, string.
Where other types meet, or integers leave 64 bits, the column is JSON text and its field metadata says `encoding: json`.
"""


def schema_markdown() -> str:
    """The text of `SCHEMA.md`."""
    parts = [_INTRODUCTION]
    for name, table in TABLES.items():
        rows = [f"| `{c.name}` | {c.kind}{', null' if c.nullable else ''} | {c.doc} |" for c in table.columns]
        parts.append(
            "\n".join([f"## {name}.parquet", table.doc, "", "| column | type | holds |", "|---|---|---|", *rows, ""])
        )
    return "\n".join([*parts, _OTHER_TABLES, _VERSIONS])
