"""Tell whether a log would hold a thing: whether it is here, and was not filtered.

"Not recorded" is never "not there": what is denied must have been recorded, had it happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import Coverage
    from forensics.whys.contexts import RunContext

APPLICATION = "application"
"""What the application writes: stdout and stderr."""
_STREAMS = {APPLICATION: ("stdout", "stderr")}
_UNNAMED = "(no log name)"
"""Entries of exports that leave the name of the log out."""


def is_whole(coverage: Coverage) -> bool:
    """Tell whether nothing looks cut, lost or left without words."""
    return coverage.truncated is False and not (coverage.unreadable or coverage.no_payload or coverage.gaps)


def is_kept(log: str, run: RunContext) -> bool:
    """Tell whether a log is here and was not filtered by severity.

    An application's log must show a quiet line of its own: a pull by severity lacks the lines without one, which hold
    causes and tracebacks. The platform's logs may be loud throughout where others here are not.
    """
    return bool(entries_in(log, run.coverage)) and not run.coverage.logs.get(_UNNAMED) and not is_loud(log, run)


def is_loud(log: str, run: RunContext) -> bool:
    """Tell whether a log holds WARNING and above alone, as if it had been pulled by severity."""
    quietest = run.neighbours.quietest
    own = [quietest[name] for name in _STREAMS.get(log, (log,)) if name in quietest]
    lowest = own if log == APPLICATION else quietest.values()
    return min(lowest, default=0) >= Level.WARNING.rank


def has_failed(table: EntryTable) -> bool:
    """Tell whether any request failed or any process ended in these entries."""
    return any(
        facts.exits or (facts.is_request and facts.level.rank >= Level.WARNING.rank) for facts in table.distinct_facts
    )


def absent(logs: Sequence[str], coverage: Coverage) -> list[str]:
    """List the logs without an entry; none where entries do not name their log."""
    return [] if coverage.logs.get(_UNNAMED) else [log for log in logs if not entries_in(log, coverage)]


def log_of(stream: str) -> str:
    """Return the log that a stream belongs to: `stderr` to that of the application."""
    return APPLICATION if stream in _STREAMS[APPLICATION] else stream


def each_once(logs: Iterable[str]) -> tuple[str, ...]:
    """Order the names of logs, each once."""
    return tuple(sorted(set(logs)))


def entries_in(log: str, coverage: Coverage) -> int:
    """Count the entries of a log."""
    return sum(coverage.logs.get(name, 0) for name in _STREAMS.get(log, (log,)))
