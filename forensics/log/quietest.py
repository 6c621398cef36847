"""How quiet the entries of each log are: a log without a quiet line was perhaps pulled by severity."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from forensics.model import Level

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable


def quietest(table: EntryTable) -> dict[str, int]:
    """Return the rank of the lowest severity in each log, by the log's name; 0 for an entry without one.

    It is the severity that Cloud Logging filters by, not the level that a text states.
    """
    found: dict[str, int] = {}
    for code, count in table.counts.items():
        facts = table.distinct_facts[code]
        stream = facts.stream or ("requests" if facts.is_request else "")
        rank = _rank(facts.severity)
        if count and rank < found.get(stream, rank + 1):
            found[stream] = rank
    return found


def quiet_times(table: EntryTable) -> array[int]:
    """Return the times of the entries below WARNING, in order; those without a severity are among them."""
    is_quiet = [_rank(facts.severity) < Level.WARNING.rank for facts in table.distinct_facts]
    return array("q", map(table.times.__getitem__, table.rows_with(is_quiet)))


def _rank(severity: str | None) -> int:
    return Level[severity].rank if severity is not None and severity in Level.__members__ else 0
