"""Converts rows to parquet bytes and back: column types are fixed for our tables, inferred for the methods' own.

Every `Scalar` comes back equal, except that lone surrogates, which UTF-8 cannot encode, become U+FFFD.
"""

import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diffing.report.schema import arrow_schema
from diffing.types import Row, Scalar

if TYPE_CHECKING:
    import pyarrow as pa

_SURROGATES = re.compile("[\ud800-\udfff]")
_INT64 = range(-(2**63), 2**63)
_EXACT_AS_FLOAT = 2**53
_JSON = {b"encoding": b"json"}


def savable(text: str) -> str:
    """Replaces every lone surrogate in a text by U+FFFD, since UTF-8 cannot encode it."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def scalar_to_json(value: Scalar) -> object:
    """Converts a scalar to a value that strict JSON can hold: a float that is not finite becomes an object."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return savable(value) if isinstance(value, str) else value


def scalar_from_json(value: object) -> Scalar:
    """Converts a value that `scalar_to_json` returned back to the scalar.

    Raises:
        TypeError, KeyError, ValueError: The value does not come from `scalar_to_json`.
    """
    if isinstance(value, dict):
        return float(value["float"])
    if not isinstance(value, str | int | float | None):
        raise TypeError(f"expected text, a number, true, false or null, got {type(value).__name__}")
    return value


def our_table(name: str, rows: Iterable[Sequence[object]]) -> "pa.Table":
    """Makes an arrow table with the columns that the schema prescribes.

    Args:
        name: A key of `schema.TABLES`.
        rows: The values of each row, in the order of the table's columns.
    """
    import pyarrow as pa

    schema = arrow_schema(name)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(_savable(values), type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def method_table(name: str, rows: Sequence[Row]) -> bytes:
    """Returns a method's own table as the bytes of a parquet file.

    Args:
        name: The table's name, for error messages.
        rows: The rows; all have the same keys, at least one.

    Raises:
        ValueError: The rows have no columns, or their columns differ.
        TypeError: A value is not a `Scalar`.
    """
    import pyarrow as pa

    columns = list(rows[0]) if rows else []
    if any(set(row) != set(columns) or not row for row in rows):
        raise ValueError(f"expected the same columns, at least one, in every row of table {name}")
    fields, arrays = [], []
    for column in columns:
        values = [row[column] for row in rows]
        kind = _kind(values, f"{name}.{column}")
        if kind == "json":
            values = [None if value is None else json.dumps(scalar_to_json(value)) for value in values]
        elif kind == "float64":
            values = [None if value is None else float(value) for value in values]
        arrow = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
        fields.append(
            pa.field(savable(column), arrow.get(kind, pa.string()), metadata=_JSON if kind == "json" else None)
        )
        arrays.append(pa.array(_savable(values), type=fields[-1].type))
    return to_parquet(pa.Table.from_arrays(arrays, schema=pa.schema(fields)))


def read_our_table(name: str, content: bytes, version: int) -> list[dict[str, Any]]:
    """Reads the rows of a table whose columns the schema prescribes; columns that were added later are None.

    Args:
        name: A key of `schema.TABLES`.
        content: The bytes of the parquet file.
        version: The schema version of the report.

    Raises:
        pyarrow.ArrowException: The content is not a parquet file.
        ValueError: The columns differ from the schema's.
    """
    table = _read(content)
    schema = arrow_schema(name, version)
    if not table.schema.equals(schema, check_metadata=False):
        raise ValueError(f"{name}.parquet has other columns than the schema says")
    later = dict.fromkeys(column for column in arrow_schema(name).names if column not in schema.names)
    return [row | later for row in table.to_pylist()]


def read_method_table(content: bytes) -> tuple[Row, ...]:
    """Reads the rows of a method's own table back from the bytes that `method_table` returned.

    Raises:
        pyarrow.ArrowException: The content is not a parquet file.
        ValueError: A column has a type that `method_table` never writes, or its JSON is invalid.
    """
    import pyarrow.types as kinds

    table = _read(content)
    scalars = (kinds.is_string, kinds.is_int64, kinds.is_float64, kinds.is_boolean)
    columns: dict[str, list[Scalar]] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if not any(fits(field.type) for fits in scalars):
            raise ValueError(f"a table has a column {field.name!r:.60} of the unexpected type {field.type}")
        values = column.to_pylist()
        if (field.metadata or {}).items() >= _JSON.items():
            values = [None if value is None else scalar_from_json(json.loads(value)) for value in values]
        columns[field.name] = values
    return tuple(dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _kind(values: Sequence[Scalar], where: str) -> str:
    """Chooses a column type that can hold all of the values and return them unchanged."""
    present = [value for value in values if value is not None]
    kinds = {_kind_of(value, where) for value in present}
    if kinds <= {"string"}:
        return "string"
    if kinds == {"int64", "float64"}:
        exact = all(abs(value) <= _EXACT_AS_FLOAT for value in present if isinstance(value, int))
        return "float64" if exact else "json"
    return kinds.pop() if len(kinds) == 1 else "json"


def _kind_of(value: Scalar, where: str) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if value in _INT64 else "json"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, str):
        return "string"
    raise TypeError(f"expected text, a number, a truth value or None in {where}, got {type(value).__name__}")


def _savable(values: Iterable[object]) -> list[object]:
    def clean(value: object) -> object:
        if isinstance(value, str):
            return savable(value)
        if isinstance(value, Mapping):
            return {key: clean(inner) for key, inner in value.items()}
        return [clean(inner) for inner in value] if isinstance(value, list) else value

    return [clean(value) for value in values]


def to_parquet(table: "pa.Table") -> bytes:
    """Returns a table as the bytes of a parquet file; the same table always gives the same bytes."""
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _read(content: bytes) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    # not by `read_table`, which imports pandas
    return pq.ParquetFile(pa.BufferReader(content)).read()
