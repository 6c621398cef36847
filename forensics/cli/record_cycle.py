"""`cycle record`: analyse a revision against the cycle before it, and store the new cycle with its documents."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from forensics.cli.analysis import analysed
from forensics.cli.enrich import with_impact
from forensics.cli.output import write_documents, write_text
from forensics.cli.times import moment
from forensics.cli.verbs.analyze import chosen_formats, default_folder
from forensics.cycles import CycleInput, as_report, check_claims, earlier_than, of_series, parse_claim, record
from forensics.cycles.ledger import read_ledger, write_cycle
from forensics.errors import LedgerError, UsageError
from forensics.rendering import encode_report, render_cycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.cli.options import CloudOptions, InputOptions, OutputOptions
    from forensics.cli.settings import Settings
    from forensics.model import Analysis, Cycle, Report, Revision


class CycleNotes(Struct, frozen=True, kw_only=True):
    """The options of `cycle record` about the cycle itself."""

    focus: str
    """The subject of the cycle, in the user's words."""
    environment: str
    """Only cycles of one environment are compared."""
    claims: tuple[str, ...]
    """As written on the command line."""
    again: bool
    """Replace the cycle of this revision."""
    at: str | None
    """Time of recording; None for now."""
    ledger: Path
    """Folder of the cycles."""


class Recorded(NamedTuple):
    """A recorded cycle, its report, and the files that hold them."""

    cycle: Cycle
    report: Report
    json: bytes
    """report.json, as it was written."""
    file: Path
    folder: Path
    document: Path


def record_cycle(
    revision: str,
    notes: CycleNotes,
    inputs: InputOptions,
    live: CloudOptions,
    outputs: OutputOptions,
    settings: Settings,
) -> Recorded:
    """Analyse a revision against the cycle before it, check earlier claims, write documents and ledger.

    Raises:
        ForensicsError: one line for the user; then nothing has been recorded.
    """
    if revision == "all":
        raise UsageError("a cycle is about one revision: name it instead of 'all'")
    asserted = tuple(map(parse_claim, notes.claims))
    time = moment("--at", notes.at) or datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    cycles = read_ledger(notes.ledger)
    templates = outputs.templates or (Path(settings.templates) if settings.templates else None)
    with ExitStack() as stack:
        analysis, earlier = _analysed(stack, revision, notes, inputs, live, settings, cycles)
        report = with_impact(analysis.report, settings)
        number = _number(cycles, report.revision, notes)
        checked = check_claims(earlier_than(earlier, report), report, number)
        cycle_input = CycleInput(
            number=number, time=time, focus=notes.focus, environment=notes.environment, asserted=asserted
        )
        cycle = record(report, cycle_input, earlier, checked)
        report = replace(report, claims=cycle.claims)
        encoded = encode_report(report)
        cycle = replace(cycle, report_sha256=hashlib.sha256(encoded).hexdigest())
        folder = outputs.out or default_folder(settings, report.revision.name)
        # The cycle holds the hash of report.json, so that is always written.
        formats = tuple(dict.fromkeys((*chosen_formats(outputs.formats or settings.format), "json")))
        write_documents(replace(analysis, report=report), folder, formats, templates)
    document = write_cycle_documents(cycle, folder, templates)[0]
    return Recorded(cycle, report, encoded, write_cycle(notes.ledger, cycle), folder, document)


def write_cycle_documents(cycle: Cycle, folder: Path, templates: Path | None) -> list[Path]:
    """Write the documents of a cycle into a folder; return their files, the shipped one first."""
    return [write_text(folder, name, text) for name, text in render_cycle(cycle, templates)]


def _analysed(
    stack: ExitStack,
    revision: str,
    notes: CycleNotes,
    inputs: InputOptions,
    live: CloudOptions,
    settings: Settings,
    cycles: Sequence[Cycle],
) -> tuple[Analysis, tuple[Cycle, ...]]:
    """Analyse a revision against the cycle before it, which is only sure when the revision's full name is known."""
    guess = _guess(cycles, revision, notes.environment, inputs.service or settings.service)
    for _ in range(2):
        baselines = (as_report(guess),) if guess else ()
        analysis = stack.enter_context(analysed(revision, inputs, settings, live, baselines))
        name = analysis.report.revision
        series = of_series(cycles, name, notes.environment)
        number = next((cycle.number for cycle in series if cycle.revision.name == name.name), None)
        earlier = tuple(cycle for cycle in series if number is None or cycle.number < number)
        before = earlier[-1] if earlier else None
        if before is guess:
            return analysis, earlier
        if "-" in inputs.logs:
            raise UsageError("standard input can be read once: name the revision in full, and its --service")
        stack.close()
        guess = before
    raise LedgerError(f"{revision!r} named two revisions while it was analysed: name it in full")


def _guess(cycles: Sequence[Cycle], revision: str, environment: str, service: str | None) -> Cycle | None:
    """Guess the previous cycle, so that a revision is seldom analysed twice."""
    series = [
        cycle for cycle in cycles if cycle.environment == environment and service in {None, cycle.revision.service}
    ]
    names = (f"{revision}-", revision)
    number = next((c.number for c in series if c.revision.name == revision or c.revision.name.startswith(names)), None)
    earlier = [cycle for cycle in series if number is None or cycle.number < number]
    return earlier[-1] if earlier else None


def _number(cycles: Sequence[Cycle], revision: Revision, notes: CycleNotes) -> int:
    series = of_series(cycles, revision, notes.environment)
    number = next((cycle.number for cycle in series if cycle.revision.name == revision.name), None)
    if number is None:
        return max((cycle.number for cycle in cycles), default=0) + 1
    if not notes.again:
        raise LedgerError(f"{revision.name!r} is cycle {number} already: --again records it anew, in its place")
    return number
