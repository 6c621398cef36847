"""`forensics pull`: from Cloud Logging into a case."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.cli.output import out_folder
from forensics.cli.times import bounds
from forensics.cloud.filters import Span, Target
from forensics.cloud.pacing import REQUESTS_PER_MINUTE, Backoff, Pacer
from forensics.model import Nanoseconds
from forensics.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from forensics.cases import Case
    from forensics.cloud.pages import Page

_LONGEST = Nanoseconds(7 * 86_400 * SECOND)
"""Without bounds, entries of the last seven days are pulled."""

_WORTH_A_WORD = 3.0

EPILOG = """\b
Examples:
  forensics pull --revision shop-api-00042 --project my-project
  forensics analyze --revision shop-api-00042 --case forensics-cases/shop-api-00042-abc
"""


@click.command("pull", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number or `latest`.")
@click.option("--case", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Where the case is, or is made.")
@click.option("--service", default="", metavar="NAME", help="Only revisions of this service.")
@click.option("--region", default="", metavar="NAME", help="Only revisions in this region.")
@click.option("--project", default="", metavar="ID", help="[default: GOOGLE_CLOUD_PROJECT, or that of the credentials]")
@click.option("--since", metavar="2h", help="Only entries of the last 30m, 2h, 7d … before now. [default: 7d]")
@click.option("--from", "from_", metavar="TIME", help="Only entries from this time on (any zone; without one: UTC).")
@click.option("--to", metavar="TIME", help="Only entries before this time. [default: now]")
@click.option(
    "--requests-per-minute",
    type=click.IntRange(1, 600),
    default=REQUESTS_PER_MINUTE,
    show_default=True,
    help="Google allows 60 reads a minute for a project.",
)
@click.option("--impersonate-service-account", "impersonate", default="", metavar="EMAIL", help="Read as this account.")
@click.option(
    "--endpoint",
    default="",
    metavar="URL",
    help="A server without credentials and TLS: http://host:port, or host:port for gRPC.",
)
@click.option(
    "--transport",
    type=click.Choice(["rest", "grpc"]),
    help="gRPC turns the numbers of payloads into doubles. [default: rest, or what --endpoint means]",
)
@click.option("--insecure", is_flag=True, help="Allow an --endpoint on another computer.")
@click.option("--show-query", is_flag=True, help="Print the query that the pull sends.")
def command(
    revision: str,
    folder: Path | None,
    service: str,
    region: str,
    project: str,
    since: str | None,
    from_: str | None,
    to: str | None,
    requests_per_minute: int,
    impersonate: str,
    endpoint: str,
    transport: str | None,
    *,
    insecure: bool,
    show_query: bool,
) -> None:
    """Pull all entries of a revision, and what the platform logged of its service, into a case.

    A pull that was stopped goes on when it is started again; a later pull into the same case adds to it.
    """
    # Heavy imports stand here: `--help` does without them.
    from forensics.cloud.connection import Access, connect  # noqa: PLC0415
    from forensics.cloud.pages import Reader  # noqa: PLC0415
    from forensics.pulling import begin, find_target, go_on, note_transport, rest_of, unfinished  # noqa: PLC0415

    span = _span(since, from_, to)
    access = Access(
        project=project,
        impersonate=impersonate,
        endpoint=endpoint,
        is_insecure=insecure,
        transport=transport or "",
    )
    connection = connect(access, os.environ)
    pacer = Pacer(time.monotonic, time.sleep, requests_per_minute)
    reader = Reader(connection, pacer=pacer, backoff=Backoff(random.Random()), sleep=_wait)  # noqa: S311 - jitter
    asked = Target(revision=revision, service=service, location=region, project=connection.project)
    target = find_target(reader, asked, span)
    with _opened(folder or out_folder(Path("forensics-cases"), target.revision), target.revision) as case:
        pull_id = unfinished(case, target)
        if pull_id is None:
            span = span if since or from_ else rest_of(case, target, span)
            started = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            pull_id = begin(case, target, span, started, connection.transport)
        else:
            click.echo("forensics: going on with a pull that was stopped", err=True)
            note_transport(case, pull_id, connection.transport)
        if show_query:
            click.echo(case.manifest.pulls[pull_id - 1].filter)
        go_on(case, pull_id, reader, _tell)
        if os.isatty(2):
            click.echo("\r\x1b[K", err=True, nl=False)
        click.echo(
            f"{case.manifest.pulls[pull_id - 1].entries:,} entries of {target.revision} pulled into {case.folder}"
        )


def _wait(seconds: float) -> None:
    """Wait after a failure, and say so when it takes a while."""
    if seconds >= _WORTH_A_WORD:
        click.echo(f"forensics: no good answer from Cloud Logging, asking again in {seconds:.0f} s", err=True)
    time.sleep(seconds)


def _span(since: str | None, from_: str | None, to: str | None) -> Span:
    first, last = bounds(since, from_, to)
    end = Nanoseconds(parse_time(last) if last else time.time_ns())
    return Span(Nanoseconds(parse_time(first) if first else end - _LONGEST), end)


def _opened(folder: Path, revision: str) -> Case:
    from forensics.cases import Case  # noqa: PLC0415

    return Case.open(folder) if (folder / "manifest.json").exists() else Case.create(folder, revisions=(revision,))


def _tell(page: Page) -> None:
    """Say on a terminal how far the pull has come."""
    if page.entries and os.isatty(2):
        last = page.cursor.last
        until = f" up to {datetime.fromtimestamp(last / SECOND, UTC):%Y-%m-%d %H:%M:%S}" if last is not None else ""
        click.echo(f"\rpulling{until} …", err=True, nl=False)
