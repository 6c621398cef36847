"""`forensics watch`: follow a rollout live, then analyse it."""

from __future__ import annotations

from pathlib import Path

import click
from msgspec import Struct

from forensics.cli.options import (
    CloudOptions,
    InputOptions,
    OutputOptions,
    gathered,
    output_flags,
    watch_cloud_flags,
    watch_input_flags,
)

EPILOG = """\b
Examples:
  forensics watch --revision shop-api-00043 --project my-project
  forensics watch --revision latest --service shop-api --for 30m --no-until-p0 --fail-on P1
"""


class WatchOptions(Struct, frozen=True, kw_only=True):
    """Options for how long to follow, and what counts as new."""

    length: str
    """Longest duration, as written on the command line."""
    until_p0: bool
    linger: str
    """How long to go on after the first P0, as written on the command line."""
    baseline: Path | None
    """The report.json of an earlier revision."""


_WATCH = (
    click.option(
        "--for", "length", default="10m", show_default=True, metavar="10m", help="How long to follow, at most."
    ),
    click.option("--until-p0/--no-until-p0", default=True, show_default=True, help="End at the first P0."),
    click.option(
        "--linger",
        default="5s",
        show_default=True,
        metavar="5s",
        help="Go on so long after it: what belongs to it follows.",
    ),
    click.option(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="REPORT.JSON",
        help="The report of an earlier revision: failures that are not in it are new.",
    ),
)


@click.command("watch", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number, `latest` or `all`.")
@gathered("options", WatchOptions, _WATCH)
@watch_input_flags
@watch_cloud_flags
@output_flags
def command(
    revision: str, options: WatchOptions, inputs: InputOptions, live: CloudOptions, outputs: OutputOptions
) -> None:
    """Follow a revision live, then find out why it fails.

    Waits for its first entry, takes entries as they arrive (over gRPC; with --transport rest by asking every few
    seconds) into a case, and shows what fails. At the first P0, at the end of --for, or on Ctrl-C it analyses the case
    as `analyze --case` does, and writes the same documents.
    """
    from forensics.cli.watch_rollout import watch_rollout  # noqa: PLC0415 - `--help` does without the network

    watch_rollout(revision, options, inputs, live, outputs)
