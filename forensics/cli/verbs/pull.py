"""`forensics pull`: pull entries from Cloud Logging into a case."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.options import CloudOptions, InputOptions, cloud_flags
from forensics.cli.settings import find_settings
from forensics.model import Level

EPILOG = """\b
Examples:
  forensics pull --revision shop-api-00042 --project my-project
  forensics analyze --revision shop-api-00042 --case forensics-cases/shop-api-00042-abc
"""


@click.command("pull", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number, `latest` or `all`.")
@click.option("--case", type=click.Path(path_type=Path), metavar="DIR", help="Where the case is, or is made.")
@click.option("--service", metavar="NAME", help="Only revisions of this service.")
@click.option("--region", metavar="NAME", help="Only revisions in this region.")
@click.option("--project", metavar="ID", help="[default: GOOGLE_CLOUD_PROJECT, or that of the credentials]")
@click.option("--since", metavar="2h", help="Only entries of the last 30m, 2h, 7d … before now. [default: 7d]")
@click.option("--from", "from_", metavar="TIME", help="Only entries from this time on (any zone; without one: UTC).")
@click.option("--to", metavar="TIME", help="Only entries before this time. [default: now]")
@click.option(
    "--level",
    type=click.Choice([x.value for x in Level], case_sensitive=False),
    help="With --errors: what counts as one. [default: ERROR]",
)
@cloud_flags
def command(
    revision: str,
    case: Path | None,
    service: str | None,
    region: str | None,
    project: str | None,
    since: str | None,
    from_: str | None,
    to: str | None,
    level: str | None,
    live: CloudOptions,
) -> None:
    """Pull all entries of a revision, and what the platform logged of its service, into a case.

    A pull that was stopped goes on when it is started again; a later pull into the same case adds to it, and one case
    may hold several revisions.
    """
    from forensics.cli.live import fetch, open_connection  # noqa: PLC0415 - `--help` does without the network

    inputs = InputOptions(
        case=case, service=service, region=region, project=project, since=since, from_=from_, to=to, level=level
    )
    settings = find_settings(Path.cwd())
    connection = open_connection(inputs, settings, live)
    is_narrow = live.everything is False or (live.everything is None and level is not None)
    fetched = fetch(revision, inputs, settings, live, connection, is_narrow=is_narrow, say=click.echo)
    click.echo(f"{fetched.entries:,} entries of {fetched.revision} pulled into {fetched.folder}")
