"""Generates `diffing/report/SCHEMA.md`, the page in this repository that documents the files of a saved report."""

from diffing.report.schema import SCHEMA_VERSION, TABLES

_INTRODUCTION = f"""# A saved report

This page is generated from the package's schema and describes schema version {SCHEMA_VERSION}. A saved report is a
folder with one JSON file and several parquet tables. It has no time stamps: the same report gives the same bytes
(within one version of pyarrow). Texts are UTF-8; lone surrogates, which UTF-8 cannot encode, are saved as U+FFFD.

## report.json
| key | holds |
|---|---|
| `schema_version` | {SCHEMA_VERSION} |
| `model_a`, `model_b` | the two models, each with `id`, `role` and `settings` |
| `others` | the other models of the run (the LLM that describes differences, judge, raters), in the same form |
| `merged` | the findings of all methods as one ranked list, every finding in one line: `lead` (the id of the finding \
that represents the line), `members` (ids, the lead first), `block` (`behaviours`, or one of the folded blocks \
`wording` and `features`), and for each member `known_by` (`lead`; why it is taken to say the same as the lead: \
`property`, `judge`, `verdicts`; or why it is taken for another sign of the same behaviour: `kin`, `part`, `pairs`, \
`mirror`, `follows`), `agreement` (the share of the train pairs decided by it or by the lead on which both gave the \
same verdict) and `residual` (the share of its net difference on train that the lead's verdicts leave unexplained; \
null if undefined) |
| `coverage` | how much of what tells the two models apart the findings explain, on held-out pairs; null if that was \
not computed. The shares of pairs told right from `everything`, from the confirmed `findings`, from the `lines` that \
are not folded and from the `first_five` of them; `explained`, `explained_by_lines` and `explained_by_first_five` \
relative to everything; `open_pairs`, the share of pairs of which the findings are not sure, and `told_in_open`, the \
share of these that everything tells right; `p` of everything against guessing |
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
| 5 | No `measure` is `crosscoder latents above` or `adapter features above`. |
| 4 | No scope is measured: `findings.parquet` lacks `scope_rule` and the columns `concentration*`. There is no \
`levels.parquet`, and `judgements.parquet` lacks `per_word` and `chance_a`. `report.json` has no `coverage`, and its \
`merged` has no `block` (all are `behaviours`), no `residual`, and only findings that say the same as their lead. |
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

## asked_questions.parquet, asked_verdicts.parquet
If a user asked questions after the run. One row per hypothesis: `question` in the user's words, `hypothesis_id`,
`text`, `direction`, `category`, `condition` (empty if about all prompts) and `judge`; and one row per hypothesis and
held-out prompt: `verdict`, `in_scope`, `shown_first` and `reply`. These hypotheses are not among the findings; all of
them are tested together (Holm).

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
