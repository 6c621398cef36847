"""`watch`: follow a revision live into a case, then analyse the case as `analyze --case` does.

The verb imports this module where it runs: it loads the packages of the network, which `--help` does without.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from forensics.cli.analysis import analysed
from forensics.cli.follow_live import Plan, follow
from forensics.cli.live import open_connection
from forensics.cli.output import say_exit, write_documents
from forensics.cli.screens.report_screen import print_summary
from forensics.cli.screens.watch_screen import PlainLines, verdict
from forensics.cli.settings import find_settings
from forensics.cli.verbs.analyze import chosen_formats, default_folder
from forensics.errors import BaselineError, UsageError
from forensics.model import Level, Priority
from forensics.rendering import decode_report, encode_report
from forensics.rulebook import load_rules
from forensics.text.timestamps import SECOND, format_seconds, parse_duration
from forensics.watch import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from forensics.cli.follow_live import Followed
    from forensics.cli.options import CloudOptions, InputOptions, OutputOptions
    from forensics.cli.settings import Settings
    from forensics.cli.verbs.watch import WatchOptions
    from forensics.model import Nanoseconds, Report


def watch_rollout(
    revision: str, options: WatchOptions, inputs: InputOptions, live: CloudOptions, outputs: OutputOptions
) -> None:
    """Follow a revision until it fails or the time is over, then write its documents and leave with the exit code."""
    settings = find_settings(Path.cwd())
    formats = chosen_formats(outputs.formats or settings.format)
    plan = Plan(
        seconds=_duration("--for", options.length) / SECOND,
        since=_duration("--since", inputs.since or "10m"),
        until_p0=options.until_p0,
        linger=_duration("--linger", options.linger) / SECOND,
    )
    make_tally = _tallies(inputs, settings, options.baseline)
    followed = _follow(revision, inputs, settings, live, plan, make_tally, outputs)
    click.echo(verdict(followed), err=outputs.as_json)
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
    if not (live.transport or live.endpoint or os.environ.get("LOGGING_EMULATOR_HOST")):
        live = replace(live, transport="grpc")  # REST has no tail
    with closing(open_connection(inputs, settings, live)) as transport, closing(_screen(plan, outputs)) as screen:
        return follow(revision, inputs, settings, live, transport, plan, screen, make_tally)


def _report(
    followed: Followed, inputs: InputOptions, settings: Settings, outputs: OutputOptions, formats: tuple[str, ...]
) -> None:
    """Analyse the case, and write the documents as `analyze --case` does."""
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
    out = sys.stderr if outputs.as_json else sys.stdout
    length = f"for {format_seconds(round(plan.seconds * SECOND))}" + (" or until the first P0" if plan.until_p0 else "")
    if not out.isatty():
        return PlainLines(out, length)
    from forensics.cli.screens.watch_table import LiveTable  # noqa: PLC0415 - rich is slow to load

    return LiveTable(out, length)


def _tallies(inputs: InputOptions, settings: Settings, baseline: Path | None) -> Callable[[str], Tally]:
    """Read rules and baseline before any request; return a function that makes the tally of a revision."""
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


def _duration(flag: str, text: str) -> Nanoseconds:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is no duration: write 30s, 10m or 2h") from error
