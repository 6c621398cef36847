"""Blocks of NDJSON in, the lines that may speak of a revision out; all others are counted, not parsed.

Reading is nearly all the cost of a large export, and most of its lines belong to other revisions. A line is passed
over only when it cannot matter: it holds neither the name that was asked for, nor an escape that could spell a part of
that name, nor an audit record (whose revision may be empty). What is kept is decided by its decoded values, as ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import stringzilla
from msgspec import DecodeError, Raw, Struct, json

from forensics.sources.shapes.element import Element
from forensics.sources.shapes.lines import element_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.sources.opening import Content

_LONGEST_LINE = 16 * 1024 * 1024
"""Cloud Logging's own limit for an entry is 256 KiB."""
_ESCAPE = b"\\u00"
_HARMLESS_ESCAPES = (b"3c", b"3e", b"26", b"3C", b"3E")
"""How Go's encoder writes `<`, `>` and `&`: frequent, and never a part of a revision's name."""
AUDIT = (b"protoPayload", b"protopayload_auditlog")
"""As the API spells it, and as a BigQuery sink does."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{2,}")


class _Labels(Struct, frozen=True):
    revision_name: str = ""


class _Resource(Struct, frozen=True):
    labels: _Labels = _Labels()


class _Glance(Struct, frozen=True):
    """The one field that tells most false candidates; read many times faster than the whole entry."""

    resource: _Resource = _Resource()
    protoPayload: Raw | None = None  # noqa: N815 - spelled as in the API


_glance = json.Decoder(_Glance)


def can_sift(asked: str) -> bool:
    """Tell whether a revision is asked for by a name, or a part of one, that a line must spell."""
    return asked not in {"all", "latest"} and _NAME.fullmatch(asked) is not None


def spells_like_the_api(head: bytes) -> bool:
    """Tell whether keys are the API's own (`protoPayload`), and not those of a database export."""
    return b'"logName"' in head or b'"insertId"' in head


def sifted_lines(content: Content, asked: str) -> Iterator[Element]:
    """Yield the lines that may speak of the revision, in order, and between them how many were passed over."""
    literals = (asked.encode(), *AUDIT)
    number = 0
    for block in _whole_lines(content.blocks()):
        if block is None:
            number += 1
            yield Element(number=number, problem=f"longer than {_LONGEST_LINE // 2**20} MiB")
            continue
        first, at, kept = number, 0, 0
        for start, end in _candidates(block, literals):
            number += stringzilla.count(block, b"\n", at, start) + 1
            at = end + 1
            line = block[start:end]
            if not _speaks_of_another(line, asked):
                kept += 1
                yield element_of(number, line)
        number += stringzilla.count(block, b"\n", at, len(block))
        passed = number - first - kept - _blank(block)
        if passed:
            yield Element(number=number, passed_over=passed)


def _speaks_of_another(line: bytes, asked: str) -> bool:
    """Tell for certain that an entry belongs to another revision: its name does not hold what was asked for."""
    try:
        glance = _glance.decode(line)
    except (DecodeError, RecursionError):
        return False
    name = glance.resource.labels.revision_name
    return name != "" and asked not in name and glance.protoPayload is None


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Cut at the last line break, each block ending in one; None stands for a line that is too long to be kept."""
    rest = b""
    too_long = False
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            too_long |= len(rest) + len(block) > _LONGEST_LINE
            rest = b"" if too_long else rest + block
            continue
        start = block.find(b"\n") + 1 if too_long else 0
        if too_long:
            yield None
        if start < cut:
            yield rest + block[start:cut]
        rest, too_long = block[cut:], False
    if too_long:
        yield None
    elif rest:
        yield rest + b"\n"


def _candidates(block: bytes, literals: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return where the lines begin and end that hold a literal or an escape that could spell a part of one."""
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


def _blank(block: bytes) -> int:
    """Count empty lines of a block: a line is empty when a break follows a break, or begins the block."""
    # The last argument lets breaks overlap: three in a row are two empty lines.
    twice = sum(int(stringzilla.count(block, two, 0, len(block), True)) for two in (b"\n\n", b"\n\r\n"))
    return twice + block.startswith((b"\n", b"\r\n"))
