"""Write a report as JSON and its entries as CSV, and read the JSON back."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import astuple

from forensics.errors import BaselineError
from forensics.model import REPORT_SCHEMA, EntryRow, Report
from forensics.rendering.escape import csv_cell

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
    """Read `report.json` back.

    Raises:
        BaselineError: why it cannot be used.
    """
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
    cell = lru_cache(_REMEMBERED)(_cell)
    # What stands between the id and the occurrence is the same for many entries, and so is what they say.
    between = lru_cache(_REMEMBERED)(_cells)
    lines, size = [_cells(EntryRow.__struct_fields__) + "\n"], 0
    for row in rows:
        timestamp, insert_id, *same, occurrence, message = astuple(row)
        line = f"{_cell(timestamp)},{_cell(insert_id)},{between(tuple(same))},{_cell(occurrence)},{cell(message)}\n"
        lines.append(line)
        size += len(line)
        if size >= _PIECE:
            yield "".join(lines).encode("utf-8", "replace")
            lines, size = [], 0
    yield "".join(lines).encode("utf-8", "replace")


def _cells(values: Iterable[str]) -> str:
    return ",".join(map(_cell, values))


def _cell(value: str) -> str:
    """Write a cell as `csv.writer` does, which goes through each of its characters: no carriage return is left here."""
    text = csv_cell(value)
    if '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return f'"{text}"' if "," in text or "\n" in text else text
