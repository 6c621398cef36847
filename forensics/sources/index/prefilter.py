"""Select the lines of NDJSON that may belong to a revision; all other lines are counted, not parsed.

Parsing is nearly all the cost of a large export, and most of its lines belong to other revisions. A line is passed over
only when it cannot matter: it contains neither the revision's name, nor an escape that could spell a part of that name,
nor an audit record (whose revision may be empty). The decoded values of a selected line then decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import stringzilla
from msgspec import Struct

from forensics.model import Lines
from forensics.sources.line_blocks import LONGEST_ENTRY, too_long

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forensics.model import IndexReader

    Keep = Callable[[bytes], int]

_BRACE = ord("{")
_ESCAPE = b"\\u00"
_HARMLESS_ESCAPES = (b"3c", b"3e", b"26", b"3C", b"3E")
"""How Go's encoder writes `<`, `>` and `&`: frequent, and never a part of a revision's name."""
_BLANKS = b"\0 \t\r"
AUDIT = (b"protoPayload", b"protopayload_auditlog")
"""The key of an audit record as the API spells it, and as a BigQuery sink does."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,}")


def can_prefilter(asked: str) -> bool:
    """Tell whether a query for a revision is a name, or a part of one, that must occur in a line."""
    return asked not in {"all", "latest"} and _NAME.fullmatch(asked) is not None


def spells_like_the_api(head: bytes) -> bool:
    """Tell whether keys are the API's own (`protoPayload`), and not those of a database export."""
    return b'"logName"' in head or b'"insertId"' in head


class SlowPathLine(Struct):
    """A line that must be parsed by itself, exactly and forgivingly."""

    number: int
    """From 1, in the block or the part."""
    text: bytes
    """Empty when the line is too long."""
    place: int | None = None
    """The line's place in the record store."""
    row: int = 0
    """How many rows of the block or the part come before it."""


class Prefiltered(Struct, kw_only=True):
    """The result of filtering one block."""

    lines: int
    """Line breaks in it."""
    rows: int = 0
    passed_over: int = 0
    slow_path: list[SlowPathLine]


def prefilter(
    blocks: Iterable[bytes], asked: str | None, reader: IndexReader, *, place: int = 0, keep: Keep | None = None
) -> Iterator[Prefiltered]:
    """Pass the lines that may matter to a reader, and yield for each block what else was in it.

    `place` is the place of the first byte in the store; with `keep`, selected lines are copied into the store instead.
    Without a revision's name every line matters, and whole blocks are copied.
    """
    literals = (asked.encode(), *AUDIT) if asked is not None else ()
    for at, block in _whole_lines(blocks):
        if block is None:
            yield Prefiltered(lines=1, slow_path=[SlowPathLine(1, b"")])
            continue
        spans = _candidates(block, literals) if literals else all_lines(block)
        if keep is None:
            first: int | None = place + at
        else:
            first = None if literals else keep(block)
        rows, slow_path = reader.read(
            Lines(data=block, spans=spans, place=first or 0, keep=keep if first is None else None)
        )
        lines = stringzilla.count(block, b"\n")
        passed = lines - rows - len(slow_path) - _blank(block, lines) if literals else 0
        numbered = [
            SlowPathLine(
                stringzilla.count(block, b"\n", 0, start) + 1,
                block[start:end],
                None if first is None else first + start,
                row,
            )
            for start, end, row in slow_path
        ]
        yield Prefiltered(lines=lines, rows=rows, passed_over=passed, slow_path=numbered)


def why_not_kept() -> str:
    """Return the problem of a line that came without its text."""
    return too_long(LONGEST_ENTRY)


def _whole_lines(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Yield blocks of whole lines with their offsets; None for a line that is too long."""
    rest = b""
    at = 0
    too_long = False
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            too_long |= len(rest) + len(block) > LONGEST_ENTRY
            at += len(rest) + len(block) if too_long else 0
            rest = b"" if too_long else rest + block
            continue
        start = block.find(b"\n") + 1 if too_long else 0
        if too_long:
            yield at, None
            at += start
        if start < cut:
            yield at, rest + block[start:cut]
            at += len(rest) + cut - start
        rest, too_long = block[cut:], False
    if too_long:
        yield at, None
    elif rest:
        yield at, rest + b"\n"


def all_lines(block: bytes) -> list[tuple[int, int]]:
    """Return the bounds of the lines of a block that are not blank."""
    spans = []
    start = 0
    while (end := block.find(b"\n", start)) >= 0:
        if end > start and (block[start] == _BRACE or not block[start:end].isspace()):
            spans.append((start, end))
        start = end + 1
    return spans


def _candidates(block: bytes, literals: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return the bounds of the lines that contain a literal, or an escape that could spell a part of one."""
    found: dict[int, int] = {}
    for literal in literals:
        at = stringzilla.find(block, literal)
        while at >= 0:
            start, end = block.rfind(b"\n", 0, at) + 1, block.find(b"\n", at)
            found[start] = end
            at = stringzilla.find(block, literal, end)
    for at in _escapes(block):
        found[block.rfind(b"\n", 0, at) + 1] = block.find(b"\n", at)
    return sorted(found.items())


def _escapes(block: bytes) -> Iterator[int]:
    at = stringzilla.find(block, _ESCAPE)
    while at >= 0:
        end = at + len(_ESCAPE)
        if block[end : end + 2] in _HARMLESS_ESCAPES:
            at = stringzilla.find(block, _ESCAPE, end)
        else:
            yield at
            at = stringzilla.find(block, _ESCAPE, block.find(b"\n", end))


def _blank(block: bytes, lines: int) -> int:
    """Count the lines of a block that are empty or have only blanks and NULs."""
    # Nearly always every line begins with a brace, and one search of the block shows it.
    if int(stringzilla.count(block, b"\n{")) + block.startswith(b"{") == lines:
        return 0
    first = not block[: block.find(b"\n")].strip(_BLANKS)
    return first + sum(_blank_from(block, b"\n" + start) for start in (b"\n", b"\r", b" ", b"\t", b"\0"))


def _blank_from(block: bytes, start: bytes) -> int:
    """Count the blank lines that begin with certain bytes; `start` includes the line break before the line."""
    blank = 0
    at = stringzilla.find(block, start)
    while at >= 0 and (end := block.find(b"\n", at + 1)) >= 0:
        blank += not block[at:end].strip(_BLANKS + b"\n")
        at = stringzilla.find(block, start, end)
    return blank
