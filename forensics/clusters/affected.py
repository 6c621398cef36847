"""Count the requests, sessions and users that a cluster affected: numbers only, never their names."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from forensics.clusters.clients import RouteCounts, failed_routes
from forensics.model import Affected, LogEntry
from forensics.text.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.clusters.occurrences import FailedRequests
    from forensics.log.entry_table import EntryTable, Occurrences

MOST = 5_000
"""Entries that are decoded again to look for a session or a user; for a larger cluster these are not counted."""
WHOLE, ROWS_OF_ONE = 5, 20
"""Occurrences, and entries of each, in which a user is looked for before all are read."""
_USERS = ("user_id", "userId", "enduser_id", "enduserId")
_SESSIONS = ("session_id", "sessionId", "connection_id", "connectionId")
_INNER = ("context", "extra", "labels", "user", "session")
_NOBODY = frozenset({"", "-", "none", "null", "unknown", "anonymous", "undefined"})
_MASKS = ("redacted", "***", "masked")
"""Parts of a masked value: a logger hid the name, and one mask may stand for many users."""
_SEARCHED = 4_000
"""Characters of a message in which a user is looked for."""
_MAY_NAME_USER = WordSearch("user", "User", "USER")
# {"user_id": "u-17"}      user_id=u-17      for user shop-user-17:      User u-17 has no cart
_NAMES_USER = re.compile(
    r"""(?<![A-Za-z])user(?:[_ -]?id)?
    (?:(?P<sure>\\{0,2}["']\s?:\s?\\{0,2}["']|=\\{0,2}["']?)|["']?\s?:\s?["']?|\ ["']?)
    (?P<name>[\w@+-][\w.@+-]{2,63})""",
    re.VERBOSE | re.IGNORECASE,
)
_FOR_TESTS = re.compile(r"(?<![a-z])(?:e2e|tests?|testing|testuser|loadtest|synthetic|dummy)(?![a-z])", re.IGNORECASE)


def affected(
    occurrences: Occurrences,
    sample: Iterable[int],
    table: EntryTable,
    requests: FailedRequests,
    *,
    counts: RouteCounts,
) -> Affected:
    """Count the requests, sessions and users that entries name; None where they name none.

    `sample` holds a few of the rows: when none of them names a session or a user, the others are not read.
    """
    rows = occurrences.all_rows()
    request_keys = set(requests.keys(rows)) - {0}
    entries = [table.entry(row) for row in sample]
    is_small = len(rows) <= MOST
    users: set[str] = set()
    naming = 0
    # What names the user need not be the entry that tells most.
    whole = [row for group in islice(occurrences.groups(), WHOLE) for row in group[:ROWS_OF_ONE]]
    if is_small and any(_user(entry) for entry in (*entries, *map(table.entry, whole))):
        for group in occurrences.groups():
            named = {name for row in group if (name := _user(table.entry(row)))}
            users |= named
            naming += bool(named)
    failed = (row for row in map(requests.of_cluster_row, rows) if row is not None) if is_small else ()
    return Affected(
        requests=len(request_keys) or None,
        sessions=_count(_SESSIONS, entries, rows, table),
        users=len(users) or None,
        test_users=sum(_FOR_TESTS.search(name) is not None for name in users) if users else None,
        naming=naming or None,
        routes=failed_routes(failed, table, counts),
    )


def _count(names: Sequence[str], sample: Iterable[LogEntry], rows: Sequence[int], table: EntryTable) -> int | None:
    if len(rows) > MOST or not any(_named(entry, names) for entry in sample):
        return None
    return len({name for row in rows if (name := _named(table.entry(row), names))})


def _user(entry: LogEntry) -> str:
    """Return the user that a field or the text of an entry names; "" when it names none."""
    return _named(entry, _USERS) or _user_in(entry.message[:_SEARCHED])


@lru_cache(maxsize=1024)
def _user_in(text: str) -> str:
    """Return the first user that a text names: an id by its shape, or any value of a field."""
    if not _MAY_NAME_USER.is_in(text):
        return ""
    for found in _NAMES_USER.finditer(text):
        name = found["name"].strip(".")
        if _is_somebody(name) and (found["sure"] or "@" in name or any(map(str.isdigit, name))):
            return name
    return ""


def _named(entry: LogEntry, names: Sequence[str]) -> str:
    """Return the first identifying value of one of the fields; "" when there is none."""
    for fields in _objects(entry.raw):
        for name in names:
            value = fields.get(name)
            text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
            if _is_somebody(text):
                return text
    return ""


def _is_somebody(name: str) -> bool:
    low = name.lower()
    return low not in _NOBODY and not any(mask in low for mask in _MASKS)


def _objects(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the objects of an entry where loggers put sessions and users."""
    payload = raw.get("jsonPayload")
    inner = [payload.get(key) for key in _INNER] if isinstance(payload, dict) else []
    for fields in (raw.get("labels"), payload, *inner):
        if isinstance(fields, dict):
            yield fields
