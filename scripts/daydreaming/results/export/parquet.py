"""A cohort as Parquet: one row for each evaluation with the chain that it ends, or for each judgement of two texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daydreaming.results.export.cohort_rows import Row
from daydreaming.results.export.columns import CHAIN_COLUMNS, Column, Kind

if TYPE_CHECKING:
    import pyarrow as pa

# Texts of some 30 KB a row: so many rows are in memory at once.
ROWS_AT_ONCE = 2000


def write_parquet(path: Path, table: Iterable[Row], columns: Sequence[Column] = CHAIN_COLUMNS) -> None:
    """Write rows to a new Parquet file; the same bytes for the same rows. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema(columns)
    rows = iter(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def parquet_schema(columns: Sequence[Column] = CHAIN_COLUMNS) -> pa.Schema:
    """The types of the columns; each has its meaning as a note."""
    import pyarrow as pa

    return pa.schema([_field(column) for column in columns])


def _field(column: Column) -> Any:
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.NUMBER: pa.float64(),
        Kind.FLAG: pa.bool_(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
        Kind.LIST: pa.list_(pa.string()),
    }
    return pa.field(column.name, types[column.kind], metadata={"meaning": column.meaning})
