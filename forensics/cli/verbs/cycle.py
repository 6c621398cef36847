"""`forensics cycle`: record and show the cycles of a test–deploy loop."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.options import CloudOptions, InputOptions, OutputOptions, cloud_flags, input_flags, output_flags
from forensics.cli.output import say_exit
from forensics.cli.record_cycle import CycleNotes, record_cycle, write_cycle_documents
from forensics.cli.screens.cycle_screen import claim_lines, print_status
from forensics.cli.screens.report_screen import print_summary
from forensics.cli.settings import find_settings
from forensics.cli.verbs.analyze import chosen_formats, default_folder
from forensics.cycles.ledger import read_ledger
from forensics.errors import LedgerError, UsageError
from forensics.model import Priority
from forensics.text.redact import quote

_FOLDER = click.Path(path_type=Path)
_ledger_option = click.option(
    "--ledger", type=_FOLDER, metavar="DIR", help="Where the cycles are kept. [default: .forensics/cycles]"
)

EPILOG = """\b
Examples:
  forensics cycle record --revision netra-backend-staging-00180 --tests junit.xml --focus "P0 critical"
  forensics cycle record --revision latest --claim 'websocket-1011-serialization fixed by 4f2a9c1'
  forensics cycle status
  forensics cycle report
"""


@click.group("cycle", epilog=EPILOG)
def command() -> None:
    """Record each turn of the test–deploy loop, and hold what was claimed against the next.

    A cycle is a revision with its tests and its report, kept as one JSON file under .forensics/cycles, which is made
    to be committed. A claim such as "websocket-1011-serialization gone" is checked in every later cycle.
    """


@command.command("record")
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number or `latest`.")
@click.option("--focus", default="", metavar="TEXT", help="What this cycle is about.")
@click.option("--environment", default="", metavar="NAME", help="Cycles of one environment are compared.")
@click.option(
    "--claim",
    "claims",
    multiple=True,
    metavar="CLAIM",
    help="'SIGNATURE gone', 'SIGNATURE better' or 'SIGNATURE fixed by CHANGE'; repeatable.",
)
@click.option("--again", is_flag=True, help="Record a revision anew, in place of its cycle.")
@click.option("--at", metavar="TIME", help="When it was recorded. [default: now]")
@_ledger_option
@input_flags
@cloud_flags
@output_flags
def record(
    revision: str,
    focus: str,
    environment: str,
    claims: tuple[str, ...],
    again: bool,  # noqa: FBT001 - click hands flags over by name
    at: str | None,
    ledger: Path | None,
    inputs: InputOptions,
    live: CloudOptions,
    outputs: OutputOptions,
) -> None:
    """Analyse a revision against the cycle before, check earlier claims, and store the cycle."""
    settings = find_settings(Path.cwd())
    notes = CycleNotes(
        focus=focus,
        environment=quote(environment, 80),
        claims=claims,
        again=again,
        at=at,
        ledger=ledger or Path(settings.cycles),
    )
    done = record_cycle(revision, notes, inputs, live, outputs, settings)
    if outputs.as_json:
        click.echo(done.json, nl=False)
    else:
        print_summary(done.report, done.folder, chosen_formats(outputs.formats or settings.format))
        click.echo(f"  {done.document}\n")
        click.echo("\n".join([*claim_lines(done.cycle.claims), f"  cycle {done.cycle.number}: {done.file}"]))
    say_exit(done.report, Priority(outputs.fail_on.upper()) if outputs.fail_on else None)


@command.command("status")
@_ledger_option
def status(ledger: Path | None) -> None:
    """Show all cycles, how often each signature was seen, and how the claims stand."""
    folder = ledger or Path(find_settings(Path.cwd()).cycles)
    cycles = read_ledger(folder)
    if not cycles:
        raise LedgerError(f"no cycles in {str(folder)!r}: record one with `forensics cycle record --revision R`")
    print_status(cycles)


@command.command("report")
@click.argument("number", metavar="[N]", type=click.IntRange(min=1), required=False)
@_ledger_option
@click.option("--templates", type=_FOLDER, metavar="DIR", help="Templates that replace the shipped ones.")
@click.option("--out", type=_FOLDER, metavar="DIR", help="Where to write. [default: forensics-reports/REVISION]")
def report(number: int | None, ledger: Path | None, templates: Path | None, out: Path | None) -> None:
    """Write the document of a cycle, the last one when no number is given, and print where it is."""
    settings = find_settings(Path.cwd())
    folder = ledger or Path(settings.cycles)
    cycles = {cycle.number: cycle for cycle in read_ledger(folder)}
    if not cycles:
        raise LedgerError(f"no cycles in {str(folder)!r}: record one with `forensics cycle record --revision R`")
    if number is not None and number not in cycles:
        raise UsageError(f"no cycle {number} in {str(folder)!r}: there are {', '.join(map(str, cycles))}")
    cycle = cycles[number or max(cycles)]
    templates = templates or (Path(settings.templates) if settings.templates else None)
    for file in write_cycle_documents(cycle, out or default_folder(settings, cycle.revision.name), templates):
        click.echo(file)
