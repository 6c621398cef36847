"""Reports of a test–deploy loop in, cycles out: what is recorded, what was claimed, and what became of it.

`claims` reads and makes claims, `checking` holds them against a later revision, `recording` makes a cycle of a report,
`history` follows a signature through cycles, and `series` tells which cycles
belong together and turns one back into what a comparison needs.
"""

from __future__ import annotations

from forensics.cycles.check_claims import check_claims, in_order
from forensics.cycles.claims import ClaimStatement, CycleDraft, make_claims, parse_claim
from forensics.cycles.history import history
from forensics.cycles.make_cycle import CycleInput, record
from forensics.cycles.series import as_report, earlier_than, of_series, standing

__all__ = [
    "ClaimStatement",
    "CycleDraft",
    "CycleInput",
    "as_report",
    "check_claims",
    "earlier_than",
    "history",
    "in_order",
    "make_claims",
    "of_series",
    "parse_claim",
    "record",
    "standing",
]
