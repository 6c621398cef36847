"""`forensics render`: write the documents of a saved report again, without logs."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.api import read_report
from forensics.cli.output import out_folder, write_documents
from forensics.cli.screens.report_screen import print_summary
from forensics.model import Analysis

EPILOG = """\b
Examples:
  forensics render forensics-reports/netra-backend-staging-00180-jkl/report.json
  forensics render report.json --templates my-templates --out docs/postmortems
"""


@click.command("render", epilog=EPILOG)
@click.argument("file", metavar="REPORT.JSON", type=click.Path(path_type=Path))
@click.option(
    "--templates", type=click.Path(path_type=Path), metavar="DIR", help="Templates that replace the shipped ones."
)
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write. [default: beside the report]"
)
def command(file: Path, templates: Path | None, out: Path | None) -> None:
    """Write the Markdown documents of a saved report.json again, without logs."""
    report = read_report(file)
    folder = out_folder(out, report.revision.name) if out else file.parent
    write_documents(Analysis(report=report, rows=iter(())), folder, ("md",), templates)
    print_summary(report, folder, ("md",))
