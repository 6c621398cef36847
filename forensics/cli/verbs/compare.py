"""`forensics compare`: compare two revisions, and show the comparison first."""

from __future__ import annotations

import click
from msgspec.structs import replace

from forensics.cli.options import (
    BaselineOptions,
    CloudOptions,
    InputOptions,
    OutputOptions,
    baseline_source_flags,
    cloud_flags,
    input_flags,
    output_flags,
)
from forensics.cli.verbs.analyze import run

EPILOG = """\b
Examples:
  forensics compare netra-backend-staging-00179 netra-backend-staging-00180
  forensics compare previous latest
"""


@click.command("compare", epilog=EPILOG)
@click.argument("before", metavar="R0")
@click.argument("revision", metavar="R1")
@input_flags
@cloud_flags
@baseline_source_flags
@output_flags
def command(
    before: str,
    revision: str,
    inputs: InputOptions,
    live: CloudOptions,
    baseline_options: BaselineOptions,
    outputs: OutputOptions,
) -> None:
    """Compare revision R1 with R0, and write the documents of R1.

    R0 is a revision, a saved report.json, `previous` or `previous:5`. Counts are held against traffic, and a change is
    only called one where chance does not explain it.
    """
    run(revision, inputs, live, replace(baseline_options, baseline=(before,)), outputs, comparison_first=True)
