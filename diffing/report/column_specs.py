"""The types that describe the tables of a saved report: `ColumnSpec` and `TableSpec`."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

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
    since: int = 1
    """The first schema version whose folders have the table."""
