"""The table of entries is CSV as Python's own writer spells it."""

from __future__ import annotations

import csv
import io

from hypothesis import given, strategies as st
from msgspec.structs import astuple

from forensics.model import EntryRow, Level
from forensics.rendering import encode_rows
from forensics.rendering.escape import csv_cell

CELLS = st.text(max_size=8) | st.text(st.sampled_from(",\"\n\r\t\\;= '@+-a\x00\x85\u2028é\ud800"), max_size=6)
ROWS = st.builds(
    EntryRow, **{name: CELLS for name in EntryRow.__struct_fields__ if name != "level"}, level=st.sampled_from(Level)
)


@given(rows=st.lists(ROWS, max_size=5))
def test_rows_are_written_as_by_the_writer_of_python(rows: list[EntryRow]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EntryRow.__struct_fields__)
    writer.writerows([csv_cell(str(value)) for value in astuple(row)] for row in rows)
    written = b"".join(encode_rows(rows))
    assert written == out.getvalue().encode("utf-8", "replace")
    read = list(csv.reader(io.StringIO(written.decode(), newline="")))
    assert read[1:] == [[csv_cell(str(value)) for value in astuple(row)] for row in rows]
