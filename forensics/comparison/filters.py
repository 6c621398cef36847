"""What a log would contain if nothing had been filtered out, and what it lacks of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Level

if TYPE_CHECKING:
    from forensics.model import Coverage, Exposure

_ENOUGH_ENTRIES = 3
"""Entries from which on a service writes something that is no complaint, if only that an instance started."""
_ENOUGH_REQUESTS = 5
"""Requests from which on one that went well is missed, unless the platform's own lines show that all was pulled."""


def filter_of(coverage: Coverage, exposure: Exposure | None) -> str | None:
    """Say by what a log looks filtered, None where it does not.

    A revision of which every request fails is no filter: the platform still writes, below WARNING, what it starts.
    """
    levels = {Level[name].rank: n for name, n in coverage.levels.items() if n and name in Level.__members__}
    lowest = min(levels, default=0)
    if sum(levels.values()) >= _ENOUGH_ENTRIES and not coverage.no_severity and lowest >= Level.WARNING.rank:
        word = "ERROR" if lowest >= Level.ERROR.rank else "WARNING"
        return f"only entries of {word} and above are here: a filter left out the rest"
    requests = exposure.requests if exposure else None
    failed = exposure.failed if exposure else 0
    if requests and requests >= _ENOUGH_REQUESTS and failed >= requests and not coverage.logs.get("system"):
        return (
            f"none of {requests:,} requests went well, and no line of the platform is here: a filter left out the rest"
        )
    return None
