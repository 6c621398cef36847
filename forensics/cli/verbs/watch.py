"""`forensics watch`: follow a rollout live, then analyse it."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from forensics.cli.options import (
    CloudOptions,
    InputOptions,
    OutputOptions,
    output_flags,
    watch_cloud_flags,
    watch_input_flags,
)
from forensics.cli.output import say_exit, write_documents
from forensics.cli.screens.report_screen import print_summary
from forensics.cli.settings import find_settings
from forensics.cli.verbs.analyze import chosen_formats, default_folder
from forensics.errors import BaselineError, UsageError
from forensics.model import Level, Priority
from forensics.render import decode_report, encode_report
from forensics.text.timestamps import SECOND, format_seconds, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.cli.follow_live import Followed, Plan
    from forensics.cli.screens.watch_screen import PlainLines
    from forensics.cli.settings import Settings
    from forensics.model import Nanoseconds, Report
    from forensics.watch import Tally

EPILOG = """\b
Examples:
  forensics watch --revision shop-api-00043 --project my-project
  forensics watch --revision latest --service shop-api --for 30m --no-until-p0 --fail-on P1
"""


@click.command("watch", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number, `latest` or `all`.")
@click.option("--for", "length", default="10m", show_default=True, metavar="10m", help="How long to follow, at most.")
@click.option("--until-p0/--no-until-p0", default=True, show_default=True, help="End at the first P0.")
@click.option(
    "--linger",
    default="5s",
    show_default=True,
    metavar="5s",
    help="Go on so long after it: what belongs to it follows.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="REPORT.JSON",
    help="The report of an earlier revision: failures that are not in it are new.",
)
@watch_input_flags
@watch_cloud_flags
@output_flags
def command(
    revision: str,
    length: str,
    until_p0: bool,  # noqa: FBT001 - click hands it over by name
    linger: str,
    baseline: Path | None,
    inputs: InputOptions,
    live: CloudOptions,
    outputs: OutputOptions,
) -> None:
    """Follow a revision live, then find out why it fails.

    Waits for its first entry, takes entries as they arrive (over gRPC; with --transport rest by asking every few
    seconds) into a case, and shows what fails. At the first P0, at the end of --for, or on Ctrl-C it analyses the case
    as `analyze --case` does, and writes the same documents.
    """
    from forensics.cli.follow_live import Plan  # noqa: PLC0415 - `--help` does without it

    settings = find_settings(Path.cwd())
    formats = chosen_formats(outputs.formats or settings.format)
    plan = Plan(
        seconds=_duration("--for", length) / SECOND,
        since=_duration("--since", inputs.since or "10m"),
        until_p0=until_p0,
        linger=_duration("--linger", linger) / SECOND,
    )
    followed = _follow(revision, inputs, settings, live, plan, _tallies(inputs, settings, baseline), outputs)
    click.echo(_verdict(followed), err=outputs.as_json)
    _report(followed, inputs, settings, outputs, formats)


def _follow(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions,
    plan: Plan,
    make_tally: Callable[[str], Tally],
    outputs: OutputOptions,
) -> Followed:
    from forensics.cli.follow_live import follow  # noqa: PLC0415 - as in command
    from forensics.cli.live import open_connection  # noqa: PLC0415

    if not (live.transport or live.endpoint or os.environ.get("LOGGING_EMULATOR_HOST")):
        live = replace(live, transport="grpc")  # REST has no tail
    with closing(open_connection(inputs, settings, live)) as transport, closing(_screen(plan, outputs)) as screen:
        return follow(revision, inputs, settings, live, transport, plan, screen, make_tally)


def _report(
    followed: Followed, inputs: InputOptions, settings: Settings, outputs: OutputOptions, formats: tuple[str, ...]
) -> None:
    """Analyse the case, and write the documents as `analyze --case` does."""
    from forensics.cli.analysis import analysed  # noqa: PLC0415 - as in command

    of_case = replace(inputs, case=followed.folder, since=None)
    templates = outputs.templates or (Path(settings.templates) if settings.templates else None)
    with analysed(followed.revision, of_case, settings) as analysis:
        folder = outputs.out or default_folder(settings, analysis.report.revision.name)
        write_documents(analysis, folder, formats, templates)
    if outputs.as_json:
        sys.stdout.buffer.write(encode_report(analysis.report))
    else:
        print_summary(analysis.report, folder, formats)
    say_exit(analysis.report, Priority(outputs.fail_on.upper()) if outputs.fail_on else None)


def _screen(plan: Plan, outputs: OutputOptions) -> PlainLines:
    from forensics.cli.screens.watch_screen import LiveTable, PlainLines  # noqa: PLC0415 - as in command

    out = sys.stderr if outputs.as_json else sys.stdout
    length = f"for {format_seconds(round(plan.seconds * SECOND))}" + (" or until the first P0" if plan.until_p0 else "")
    return (LiveTable if out.isatty() else PlainLines)(out, length)


def _tallies(inputs: InputOptions, settings: Settings, baseline: Path | None) -> Callable[[str], Tally]:
    """Read rules and baseline before any request; return a function that makes the tally of a revision."""
    from forensics.rulebook import load_rules  # noqa: PLC0415 - as in command
    from forensics.watch import Tally  # noqa: PLC0415

    rules, _ = load_rules([*map(Path, settings.rules), *inputs.rules])
    baseline_report = _saved(baseline) if baseline else None
    level = Level((inputs.level or settings.level or "ERROR").upper())
    return lambda revision: Tally(rules, level, revision, baseline_report)


def _saved(file: Path) -> Report:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BaselineError(f"{str(file)!r}: {error.strerror}; give the report.json of an earlier run") from error
    return decode_report(data, file.name)


def _verdict(followed: Followed) -> str:
    from forensics.cli.screens.watch_screen import verdict  # noqa: PLC0415 - as in command

    return verdict(followed)


def _duration(flag: str, text: str) -> Nanoseconds:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is no duration: write 30s, 10m or 2h") from error
