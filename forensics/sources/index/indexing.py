"""Build the index of NDJSON and arrays; large plain files are read in parts, by several processes if that is faster."""

from __future__ import annotations

import codecs
import stat
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from forensics.model import IndexBatch, IndexReader, Lines, PassedOver, Place
from forensics.sources.find_inputs import STDIN
from forensics.sources.formats.element import Element, RawRun
from forensics.sources.formats.json_lines import element_of
from forensics.sources.index.prefilter import Prefiltered, SlowPathLine, all_lines, prefilter, why_not_kept
from forensics.sources.index.record_store import FileRecordStore
from forensics.sources.line_blocks import gathered, read_at
from forensics.system.processes import in_processes

if TYPE_CHECKING:
    from forensics.sources.containers.utf8 import TextContent

LARGE = 8 * 2**20
"""Bytes from which a plain file is not copied: its lines are found again by their offsets."""
PAYS = 48 * 2**20
"""Bytes from which a second process saves more time than it costs."""
PART = 8 * 2**20
"""Bytes of one part."""
_BLOCK = 256 * 1024
"""Bytes of one read, small enough to stay in the processor's cache until they are searched."""
_COMPARED = 1024


class Indexing(Struct, kw_only=True):
    """How lines become rows of an index."""

    store: FileRecordStore
    reader: Callable[[str | None], IndexReader]
    """Makes a reader for the lines that contain a revision's name, or for every line."""
    jobs: int = 1
    advance: Callable[[int], None] = lambda _: None
    """Called with the number of bytes that were read."""


class _Part(Struct):
    """The result of reading one part of a file."""

    lines: int
    passed_over: int
    slow_path: list[SlowPathLine]
    batch: IndexBatch


def index(
    source: str, content: TextContent, asked: str | None, how: Indexing
) -> Iterator[IndexBatch | PassedOver | Element]:
    """Yield rows of an input, the number of lines passed over, and elements for lines that need the slow path."""
    size = _plain_size(source, content)
    place = how.store.open(source) if size >= LARGE else None
    if place is None:
        parts = _parts_of_blocks(source, content, asked, how)
    else:
        how.advance(-len(content.head))  # it is read again, as a part
        parts = _parts_of_file(source, size, place, asked, how)
    number = 0
    for part in parts:
        yield from _in_order(
            part.batch,
            [(slow_path.row, element) for slow_path in part.slow_path for element in _parsed(slow_path, number)],
        )
        number += part.lines
        if part.passed_over:
            yield PassedOver(place=Place(source=source, record=number), lines=part.passed_over)
    yield PassedOver(place=Place(source=source, record=number), lines=0)


def index_runs(
    source: str, found: Iterable[Element | RawRun], how: Indexing
) -> Iterator[IndexBatch | PassedOver | Element]:
    """Yield rows of an input whose entries are not one per line, and elements for entries that need the slow path."""
    reader = how.reader(None)
    for run in found:
        if isinstance(run, Element):
            yield run
            continue
        # Outside of strings a line break has no meaning; inside them neither it nor a NUL can occur unescaped.
        data = b"\0".join(run.values).replace(b"\n", b"").replace(b"\0", b"\n") + b"\n"
        place = how.store.keep_line(data)
        spans = all_lines(data)
        _, slow_path = reader.read(Lines(data=data, spans=spans, place=place))
        numbered = [
            SlowPathLine(number=bisect_left(spans, (start, end)), text=data[start:end], place=place + start, row=row)
            for start, end, row in slow_path
        ]
        slow_elements = [(line.row, element) for line in numbered for element in _parsed(line, run.number)]
        yield from _in_order(reader.batch(source), slow_elements)
        yield PassedOver(place=Place(source=source, record=run.number + len(spans) - 1), lines=0)


def _parsed(slow_path: SlowPathLine, number: int) -> Iterator[Element]:
    """Parse a line of the slow path, `number` lines after the beginning of its input; a blank line yields nothing."""
    if not slow_path.text:
        yield Element(number=number + slow_path.number, problem=why_not_kept())
    elif slow_path.text.strip(b"\0 \t\r"):
        yield structs.replace(element_of(number + slow_path.number, slow_path.text), place=slow_path.place)


def _in_order(batch: IndexBatch, slow_path: Iterable[tuple[int, Element]]) -> Iterator[IndexBatch | Element]:
    """Yield rows with the elements of the slow path in between, in the order of the input."""
    done = 0
    for row, element in slow_path:
        if row > done:
            yield _rows(batch, done, row)
            done = row
        yield element
    if len(batch.times) > done:
        yield _rows(batch, done, len(batch.times)) if done else batch


def _rows(batch: IndexBatch, start: int, end: int) -> IndexBatch:
    return structs.replace(
        batch,
        times=batch.times[start:end],
        identities=batch.identities[start:end],
        places=batch.places[start:end],
        label_ids=batch.label_ids[start:end],
    )


def _plain_size(source: str, content: TextContent) -> int:
    """Return the size of a regular file that is read unchanged; 0 for a pipe, a packed file or one in UTF-16."""
    if source == STDIN:
        return 0
    try:
        found = Path(source).stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size < LARGE:
            return 0
        with Path(source).open("rb") as file:
            head = file.read(_COMPARED).removeprefix(codecs.BOM_UTF8)
    except OSError:
        return 0
    return found.st_size if head and content.head.startswith(head) else 0


def _parts_of_file(source: str, size: int, place: int, asked: str | None, how: Indexing) -> Iterator[_Part]:
    def read(start: int) -> _Part:
        reader = how.reader(asked)
        with Path(source).open("rb", buffering=0) as file:
            first = _line_start(file.fileno(), start)
            blocks = _blocks(file.fileno(), first, min(start + PART, size))
            return _part(source, prefilter(blocks, asked, reader, place=place + first), reader)

    starts = range(0, size, PART)
    parts = in_processes(read, starts, how.jobs if size >= PAYS else 1)
    for start, part in zip(starts, parts, strict=True):
        how.advance(min(PART, size - start))
        yield part


def _parts_of_blocks(source: str, content: TextContent, asked: str | None, how: Indexing) -> Iterator[_Part]:
    """Read an input without offsets of its own, and copy the selected lines into the store."""
    reader = how.reader(asked)
    for prefiltered in prefilter(gathered(content.blocks(), _BLOCK), asked, reader, keep=how.store.keep_line):
        yield _part(source, [prefiltered], reader)


def _part(source: str, blocks: Iterable[Prefiltered], reader: IndexReader) -> _Part:
    lines = rows = passed_over = 0
    slow_path: list[SlowPathLine] = []
    for block in blocks:
        slow_path += [
            structs.replace(line, number=lines + line.number, row=rows + line.row) for line in block.slow_path
        ]
        lines += block.lines
        rows += block.rows
        passed_over += block.passed_over
    return _Part(lines=lines, passed_over=passed_over, slow_path=slow_path, batch=reader.batch(source))


def _line_start(file: int, offset: int) -> int:
    """Return the offset of the first line that begins at or after an offset."""
    at = offset - 1
    while offset and (block := read_at(file, _BLOCK, at)):
        end = block.find(b"\n")
        if end >= 0:
            return at + end + 1
        at += len(block)
    return max(at, 0)


def _blocks(file: int, start: int, end: int) -> Iterator[bytes]:
    """Yield the lines that begin between two offsets, in blocks of whole lines."""
    at = start
    while at < end and (block := read_at(file, min(_BLOCK, end - at), at)):
        cut = block.rfind(b"\n") + 1
        whole = block[:cut] if cut and at + len(block) < end else block
        yield whole
        at += len(whole)
        if at < end or whole.endswith(b"\n"):
            continue
        while rest := read_at(file, _BLOCK, at):
            cut = rest.find(b"\n") + 1
            yield rest[:cut] if cut else rest
            if cut:
                return
            at += len(rest)
