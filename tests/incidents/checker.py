"""Check a report and its documents against their input: find every statement without evidence.

Each check can fail on its own: the report against the input (`statements`, `recount`), and the documents against the
report (`documents`, `tiles`). None of the program's own joins and verdicts are used; only the escapes and redaction of
texts, and the format of durations, are taken from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from incidents.aftermath import PostmortemContext
from incidents.compared import comparison_faults
from incidents.documents import Fault, check_documents
from incidents.source import Source
from incidents.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forensics.model import EntryRow, Rule

__all__ = ["Fault", "check"]


def check(
    report: dict[str, Any],
    documents: Mapping[str, str],
    records: Iterable[dict[str, Any]],
    rows: Sequence[EntryRow],
    rules: Iterable[Rule],
    *,
    baseline: dict[str, Any] | None = None,
) -> list[Fault]:
    """Return every statement that the evidence does not carry; a baseline is the report that was compared with."""
    source = Source(records)
    statements = Statements(report, source, rows, {rule.id: rule for rule in rules})
    analysed = {(row.insert_id, row.timestamp) for row in rows}
    aftermath = PostmortemContext(report, source, statements.recount, analysed)
    return [
        *statements.faults(),
        *aftermath.faults(),
        *aftermath.exposure(),
        *comparison_faults(report, baseline),
        *check_documents(report, documents),
    ]
