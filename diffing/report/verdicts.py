"""The table of judgements as parquet bytes and back, column by column: it has millions of rows. Knows no report."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from diffing.judgements import EncodedColumn, Judgements
from diffing.report.parquet import savable, to_parquet
from diffing.report.schema import arrow_schema
from diffing.types import SIDES, Verdict

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_TABLE = "judgements"


def judgement_table(judgements: Judgements) -> bytes:
    """The judgements as parquet.

    Args:
        judgements: Lone surrogates in their texts become U+FFFD.
    """
    import pyarrow as pa

    schema = arrow_schema(_TABLE)
    arrays = []
    for field, column in zip(schema, judgements.columns, strict=True):
        values = [None if value is None else savable(str(value)) for value in column.values]
        arrays.append(pa.array(values, type=field.type).take(pa.array(column.codes)))
    return to_parquet(pa.Table.from_arrays(arrays, schema=schema))


def read_judgement_table(content: bytes, hypotheses: Collection[str], prompts: Collection[str]) -> Judgements:
    """The judgements that `judgement_table` was given.

    Args:
        content: The parquet file.
        hypotheses: Ids that a judgement may name.
        prompts: Likewise.

    Raises:
        pyarrow.ArrowException: The file is not parquet.
        ValueError: It has other columns than the schema's, or a value that fits nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = arrow_schema(_TABLE)
    table = pq.read_table(pa.BufferReader(content), read_dictionary=schema.names)
    if not table.schema.equals(_as_dictionaries(schema), check_metadata=False):
        raise ValueError(f"{_TABLE}.parquet has other columns than the schema says")
    table = table.unify_dictionaries()
    return Judgements(
        hypothesis_ids=_column(table, "hypothesis_id", str, hypotheses),
        prompt_ids=_column(table, "prompt_id", str, prompts),
        verdicts=_column(table, "verdict", Verdict, list(Verdict)),
        judges=_column(table, "judge", str),
        shown_first=_column(table, "shown_first", _same, (*SIDES, None)),
        replies=_column(table, "reply", _same),
    )


def _as_dictionaries(schema: "pa.Schema") -> "pa.Schema":
    import pyarrow as pa

    return pa.schema([field.with_type(pa.dictionary(pa.int32(), field.type)) for field in schema])


def _same(value: Any) -> Any:  # noqa: ANN401 - of any type
    return value


def _column(
    table: "pa.Table", name: str, kind: Callable[[Any], T], allowed: Collection[object] | None = None
) -> EncodedColumn[T]:
    """A column, every distinct value of it checked."""
    import numpy as np

    chunks = table.column(name).chunks
    values = chunks[0].dictionary.to_pylist() if chunks else []
    codes = [chunk.indices.fill_null(len(values)).to_numpy(zero_copy_only=False) for chunk in chunks]
    if any(chunk.null_count for chunk in chunks):
        values.append(None)
    if len(set(values)) < len(values):
        raise ValueError(f"{_TABLE}: two values of {name} are the same one's")
    for value in values:
        if allowed is not None and value not in allowed:
            raise ValueError(f"{_TABLE}: there is no {name} {value!r:.60}")
    return EncodedColumn(tuple(map(kind, values)), np.concatenate([np.zeros(0, np.int32), *codes]).astype(np.int32))
