"""Read raw records from files: find them, open them, recognise their format and parse it."""

from __future__ import annotations

import re
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast, overload

from forensics.errors import SourceError
from forensics.model import IndexBatch, PassedOver, Place, RawEntry, Unreadable
from forensics.sources.containers.parts import ArchiveError
from forensics.sources.containers.unpack import parts_of
from forensics.sources.find_inputs import STDIN, Input, find_inputs
from forensics.sources.formats import INPUT_FORMATS, QUOTATIONS, json_lines as lines, sequence
from forensics.sources.index.indexing import Indexing, index, index_runs
from forensics.sources.index.prefilter import can_prefilter, spells_like_the_api
from forensics.sources.json.json_values import NotJsonError, decode_json, entries_in, is_deep, may_be_entry
from forensics.sources.unread_shapes import named_shape
from forensics.sources.values.api_spelling import in_api_spelling

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from forensics.sources.containers.parts import Part
    from forensics.sources.containers.utf8 import TextContent
    from forensics.sources.find_inputs import PathArgument
    from forensics.sources.formats import Format
    from forensics.sources.formats.element import Element

Record = RawEntry | Unreadable | PassedOver | IndexBatch

LARGE = 8 * 2**20
"""Bytes of all inputs together from which lines of other revisions are passed over."""

# A file found in a folder that has such a name and cannot be read is reported; a picture is not.
_LOG_NAMES = (".json", ".jsonl", ".ndjson", ".log", ".csv", ".tsv", ".gz", ".zst")
# A BigQuery sink names audit records so; a prefilter by the API's own names would pass over them.
_TYPED_COLUMN = re.compile(rb'"(?:json|proto)payload_')


@overload
def read_records(
    logs: Sequence[str],
    stdin: BinaryIO | None = None,
    *,
    only: str | None = None,
    expect: Callable[[int], None] | None = None,
) -> Iterator[RawEntry | Unreadable | PassedOver]: ...
@overload
def read_records(
    logs: Sequence[str],
    stdin: BinaryIO | None = None,
    *,
    only: str | None = None,
    indexing: Indexing | None,
    expect: Callable[[int], None] | None = None,
) -> Iterator[Record]: ...
def read_records(
    logs: Sequence[str],
    stdin: BinaryIO | None = None,
    *,
    only: str | None = None,
    indexing: Indexing | None = None,
    expect: Callable[[int], None] | None = None,
) -> Iterator[Record]:
    """Read the records of files, folders, globs and `-`; raise SourceError for an input that cannot be read at all.

    With `indexing`, entries of NDJSON and arrays come as batches of an index, and their lines stay in the store. With
    `only` as well, the lines of large NDJSON that cannot belong to that revision (or prefix of its name) are counted
    and not parsed. `expect` is called with the total number of bytes.
    """
    arguments = find_inputs(logs)  # not in the generator: a wrong path is reported before anything is read
    if expect is not None:
        expect(_total(arguments))
    asked = only if only and can_prefilter(only) and _are_large(arguments) else None
    return _read_all(arguments, stdin, _ReadOptions(asked, indexing))


class _ReadOptions(NamedTuple):
    """How inputs are read."""

    asked: str | None
    indexing: Indexing | None


def _read_all(arguments: Sequence[PathArgument], stdin: BinaryIO | None, options: _ReadOptions) -> Iterator[Record]:
    seen: set[str] = set()
    for path in arguments:
        understood = False
        for item in path.inputs:
            if item.name not in seen:
                seen.add(item.name)
                understood |= yield from _read_input(item, stdin, options)
            else:
                understood = True
        if not understood:
            raise SourceError(f"no log in {path.path!r} ({len(path.inputs)} files looked at); {_what_is_understood()}")


def _are_large(arguments: Sequence[PathArgument]) -> bool:
    """Tell whether passing over lines saves time; a small input is better read as a whole."""
    return _total(arguments) >= LARGE


def _total(arguments: Sequence[PathArgument]) -> int:
    return sum(_size(item) for path in arguments for item in path.inputs)


def _size(item: Input) -> int:
    try:
        return 0 if item.name == STDIN else Path(item.name).stat().st_size
    except OSError:
        return 0


def _read_input(item: Input, stdin: BinaryIO | None, options: _ReadOptions) -> Generator[Record, None, bool]:
    """Yield the records of one file, or of the files inside an archive, and return whether it was a log."""
    understood = False
    try:
        with _opened(item, stdin) as file:
            raw = file if options.indexing is None else cast("BinaryIO", _Counted(file, options.indexing.advance))
            for part in parts_of(raw):
                understood |= yield from _read_part(item, part, options)
    except OSError as error:
        reason = error.strerror or str(error)
        if item.named:
            raise SourceError(f"cannot read {item.name!r}: {reason}") from error
        yield Unreadable(place=Place(source=item.name, record=1), reason=f"cannot be read: {reason}")
        return True
    except ArchiveError as error:
        if item.named and not understood:
            raise SourceError(f"{item.name!r} {error}") from error
        yield Unreadable(place=Place(source=item.name, record=1), reason=str(error))
        return True
    return understood


def _read_part(item: Input, part: Part, options: _ReadOptions) -> Generator[Record, None, bool]:
    member = Input(name=f"{item.name}!{part.name}", named=False) if part.name else item
    if part.content is None:
        yield Unreadable(place=Place(source=member.name, record=1), reason=part.problem)
        return False
    return (yield from _read_content(member, part.content, options))


def _opened(item: Input, stdin: BinaryIO | None) -> AbstractContextManager[BinaryIO]:
    if item.name == STDIN:
        return nullcontext(stdin or sys.stdin.buffer)
    return open(item.name, "rb")  # noqa: PTH123  (the caller closes it)


class _Counted:
    """A file that reports how many bytes are read from it."""

    def __init__(self, file: BinaryIO, advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._advance(len(block))
        return block

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _read_content(item: Input, content: TextContent, options: _ReadOptions) -> Generator[Record, None, bool]:
    number = 0
    blank = content.is_whole and not content.head.strip(b"\0 \t\r\n")
    formats = (*INPUT_FORMATS, *QUOTATIONS) if item.named else INPUT_FORMATS
    format_ = None if blank else next((each for each in formats if each.accepts(content)), None)
    if format_ is None and not blank:
        return (yield from _not_understood(item, content))
    for found in _elements(item, format_, content, options) if format_ else ():
        if isinstance(found, IndexBatch):
            yield found
        elif isinstance(found, PassedOver):
            number = found.place.record
            yield found
        else:
            number = found.number
            yield from _records(item.name, found)
    if content.damage is not None:
        yield Unreadable(place=Place(source=item.name, record=number + 1), reason=content.damage, is_end=True)
    return True


def _elements(
    item: Input, format_: Format, content: TextContent, options: _ReadOptions
) -> Iterator[IndexBatch | PassedOver | Element]:
    head = content.head
    if options.indexing is None or _TYPED_COLUMN.search(head) or not spells_like_the_api(head):
        return format_.read(content)
    if format_ is lines:
        return index(item.name, content, options.asked, options.indexing)
    return (
        index_runs(item.name, sequence.read_raw(content), options.indexing)
        if format_ is sequence
        else format_.read(content)
    )


def _records(source: str, element: Element) -> Iterator[RawEntry | Unreadable]:
    place = Place(source=source, record=element.number)
    if element.problem is not None:
        yield Unreadable(place=place, reason=element.problem)
        return
    entries = entries_in(element.value) or [element.value]
    stored_at = element.place if len(entries) == 1 else None
    for value in entries:
        if not may_be_entry(value):
            yield Unreadable(place=place, reason=f"no log entry: {_kind(value)}")
        elif is_deep(value):
            yield Unreadable(place=place, reason="nested deeper than 100 levels")
        else:
            yield RawEntry(record=in_api_spelling(value), place=place, stored_at=stored_at)


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object without any field of an entry"
    if isinstance(value, list):
        return "an array"
    return "null" if value is None else f"a {type(value).__name__}"


def _not_understood(item: Input, content: TextContent) -> Generator[Unreadable, None, bool]:
    if content.damage is not None and not content.head:
        yield Unreadable(place=Place(source=item.name, record=1), reason=content.damage, is_end=True)
        return True
    holds_json = _is_json(content)
    if item.named:
        if (shape := named_shape(content)) is not None:
            raise SourceError(f"{item.name!r} is {shape}")
        what = "holds JSON, but no log entries" if holds_json else f"is no log: it begins with {content.head[:16]!r}"
        raise SourceError(f"{item.name!r} {what}; {_what_is_understood()}")
    if not holds_json and item.name.lower().endswith(_LOG_NAMES):
        yield Unreadable(place=Place(source=item.name, record=1), reason="not a format that is understood")
    return False


def _is_json(content: TextContent) -> bool:
    """Tell whether a content is JSON without entries, such as the expected findings that lie beside a log."""
    if content.head.lstrip()[:1] not in {b"{", b"["} or content.is_cut:
        return False
    for data in (content.head.lstrip().split(b"\n", 1)[0], content.everything()):
        try:
            decode_json(data)
        except NotJsonError:
            continue
        return True
    return False


def _what_is_understood() -> str:
    names = "; ".join(each.name for each in (*INPUT_FORMATS, *QUOTATIONS))
    return f"understood are {names}; each in UTF-8 or UTF-16, plain, gzip or zstd, also inside zip and tar archives"
