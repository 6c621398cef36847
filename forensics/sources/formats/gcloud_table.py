"""Tables as `gcloud logging read --format="table(timestamp,severity,textPayload)"` prints them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.sources.api_keys import API_NAMES
from forensics.sources.formats.element import Element
from forensics.sources.line_blocks import LONGEST_ENTRY, numbered_lines, too_long
from forensics.sources.values.columns import path_of, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = 'the output of `gcloud logging read --format="table(…)"`'

_LONGEST = LONGEST_ENTRY
_LOOKED_AT = 20  # lines: a prompt, the command and its warnings may come first
# TIMESTAMP                    SEVERITY  TEXT_PAYLOAD
_HEADER = re.compile(r"\s*[A-Z][A-Z0-9_]*(?:\s{2,}[A-Z][A-Z0-9_]*)+\s*")
_HEADING = re.compile(r"\S+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_GAP = re.compile(r"\s{2,}")
_TEXTS = (("textPayload",), ("jsonPayload", "message"))


class _Layout(Struct, frozen=True):
    """The position and the path of each column."""

    starts: tuple[int, ...]
    paths: tuple[tuple[str, ...], ...]
    time: int | None
    """The column of the timestamp: a line without a time continues the row above it."""
    text: int
    """The column that may hold line breaks."""


class _Row(Struct):
    number: int
    cells: list[str]
    more: list[str]
    """Lines that continue the text."""
    size: int = 0
    """Characters of the continuing lines."""


def accepts(content: TextContent) -> bool:
    """Tell whether one of the first lines is the header of such a table."""
    lines = content.head_lines()[:_LOOKED_AT]
    return any(_layout(line.decode("utf-8", "replace")) for line in lines)


def _layout(line: str) -> _Layout | None:
    if not _HEADER.fullmatch(line):
        return None
    headings = list(_HEADING.finditer(line))
    known = [path_of(heading[0].lower()) for heading in headings]
    paths = tuple(_path(path, heading[0]) for path, heading in zip(known, headings, strict=True))
    if sum(path is not None for path in known) < 2 or not {("timestamp",), ("textPayload",)} & set(paths):  # noqa: PLR2004
        return None
    return _Layout(
        starts=tuple(heading.start() for heading in headings),
        paths=paths,
        time=paths.index(("timestamp",)) if ("timestamp",) in paths else None,
        text=next((paths.index(path) for path in _TEXTS if path in paths), len(paths) - 1),
    )


def _path(known: tuple[str, ...] | None, heading: str) -> tuple[str, ...]:
    # A column of unknown name was asked for by a path, of which only the end is shown; payloads have such paths.
    return (API_NAMES.get(known[0], known[0]), *known[1:]) if known else ("jsonPayload", heading.lower())


def read(content: TextContent) -> Iterator[Element]:
    """Yield every row with the lines that continue it; text above the table is ignored."""
    layout: _Layout | None = None
    row: _Row | None = None
    for number, line in numbered_lines(content.blocks(), _LONGEST):
        if line is None:
            yield Element(number=number, problem=too_long(_LONGEST))
            continue
        new_layout = _layout(line)
        starts_row = layout is not None and not new_layout and _starts_row(layout, line)
        if row and layout and (new_layout or starts_row):
            yield _element(layout, row)
            row = None
        layout = new_layout or layout
        if layout and starts_row:
            row = _Row(number, _cells(layout, line), [])
        elif layout and row:
            _go_on(layout, row, line)
        elif layout and not new_layout and line.strip(" \t-"):
            yield Element(number=number, problem="no row of the table above it")
    if row and layout:
        yield _element(layout, row)


def _starts_row(layout: _Layout, line: str) -> bool:
    if layout.time is None:
        return bool(line.strip())
    return _TIME.match(line, layout.starts[layout.time]) is not None


def _cells(layout: _Layout, line: str) -> list[str]:
    """Cut a line at the columns, or at wide gaps where the columns do not fit (wide characters, a later page)."""
    starts = layout.starts
    if any(line[start - 1 : start].strip() for start in starts[1:]):
        return _GAP.split(line.strip(), maxsplit=len(starts) - 1)
    return [line[start:end] for start, end in zip(starts, (*starts[1:], None), strict=True)]


def _go_on(layout: _Layout, row: _Row, line: str) -> None:
    start = layout.starts[layout.text]
    is_aligned = not line[:start].strip()
    row.size += len(line)
    if row.size <= _LONGEST:
        row.more.append(line[start:] if is_aligned else line)


def _element(layout: _Layout, row: _Row) -> Element:
    if row.size > _LONGEST:
        return Element(number=row.number, problem=too_long(_LONGEST))
    # Only texts keep the blanks before them: the lines of a traceback are indented.
    cells = [
        cell.rstrip() if path in _TEXTS else cell.strip() for path, cell in zip(layout.paths, row.cells, strict=False)
    ]
    if layout.text < len(cells):
        cells[layout.text] = "\n".join([cells[layout.text], *row.more]).rstrip()
    return Element(number=row.number, value=record_of(layout.paths, cells))
