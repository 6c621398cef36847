"""Write the tables of a report as CSV or Parquet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from forensics.errors import UsageError
from forensics.model import CLUSTER_COLUMNS, Change
from forensics.rendering.escape import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Report
    from forensics.model.frames import Row

_Table = tuple[str, "Sequence[Row]", tuple[str, ...]]
"""Name, rows, columns."""


def encode_tables(report: Report, kind: str) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of the table of clusters, and of changes where there is a comparison, as `csv` or `parquet`.

    Raises:
        UsageError: Parquet is wanted, and what writes it is not installed.
    """
    encode = {"csv": _csv, "parquet": _parquet}[kind]
    for name, rows, columns in _tables(report):
        yield f"{name}.{kind}", encode(rows, columns)


def _tables(report: Report) -> Iterator[_Table]:
    yield "clusters", report.rows(), (*CLUSTER_COLUMNS, "incident", "verdict")
    if report.comparison is not None:
        yield "comparison", report.comparison.rows(), Change.__struct_fields__


def _csv(rows: Sequence[Row], columns: tuple[str, ...]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        # A number is no formula, and stays one for whoever reads the table.
        writer.writerow([csv_cell(value) if isinstance(value, str) else value for value in map(row.get, columns)])
    return out.getvalue().encode("utf-8", "replace")


def _parquet(rows: Sequence[Row], columns: tuple[str, ...]) -> bytes:
    try:
        import pyarrow.parquet  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            "--format parquet needs pyarrow, which is not installed: pip install 'forensics[parquet]', or use csv"
        ) from error
    from forensics.model.frames import to_frame  # noqa: PLC0415 - pandas is for those who want it

    out = io.BytesIO()
    to_frame(rows, columns).to_parquet(out, engine="pyarrow", index=False)
    return out.getvalue()
