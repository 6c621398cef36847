"""Cycles of a test–deploy loop: record a revision, claim what is fixed, and check the claims in later revisions.

`claims` parses and makes claims, `check_claims` checks them in a later revision, `make_cycle` makes a cycle from a
report, `history` follows a signature through cycles, `series` selects the cycles that belong together and turns one
back into the part of a report that a comparison needs, and `ledger` stores cycles as files.
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
