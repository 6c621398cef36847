"""Count the requests, sessions and users that a cluster affected: numbers only, never their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import Affected, LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.log.entry_table import EntryTable

MOST = 5_000
"""Entries that are decoded again to look for a session or a user; for a larger cluster these are not counted."""
_USERS = ("user_id", "userId", "enduser_id", "enduserId")
_SESSIONS = ("session_id", "sessionId", "connection_id", "connectionId")
_INNER = ("context", "extra", "labels", "user", "session")
_NOBODY = frozenset({"", "-", "none", "null", "unknown", "anonymous", "undefined"})
_MASKS = ("redacted", "***", "masked")
"""Parts of a masked value: a logger hid the name, and one mask may stand for many users."""


def affected(rows: Sequence[int], sample: Iterable[int], table: EntryTable, requests: Iterable[int]) -> Affected:
    """Count the requests, sessions and users that entries name; None where they name none.

    `sample` holds a few of the rows: when none of them names a session or a user, the others are not read. `requests`
    holds the keys of the rows' requests, 0 for unknown.
    """
    request_keys = set(requests) - {0}
    entries = [table.entry(row) for row in sample]
    sessions = _count(_SESSIONS, entries, rows, table)
    return Affected(requests=len(request_keys) or None, sessions=sessions, users=_count(_USERS, entries, rows, table))


def _count(names: Sequence[str], sample: Iterable[LogEntry], rows: Sequence[int], table: EntryTable) -> int | None:
    if len(rows) > MOST or not any(_named(entry, names) for entry in sample):
        return None
    return len({name for row in rows if (name := _named(table.entry(row), names))})


def _named(entry: LogEntry, names: Sequence[str]) -> str:
    """Return the first identifying value of one of the fields; "" when there is none."""
    for fields in _objects(entry.raw):
        for name in names:
            value = fields.get(name)
            text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
            low = text.lower()
            if low not in _NOBODY and not any(mask in low for mask in _MASKS):
                return text
    return ""


def _objects(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects of an entry where loggers put sessions and users."""
    payload = raw.get("jsonPayload")
    inner = [payload.get(key) for key in _INNER] if isinstance(payload, dict) else []
    for fields in (raw.get("labels"), payload, *inner):
        if isinstance(fields, dict):
            yield fields
