"""Defines the file format of a saved report: its tables and columns, and the text of `SCHEMA.md` that documents them.

Any change to the format needs a new `SCHEMA_VERSION`.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 4
"""The version of the whole folder's format. A newer version is refused; all earlier ones can be read."""
DOCUMENT = "report.json"
"""The main file of a report, which is written last."""

Kind: TypeAlias = Literal["string", "int64", "float64", "bool", "messages"]


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a table in a saved report."""

    name: str
    """The column's name."""
    kind: Kind
    """The column's type; `messages` is a list of {role, content}."""
    doc: str
    """What the column holds, in one sentence."""
    nullable: bool = False
    """Whether its values may be null."""
    since: int = 1
    """The first schema version whose tables have the column."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One parquet file of a saved report, with fixed columns."""

    doc: str
    """What one row stands for."""
    columns: tuple[ColumnSpec, ...]
    """The columns, in order."""


def _estimate(prefix: str, name: str, doc: str) -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec(f"{prefix}{name}", "float64", f"{doc}; null if undefined.", nullable=True),
        ColumnSpec(f"{prefix}{name}_low", "float64", "Lower end of its 95% interval.", nullable=True),
        ColumnSpec(f"{prefix}{name}_high", "float64", "Upper end of its 95% interval.", nullable=True),
    )


def _metrics(split: str) -> tuple[ColumnSpec, ...]:
    prefix = f"{split}_"
    return (
        ColumnSpec(f"{prefix}n", "int64", f"Readable verdicts on {split} prompts."),
        ColumnSpec(f"{prefix}k_for", "int64", "Verdicts for the predicted side."),
        ColumnSpec(f"{prefix}k_against", "int64", "Verdicts for the other side."),
        ColumnSpec(f"{prefix}unreadable", "int64", "Verdicts that could not be read; they count in no rate."),
        *_estimate(prefix, "frequency", "(k_for + k_against) / n"),
        *_estimate(prefix, "accuracy", "k_for / (k_for + k_against)"),
        *_estimate(prefix, "net_difference", "(k_for - k_against) / n"),
        ColumnSpec(f"{prefix}p", "float64", "Exact one-sided sign test of k_for against k_against.", nullable=True),
    )


def _in_scope_metrics() -> tuple[ColumnSpec, ...]:
    n, *others = _metrics("heldout_in_scope")
    n = replace(
        n, doc="Readable verdicts on held-out prompts in the scope; null without a scope, like the columns below."
    )
    return tuple(replace(column, nullable=True, since=4) for column in (n, *others))


def _rating(scale: str) -> tuple[ColumnSpec, ...]:
    return (
        ColumnSpec(scale, "float64", "Mean rating, 1 to 5.", nullable=True),
        ColumnSpec(f"{scale}_low", "float64", "The lowest single rating.", nullable=True),
        ColumnSpec(f"{scale}_high", "float64", "The highest single rating.", nullable=True),
        ColumnSpec(f"{scale}_n", "int64", "Number of readable ratings; null if no rater was asked.", nullable=True),
    )


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
    "findings": TableSpec(
        "One hypothesis with its test results: confirmed first, by held-out net difference times interestingness / 3.",
        (
            ColumnSpec("id", "string", "Unique in the run, and the same in every rerun."),
            ColumnSpec(
                "text", "string", "Starts with `<MODEL>`, the model of `direction`; the other is `<OTHER MODEL>`."
            ),
            ColumnSpec(
                "direction", "string", "The side of which the sentence is predicted to hold more often: `a` or `b`."
            ),
            ColumnSpec("method", "string", "The method that found it."),
            ColumnSpec("category", "string", "One of the seven categories."),
            ColumnSpec(
                "measure",
                "string",
                "What was measured, if no LLM judged: `property`, `phrase`, `latents` (the text only names a latent "
                "of an SAE) or `latents in words` (an LLM wrote the text about them).",
                nullable=True,
            ),
            ColumnSpec(
                "measured", "string", "The property's name, the phrase, or the latents' numbers.", nullable=True
            ),
            ColumnSpec(
                "train_effect",
                "float64",
                "The size of the difference on train, as the method measures it.",
                nullable=True,
            ),
            ColumnSpec(
                "speaks_of",
                "string",
                "The measured property of which the text says that its model has more; null if it was measured itself, "
                "or if the LLM that wrote the text named none.",
                nullable=True,
            ),
            ColumnSpec(
                "scope_kind",
                "string",
                "The kind of the scope: `stated` (an LLM put it into words, and the judge decided from each prompt "
                "alone whether it holds); null if the hypothesis speaks of all prompts.",
                nullable=True,
                since=4,
            ),
            ColumnSpec(
                "scope", "string", "The condition in words, such as `when asked to sum up`.", nullable=True, since=4
            ),
            ColumnSpec("accepted", "bool", "Whether it meets the paper's criterion on train prompts."),
            ColumnSpec("confirmed", "bool", "Whether held-out prompts confirm it: q <= 0.05."),
            *_rating("interestingness"),
            *_rating("abstraction"),
            *_metrics("train"),
            *_metrics("heldout"),
            ColumnSpec("heldout_q", "float64", "p after Benjamini-Hochberg.", nullable=True),
            *_in_scope_metrics(),
        ),
    ),
    "ratings": TableSpec(
        "One rater's ratings of one hypothesis.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("rater", "string", "The rater's model id."),
            ColumnSpec("interestingness", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
            ColumnSpec("abstraction", "int64", "1 to 5; null if the reply could not be read.", nullable=True),
        ),
    ),
    "evidence": TableSpec(
        "One passage that led to a hypothesis, in the order of the findings.",
        (
            ColumnSpec("hypothesis_id", "string", "The hypothesis."),
            ColumnSpec("prompt_id", "string", "The prompt of the pair that it comes from."),
            ColumnSpec("side", "string", "The side whose response is quoted: `a` or `b`."),
            ColumnSpec("quote", "string", "The quoted words of the response."),
        ),
    ),
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
            if column.since <= version
        ]
    )


_INTRODUCTION = f"""# A saved report

This page is generated from `schema.py` and describes schema version {SCHEMA_VERSION}. A saved report is a folder with
one JSON file and several parquet tables. It has no time stamps: the same report gives the same bytes (within one
version of pyarrow). Texts are UTF-8; lone surrogates, which UTF-8 cannot encode, are saved as U+FFFD.

## report.json
| key | holds |
|---|---|
| `schema_version` | {SCHEMA_VERSION} |
| `model_a`, `model_b` | the two models, each with `id`, `role` and `settings` |
| `others` | the other models of the run (the LLM that describes differences, judge, raters), in the same form |
| `merged` | the findings of all methods as one ranked list, every finding in one entry: `lead` (the id of the finding \
that represents the entry), `members` (ids, the lead first), and for each member `known_by` (why it is taken to say \
the same as the lead: `lead`, `property`, `judge`, `verdicts`) and `agreement` (the share of the train pairs decided \
by it or by the lead on which both gave the same verdict) |
| `left_out` | for each stage, how many items were left out: reason -> count |
| `notes` | warnings and remarks, in full sentences |
| `usage` | for each stage and model: `calls`, `prompt_tokens`, `completion_tokens`, `unreadable`, `usd` |
| `settings`, `versions` | the settings and the library versions that affected the result |
| `tables` | the names of the methods' own tables |
| `files` | the SHA-256 digest of every parquet file, which reveals a damaged or half-replaced folder |

A number that JSON cannot write is `{{"float": "nan"}}`, `{{"float": "inf"}}` or `{{"float": "-inf"}}`. An estimate is
`{{"value", "low", "high", "n"}}`, with null if it is undefined.
"""

_VERSIONS = """## Earlier versions
`load_report` reads all of them.

| version | differs from the next version |
|---|---|
| 3 | No hypothesis has a scope: `findings.parquet` lacks `scope_kind`, `scope` and the columns `heldout_in_scope_*`, \
and `judgements.parquet` lacks `in_scope`. No verdict is `SAME` or `NOT SHOWN`. |
| 2 | `report.json` also holds the findings, under `findings`, and they are read from there; `findings.parquet` is a \
copy for pandas, without `measured`, `speaks_of`, the lowest rating, the highest rating and the number of ratings; its \
`measure` is a text in the method's notation. There is no `ratings.parquet`. |
| 1 | `report.json` has no `merged`. |
"""

_OTHER_TABLES = """## judge_checks.parquet
If an LLM judged, one row per check of the judge: `check`, `scale` (`share` or `kappa`), `judge`, `value` with `low`
and `high` (its 95% interval), `n`, and `meaning` in words.

## <method>_<table>.parquet
The methods' own records, e.g. `llm_differences`. Every row has the same columns. A column's type is that of its values:
string, int64, float64 (also for integers mixed with floats) or bool; a column without values is a string column. If a
column mixes other types, or its integers exceed 64 bits, it holds JSON text and its field metadata says
`encoding: json`.
"""


def schema_markdown() -> str:
    """Returns the text of `SCHEMA.md`."""
    parts = [_INTRODUCTION]
    for name, table in TABLES.items():
        rows = [f"| `{c.name}` | {c.kind}{', null' if c.nullable else ''} | {c.doc} |" for c in table.columns]
        parts.append(
            "\n".join([f"## {name}.parquet", table.doc, "", "| column | type | holds |", "|---|---|---|", *rows, ""])
        )
    return "\n".join([*parts, _OTHER_TABLES, _VERSIONS])
