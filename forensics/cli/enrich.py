"""Add to a report what logs cannot say: impact from the settings, and the current state of earlier claims."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.errors import LedgerError, UsageError
from forensics.report.impact import impact, unknown_patterns

if TYPE_CHECKING:
    from forensics.cli.options import BaselineOptions
    from forensics.cli.settings import Settings
    from forensics.model import Report


def enriched(report: Report, settings: Settings, baseline_options: BaselineOptions) -> Report:
    """Return the report with its impact and, with a ledger, the state of the ledger's claims.

    Raises:
        LedgerError: the ledger that --claims names is missing, or one of its files is no cycle.
        UsageError: the settings name a signature that no rule has.
    """
    report = with_impact(report, settings)
    if baseline_options.claims is None and not baseline_options.baseline:
        return report
    from forensics.cycles import check_claims, earlier_than, in_order, of_series  # noqa: PLC0415 - only where there is a ledger
    from forensics.cycles.ledger import read_ledger  # noqa: PLC0415 - as above

    folder = baseline_options.claims or Path(settings.cycles)
    if not folder.is_dir():
        if baseline_options.claims:
            raise LedgerError(f"--claims {str(folder)!r} is no folder: `forensics cycle record` makes a ledger")
        return report
    cycles = earlier_than(of_series(read_ledger(folder), report.revision), report)
    return replace(report, claims=in_order(check_claims(cycles, report, None), None))


def with_impact(report: Report, settings: Settings) -> Report:
    """Return the report with the impact that the settings define.

    Raises:
        UsageError: they name a signature that no rule has.
    """
    unknown = unknown_patterns(settings.impact, report.rules.versions)
    if unknown:
        name, pattern = unknown[0]
        raise UsageError(
            f"impact.{name}: no rule fits {pattern!r}; `forensics rules list` shows them, "
            "and services and test modules are written service:NAME and tests:MODULE"
        )
    return replace(report, impact=impact(report, settings.impact))
