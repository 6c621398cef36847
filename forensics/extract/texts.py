"""Find out what a text by itself tells about a failure: for programs that have texts and no export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from forensics.clusters import fingerprint as fingerprint_of_entry
from forensics.entries import decode_record, stitch
from forensics.log.root_exception import innermost_frame, root_exception
from forensics.model import LogEntry, TracedException

if TYPE_CHECKING:
    from collections.abc import Iterable

_BETWEEN = 200
"""Microseconds between two lines: near enough for a stack to go on, too far for a plain line to belong to it."""
_SECOND = 1_000_000


def exception_of(text: str) -> TracedException | None:
    r"""Return the exception, panic or abort that a text tells of; None when it tells of none.

    The text is a stack as a runtime prints it, with or without words around it, on one line with `\n` for its line
    breaks, or a logger's JSON object.

    Raises:
        nothing, whatever the text.
    """
    entry = _entry_of(text)
    root = root_exception(entry)
    if root is None:
        return None
    outer = entry.exceptions[-1]
    return TracedException(
        type=outer.type, message=outer.value, root=root, frame=innermost_frame(entry), chain=entry.exceptions
    )


def fingerprint(text: str) -> str:
    """Return the fingerprint of a text: 12 digits that are the same for texts which tell of the same failure.

    They are the `fingerprint` of its cluster in a report; compare only those of one `signature_method`.

    Raises:
        nothing, whatever the text.
    """
    return fingerprint_of_entry(_entry_of(text))


def join_traces(lines: Iterable[str]) -> list[str]:
    """Join lines of a log that belong to one stack; every other line stays a text of its own, in order.

    Raises:
        nothing, whatever the lines.
    """
    records = [_record(line.rstrip("\r\n"), number) for number, line in enumerate(lines)]
    entries = stitch(decode_record(record) for record in records)
    return [str(entry.raw["textPayload"]) for entry in entries]


def _entry_of(text: str) -> LogEntry:
    if text.lstrip().startswith("{"):
        try:
            values = msgspec.json.decode(text)
        except msgspec.DecodeError:
            values = None
        if isinstance(values, dict):
            return decode_record({"jsonPayload": values})
    return decode_record({"textPayload": text})


def _record(text: str, number: int) -> dict[str, Any]:
    second, fraction = divmod(number * _BETWEEN, _SECOND)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    day, hour = divmod(hour, 24)
    return {
        "insertId": f"{number:09}",
        "timestamp": f"2000-01-{day % 28 + 1:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z",
        "textPayload": text,
    }
