"""`forensics analyze`: find out why a revision fails, and write the documents."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from msgspec.structs import replace

from forensics.cli.baseline import analysed_against
from forensics.cli.enrich import enriched
from forensics.cli.options import (
    BaselineOptions,
    CloudOptions,
    InputOptions,
    OutputOptions,
    baseline_flags,
    cloud_flags,
    input_flags,
    output_flags,
)
from forensics.cli.output import out_folder, say_exit, write_documents
from forensics.cli.screens.report_screen import print_comparison, print_summary
from forensics.cli.settings import Settings, find_settings
from forensics.errors import UsageError
from forensics.model import Priority
from forensics.rendering import DEFAULT_FORMATS, FORMATS, encode_report

EPILOG = """\b
Examples:
  forensics analyze --revision netra-backend-staging-00180
  forensics analyze --revision netra-backend-staging-00180 --baseline previous
  forensics analyze --revision all --logs samples/module-missing-crash-loop/logs --format json --json
  forensics analyze --revision shop-api-00042 --live --project my-project --since 2h
"""


@click.command("analyze", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number, `latest` or `all`.")
@input_flags
@cloud_flags
@baseline_flags
@output_flags
def command(
    revision: str, inputs: InputOptions, live: CloudOptions, baseline_options: BaselineOptions, outputs: OutputOptions
) -> None:
    """Find out why a revision fails, and write the documents.

    Reads exports of Cloud Logging, or asks Cloud Logging itself when there are none, names the failures, groups them,
    links symptoms to causes, and writes index.md, one five-whys document per cluster, postmortem.md, report.json and
    entries.csv.
    """
    run(revision, inputs, live, baseline_options, outputs)


def run(
    revision: str,
    inputs: InputOptions,
    live: CloudOptions,
    baseline_options: BaselineOptions,
    outputs: OutputOptions,
    *,
    comparison_first: bool = False,
) -> None:
    """Analyse a revision, write the documents, print the summary and leave with the exit code."""
    settings = find_settings(Path.cwd())
    formats = chosen_formats(outputs.formats or settings.format)
    templates = outputs.templates or (Path(settings.templates) if settings.templates else None)
    with analysed_against(revision, inputs, baseline_options, settings, live) as bare:
        folder = outputs.out or default_folder(settings, bare.report.revision.name)
        analysis = replace(bare, report=enriched(bare.report, settings, baseline_options))
        write_documents(analysis, folder, formats, templates)
    if outputs.as_json:
        sys.stdout.buffer.write(encode_report(analysis.report))
    else:
        if comparison_first:
            print_comparison(analysis.report)
        print_summary(analysis.report, folder, formats)
    say_exit(analysis.report, Priority(outputs.fail_on.upper()) if outputs.fail_on else None)


def default_folder(settings: Settings, revision: str) -> Path:
    """Name the folder of a revision's documents when no flag does."""
    return out_folder(Path(settings.out) if settings.out else Path("forensics-reports"), revision)


def chosen_formats(text: str | None) -> tuple[str, ...]:
    """Read --format; the usual formats when it is not given."""
    names = tuple(part.strip().lower() for part in (text or ",".join(DEFAULT_FORMATS)).split(",") if part.strip())
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise UsageError(f"--format knows {', '.join(FORMATS)}, not {', '.join(unknown) or 'nothing'!r}")
    return names
