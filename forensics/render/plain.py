"""A report in, JSON or CSV out, and back."""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from forensics.errors import BaselineError
from forensics.model import REPORT_SCHEMA, EntryRow, Report
from forensics.render.escape import csv_cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_REMEMBERED = 4096
_PIECE = 256 * 1024
"""Characters of a table that are written at once."""
_ENCODER = msgspec.json.Encoder(order=None)


def encode_report(report: Report) -> bytes:
    """Write `report.json`: indented, in the order of the schema, with a final line break."""
    return msgspec.json.format(_ENCODER.encode(report), indent=1) + b"\n"


def decode_report(data: bytes, name: str) -> Report:
    """Read `report.json` back; BaselineError says why it cannot be used."""
    try:
        head = msgspec.json.decode(data, type=dict)
    except msgspec.DecodeError as error:
        raise BaselineError(
            f"{name}: is not JSON ({error}); give a report.json that `forensics analyze` wrote"
        ) from error
    if head.get("schema") != REPORT_SCHEMA:
        raise BaselineError(
            f"{name}: its schema is {head.get('schema')!r}, this version reads {REPORT_SCHEMA!r}; "
            "analyze the logs again"
        )
    try:
        return msgspec.convert(head, type=Report)
    except msgspec.ValidationError as error:
        raise BaselineError(f"{name}: {error}; analyze the logs again") from error


def encode_rows(rows: Iterable[EntryRow]) -> Iterator[bytes]:
    """Write `entries.csv` piece by piece: a line for each original entry behind a cluster."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EntryRow.__struct_fields__)
    cell = lru_cache(_REMEMBERED)(csv_cell)  # most cells say what those above them say
    for row in rows:
        writer.writerow([cell(str(value)) for value in msgspec.structs.astuple(row)])
        if out.tell() >= _PIECE:
            yield out.getvalue().encode("utf-8", "replace")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8", "replace")
