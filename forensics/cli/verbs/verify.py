"""`forensics verify`: check that a case is unchanged since it was written."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from forensics.cases import Case, verify
from forensics.text.plurals import counted

EPILOG = """\b
Examples:
  forensics verify cases/shop-api-00042
  forensics verify cases/shop-api-00042 && forensics analyze --revision latest --case cases/shop-api-00042
"""


@click.command("verify", epilog=EPILOG)
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Hash and count every segment of a case again, and list what is not as it was written."""
    problems = verify(folder)
    if problems:
        for problem in problems:
            click.echo(f"forensics: {problem}", err=True)
        sys.exit(2)
    case = Case.look(folder)
    manifest = case.manifest
    entries, segments = counted(manifest.entries, "entry"), counted(len(manifest.segments), "segment")
    click.echo(f"case is sound: {entries} in {segments}, sha256 of the manifest {case.sha256}")
