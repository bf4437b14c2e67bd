"""Writes and reads `judgements.parquet` column by column, because the table of judgements can have millions of rows."""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from diffing.judgements import EncodedColumn, Judgements
from diffing.report.parquet import savable, to_parquet
from diffing.report.schema import arrow_schema
from diffing.types import SIDES, Side, Verdict

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

T = TypeVar("T")
_TABLE = "judgements"


def judgement_table(judgements: Judgements) -> bytes:
    """Returns the judgements as the bytes of a parquet file.

    Args:
        judgements: The judgements to write. Lone surrogates in their texts become U+FFFD.
    """
    import pyarrow as pa

    schema = arrow_schema(_TABLE)
    arrays = []
    for field, column in zip(schema, judgements.columns, strict=True):
        values = [savable(str(value)) if isinstance(value, str) else value for value in column.values]
        arrays.append(pa.array(values, type=field.type).take(pa.array(column.codes)))
    return to_parquet(pa.Table.from_arrays(arrays, schema=schema))


def read_judgement_table(
    content: bytes, hypotheses: Collection[str], prompts: Collection[str], version: int
) -> Judgements:
    """Reads judgements back from the bytes that `judgement_table` returned.

    Args:
        content: The bytes of the parquet file.
        hypotheses: The hypothesis ids that a judgement may refer to.
        prompts: The prompt ids that a judgement may refer to.
        version: The schema version of the report.

    Raises:
        pyarrow.ArrowException: The bytes are not a parquet file.
        ValueError: The columns differ from the schema's, or a value is not allowed in its column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _with_dictionaries(arrow_schema(_TABLE, version))
    texts = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    table = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts).read()
    if not table.schema.equals(schema, check_metadata=False):
        raise ValueError(f"{_TABLE}.parquet has other columns than the schema says")
    table = table.unify_dictionaries()
    judgements = Judgements(
        hypothesis_ids=_column(table, "hypothesis_id", str, hypotheses),
        prompt_ids=_column(table, "prompt_id", str, prompts),
        verdicts=_column(table, "verdict", Verdict, list(Verdict)),
        judges=_column(table, "judge", str),
        shown_first=_column(table, "shown_first", _same, (*SIDES, None)),
        replies=_column(table, "reply", _same),
        in_scope=_in_scope(table),
        per_word=_sides(table),
        chances_a=_chances(table),
    )
    _check_outside(judgements)
    return judgements


def _check_outside(judgements: Judgements) -> None:
    """Checks that no verdict outside a scope is for a side."""
    import numpy as np

    if False not in judgements.in_scope.values:
        return
    outside = judgements.in_scope.codes == judgements.in_scope.values.index(False)
    there = np.unique(judgements.verdicts.codes[outside]).tolist()
    if strange := sorted({judgements.verdicts.values[code] for code in there} - {Verdict.NOT_SHOWN}):
        raise ValueError(
            f"{_TABLE}: expected the verdict {Verdict.NOT_SHOWN.value} outside a scope, got {strange[0].value}"
        )


def _with_dictionaries(schema: "pa.Schema") -> "pa.Schema":
    """Returns the schema as a table is read with it: each column of texts as its distinct values and their indices."""
    import pyarrow as pa

    return pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), field.type)) if pa.types.is_string(field.type) else field
            for field in schema
        ]
    )


def _in_scope(table: "pa.Table") -> EncodedColumn[bool]:
    """Reads the column of truth values; if it is missing, as before schema version 4, every prompt is in scope."""
    import numpy as np

    if "in_scope" not in table.column_names:
        return EncodedColumn((True,), np.zeros(table.num_rows, np.uint8))
    column = table.column("in_scope")
    if column.null_count:
        raise ValueError(f"{_TABLE}: there is no in_scope None")
    bits = [_bits(chunk.buffers()[1], chunk) for chunk in column.chunks]
    return EncodedColumn((False, True), np.concatenate([np.zeros(0, np.uint8), *bits]))


def _sides(table: "pa.Table") -> EncodedColumn[Side | None]:
    """Reads the sides with more per word; if the column is missing, as before schema version 5, nothing was counted."""
    import numpy as np

    if "per_word" not in table.column_names:
        return EncodedColumn((None,), np.zeros(table.num_rows, np.uint8))
    return _column(table, "per_word", _same, (*SIDES, None))


def _chances(table: "pa.Table") -> EncodedColumn[float | None]:
    """Reads the column of chances; if it is missing, as before schema version 5, every verdict has an even chance."""
    import numpy as np

    if "chance_a" not in table.column_names:
        return EncodedColumn((None,), np.zeros(table.num_rows, np.uint8))
    values = table.column("chance_a").to_pylist()
    if any(value is not None and not 0 <= value <= 1 for value in values):
        raise ValueError(f"{_TABLE}: a chance_a is no probability")
    return EncodedColumn.of(values)


def _same(value: Any) -> Any:  # noqa: ANN401 - returns what it is given
    return value


def _codes(chunk: "pa.DictionaryArray", null: int) -> "np.ndarray[Any, Any]":
    """Returns the codes of a column's chunk, with a code for null."""
    import numpy as np

    # not by `fill_null` or `to_numpy`, which import pandas
    indices = chunk.indices
    valid, content = indices.buffers()
    rows = slice(indices.offset, indices.offset + len(indices))
    codes = np.frombuffer(content or b"", indices.type.to_pandas_dtype())[rows]
    if not indices.null_count:
        return codes
    with_null: np.ndarray[Any, Any] = np.where(_bits(valid, indices), codes, null)
    return with_null


def _bits(content: "pa.Buffer", array: "pa.Array") -> "np.ndarray[Any, Any]":
    """Returns the bits of one of an array's buffers as 0 and 1."""
    import numpy as np

    bits = np.unpackbits(np.frombuffer(content or b"", np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)]


def _column(
    table: "pa.Table", name: str, kind: Callable[[Any], T], allowed: Collection[object] | None = None
) -> EncodedColumn[T]:
    """Reads one column and checks each of its distinct values."""
    import numpy as np

    chunks = table.column(name).chunks
    values = chunks[0].dictionary.to_pylist() if chunks else []
    codes = [_codes(chunk, len(values)) for chunk in chunks]
    if any(chunk.null_count for chunk in chunks):
        values.append(None)
    if len(set(values)) < len(values):
        raise ValueError(f"{_TABLE}: the dictionary of {name} lists a value twice")
    for value in values:
        if allowed is not None and value not in allowed:
            raise ValueError(f"{_TABLE}: there is no {name} {value!r:.60}")
    return EncodedColumn.encoded(tuple(map(kind, values)), np.concatenate([np.zeros(0, np.int32), *codes]))
