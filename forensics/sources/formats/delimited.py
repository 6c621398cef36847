"""Tables of the Logs Explorer or BigQuery as CSV, also separated by tabs or semicolons."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING

from forensics.sources.api_keys import PAYLOADS
from forensics.sources.formats.element import Element
from forensics.sources.line_blocks import LONGEST_ENTRY, numbered_lines, too_long
from forensics.sources.values.columns import is_log_header, path_of, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.sources.containers.utf8 import TextContent

name = "CSV of the Logs Explorer or of BigQuery"

_LONGEST = LONGEST_ENTRY
_SEPARATORS = ",\t;"
# Since 2025 the Logs Explorer puts an apostrophe before what a spreadsheet might take for a formula: cells that hold
# one of these anywhere, as every time does.
_PREFIXED = frozenset('=+-@,"\t\r')
_TIMES = frozenset({"timestamp", "receiveTimestamp"})
# Only what people write may begin with an apostrophe of its own: 'coroutine' object has no attribute 'get'
_FREE_TEXT = PAYLOADS - {"httpRequest"}


def accepts(content: TextContent) -> bool:
    """Tell whether the first line is a header with the columns of log entries."""
    return _header(content) is not None


def _header(content: TextContent) -> tuple[str, list[str]] | None:
    """Return the separator and the names of the columns; None when the content is no such table."""
    line = next((line for line in content.head_lines() if not _is_preamble(line)), b"").decode("utf-8", "replace")
    for separator in _SEPARATORS:
        names = _cells(line.strip(), separator)
        if is_log_header(names):
            return separator, names
    return None


def _is_preamble(line: bytes) -> bool:
    return not line.strip() or line.startswith(b"sep=")  # Excel's way to name the separator


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.removeprefix("'") for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _without_prefix(path: Sequence[str], cell: str) -> str:
    is_its_own = path[0] in _FREE_TEXT and _PREFIXED.isdisjoint(cell)
    return cell if is_its_own else cell.removeprefix("'")


def read(content: TextContent) -> Iterator[Element]:
    """Yield every row; when the number of cells is wrong, only the first line of the row is lost."""
    separator, names = _header(content) or ("", [])
    paths = [path_of(name) or (name or f"column {n}",) for n, name in enumerate(names, start=1)]
    times = [n for n, name in enumerate(names) if name in _TIMES]
    lines = _Lines(content)
    for cells in lines.rows(separator):
        number = lines.number
        if isinstance(cells, str):
            yield Element(number=number, problem=cells)
        elif len(cells) < len(names) or any(cells[len(names) :]):
            yield Element(number=number, problem=f"a row of {len(cells)} cells under {len(names)} columns")
            lines.read_again_behind_first()
        else:
            has_prefixes = any(cells[n][:1] == "'" for n in times)
            plain = list(map(_without_prefix, paths, cells)) if has_prefixes else cells
            yield Element(number=number, value=record_of(paths, plain))


class _Lines:
    """The lines below the header; the csv reader takes as many as each row needs."""

    def __init__(self, content: TextContent) -> None:
        self._source = numbered_lines(content.blocks(), _LONGEST)
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        self._too_long: list[int] = []
        for _, line in self._source:
            if line is not None and not _is_preamble(line.encode()):
                break

    @property
    def number(self) -> int:
        """The number of the first line of the row that was read last."""
        return self._taken[0][0]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = self._again.popleft() if self._again else next(self._source)
        while line is None:
            self._too_long.append(number)
            number, line = next(self._source)
        self._taken.append((number, line))
        return f"{line}\n"

    def rows(self, separator: str) -> Iterator[list[str] | str]:
        """Yield the cells of each row, or the reason why it has none."""
        csv.field_size_limit(_LONGEST)  # a setting of the whole process, 128 KiB where nobody sets it
        reader = csv.reader(self, delimiter=separator)
        while True:
            self._taken.clear()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield f"a cell {too_long(_LONGEST)}" if "limit" in str(error) else f"no CSV: {error}"
                continue
            yield from self._problems()
            if cells is None:
                return
            if cells:
                yield cells

    def _problems(self) -> Iterator[str]:
        taken, self._taken = self._taken, []
        for number in self._too_long:
            self._taken = [(number, "")]
            yield too_long(_LONGEST)
        self._too_long.clear()
        self._taken = taken

    def read_again_behind_first(self) -> None:
        """Put back all lines of this row except the first: a quote that is never closed takes all lines after it."""
        self._again.extendleft(reversed(self._taken[1:]))
