"""NDJSON or an array in, batches of its index out: plain large files in parts, by several processes where that pays."""

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
"""Bytes from which on a plain file stays where it is, and its lines are found again by their offsets."""
PAYS = 48 * 2**20
"""Bytes from which on a second process saves more than it costs."""
PART = 8 * 2**20
"""Bytes that are read in one go."""
_BLOCK = 256 * 1024
"""Bytes that are read at once: what is read last is still near the processor when it is searched."""
_COMPARED = 1024


class Indexing(Struct, kw_only=True):
    """How lines become rows of an index."""

    store: FileRecordStore
    reader: Callable[[str | None], IndexReader]
    """Makes a reader for a name that is asked for, or for every line."""
    jobs: int = 1
    advance: Callable[[int], None] = lambda _: None
    """Is told how many bytes were read."""


class _Part(Struct):
    """What came of a part of a file."""

    lines: int
    passed_over: int
    slow_path: list[SlowPathLine]
    batch: IndexBatch


def index(
    source: str, content: TextContent, asked: str | None, how: Indexing
) -> Iterator[IndexBatch | PassedOver | Element]:
    """Yield rows of an input, how many lines were passed over, and elements for lines that are odd."""
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
            [(slow_path.row, element) for slow_path in part.slow_path for element in _told(slow_path, number)],
        )
        number += part.lines
        if part.passed_over:
            yield PassedOver(place=Place(source=source, record=number), lines=part.passed_over)
    yield PassedOver(place=Place(source=source, record=number), lines=0)


def index_runs(
    source: str, found: Iterable[Element | RawRun], how: Indexing
) -> Iterator[IndexBatch | PassedOver | Element]:
    """Yield rows of an input whose entries do not stand in lines of their own, and elements for those that are odd."""
    reader = how.reader(None)
    for run in found:
        if isinstance(run, Element):
            yield run
            continue
        # Outside of texts a line break means nothing, and inside of them neither it nor a NUL can stand as it is.
        data = b"\0".join(run.values).replace(b"\n", b"").replace(b"\0", b"\n") + b"\n"
        place = how.store.keep_line(data)
        spans = all_lines(data)
        _, slow_path = reader.read(Lines(data=data, spans=spans, place=place))
        numbered = [
            SlowPathLine(number=bisect_left(spans, (start, end)), text=data[start:end], place=place + start, row=row)
            for start, end, row in slow_path
        ]
        told = [(line.row, element) for line in numbered for element in _told(line, run.number)]
        yield from _in_order(reader.batch(source), told)
        yield PassedOver(place=Place(source=source, record=run.number + len(spans) - 1), lines=0)


def _told(slow_path: SlowPathLine, number: int) -> Iterator[Element]:
    """Read an odd line, `number` lines behind the beginning of its input; a blank one is nothing."""
    if not slow_path.text:
        yield Element(number=number + slow_path.number, problem=why_not_kept())
    elif slow_path.text.strip(b"\0 \t\r"):
        yield structs.replace(element_of(number + slow_path.number, slow_path.text), place=slow_path.place)


def _in_order(batch: IndexBatch, slow_path: Iterable[tuple[int, Element]]) -> Iterator[IndexBatch | Element]:
    """Yield rows, and odd elements in their places among them: the order of an input is told by its times."""
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
    """Return the size of a regular file that is read as it is; 0 for what is packed, or in UTF-16, or a pipe."""
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
    """Read what has no offsets of its own, and put away the lines that are selected."""
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
    """Return where the first line begins that begins at an offset or behind it."""
    at = offset - 1
    while offset and (block := read_at(file, _BLOCK, at)):
        end = block.find(b"\n")
        if end >= 0:
            return at + end + 1
        at += len(block)
    return max(at, 0)


def _blocks(file: int, start: int, end: int) -> Iterator[bytes]:
    """Yield the lines that begin between two offsets, the last one whole, in blocks that end with a line."""
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
