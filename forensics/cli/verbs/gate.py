"""`forensics gate`: judge a deployment for CI, with one screen, three files and an exit code."""

from __future__ import annotations

import sys
import time
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec import Struct

from forensics.cli.baseline import analysed_beside, baselines_of, is_previous_live
from forensics.cli.options import (
    BaselineOptions,
    CloudOptions,
    InputOptions,
    baseline_flags,
    cloud_flags,
    gathered,
    input_flags,
)
from forensics.cli.output import write_documents
from forensics.cli.screens.gate_screen import lines
from forensics.cli.settings import Settings, find_settings
from forensics.comparison.gating import judge
from forensics.errors import NoEntriesError, RevisionError, SeveralRevisionsError, UsageError
from forensics.model import GateResult, GateThresholds, Outcome, Priority, Report
from forensics.rendering import DEFAULT_FORMATS
from forensics.text.timestamps import SECOND, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

EPILOG = """\b
Exit codes:
  0  pass
  1  fail
  2  could not analyze: bad usage, no such revision, no access, unreadable logs
  3  not enough traffic to tell, or nothing that can be compared

\b
Examples:
  forensics gate --revision netra-backend-staging-00180 --baseline previous
  forensics gate --revision latest --baseline report.json --sarif gate.sarif --junit gate.xml
  forensics gate --revision shop-api-00042 --baseline shop-api-00041 --live --project my-project --wait 10m
"""
_DEFAULTS = GateThresholds()
_FILE = click.Path(path_type=Path, dir_okay=False)


class GateOptions(Struct, frozen=True, kw_only=True):
    """Options for the gate itself; None leaves it to the settings."""

    max_new: str | None = None
    max_ratio: float | None = None
    min_requests: int | None = None
    wait: str | None = None
    interval: str = "60s"


class GateFiles(Struct, frozen=True, kw_only=True):
    """Options for the files to write."""

    summary: Path | None = None
    sarif: Path | None = None
    junit: Path | None = None
    out: Path | None = None
    as_json: bool = False


class JudgedDeployment(Struct, frozen=True, kw_only=True):
    """The report and result of one look at a revision."""

    report: Report
    result: GateResult


_GATE = (
    click.option(
        "--max-new",
        type=click.Choice([x.value for x in Priority], case_sensitive=False),
        help=f"A new signature of this priority or a higher one fails. [default: {_DEFAULTS.max_new}]",
    ),
    click.option(
        "--max-ratio",
        type=click.FloatRange(min=1),
        metavar="X",
        help=f"A signature that is worse by a ratio above this fails. [default: {_DEFAULTS.max_ratio:g}]",
    ),
    click.option(
        "--min-requests",
        type=click.IntRange(min=0),
        metavar="N",
        help=f"Fewer requests than this cannot pass; 0 needs none. [default: {_DEFAULTS.min_requests}]",
    ),
    click.option(
        "--wait", metavar="10m", help="With --live: look again until pass or fail is clear, this long at most."
    ),
    click.option("--interval", default="60s", show_default=True, metavar="60s", help="With --wait: between two looks."),
)
_FILES = (
    click.option(
        "--summary",
        type=_FILE,
        envvar="GITHUB_STEP_SUMMARY",
        metavar="FILE",
        help="Append a summary in Markdown. [default: $GITHUB_STEP_SUMMARY]",
    ),
    click.option("--sarif", type=_FILE, metavar="FILE", help="Write SARIF 2.1.0: a result for each signature."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML: a test case for each signature."),
    click.option(
        "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the documents as well. [default: none]"
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of the screen."),
)


@click.command("gate", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number or `latest`.")
@input_flags
@cloud_flags
@baseline_flags
@gathered("gate", GateOptions, _GATE)
@gathered("files", GateFiles, _FILES)
def command(
    revision: str,
    inputs: InputOptions,
    live: CloudOptions,
    baseline_options: BaselineOptions,
    gate: GateOptions,
    files: GateFiles,
) -> None:
    """Judge a deployment against its baseline: pass, fail, or not enough traffic to tell.

    Fails on what is new and urgent or clearly worse; what is as bad as before does not fail. Thresholds may stand in
    [tool.forensics.gate] of the settings.
    """
    settings = find_settings(Path.cwd())
    thresholds = _thresholds(gate, settings)
    if not baseline_options.baseline:
        raise UsageError("a gate holds a revision against another one: name it with --baseline")
    wait = _waiting_time(gate, inputs, settings)
    read = cache(partial(baselines_of, revision, inputs, baseline_options, settings, live))
    if not is_previous_live(inputs, baseline_options, settings, live):
        read()

    def look(name: str) -> JudgedDeployment:
        # The previous revision is known only once the revision itself has entries, which may take a while.
        with analysed_beside(name, inputs, baseline_options, settings, live, read()) as analysis:
            if files.out:
                write_documents(analysis, files.out, DEFAULT_FORMATS, None)
            return JudgedDeployment(report=analysis.report, result=judge(analysis.report, thresholds))

    judged = _until_clear(look, revision, wait, _seconds("--interval", gate.interval))
    _write(judged, files)
    if files.as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(judged.result)) + b"\n")
    else:
        click.echo("\n".join(lines(judged.report, judged.result)))
    sys.exit(judged.result.outcome.exit_code)


def _thresholds(gate: GateOptions, settings: Settings) -> GateThresholds:
    defaults = settings.gate
    return GateThresholds(
        max_new=Priority(gate.max_new.upper()) if gate.max_new else defaults.max_new,
        max_ratio=defaults.max_ratio if gate.max_ratio is None else gate.max_ratio,
        min_requests=defaults.min_requests if gate.min_requests is None else gate.min_requests,
    )


def _waiting_time(gate: GateOptions, inputs: InputOptions, settings: Settings) -> float:
    """Return the seconds to wait for a clear outcome; 0 for a single look."""
    if gate.wait is None:
        return 0.0
    if not inputs.live and (inputs.logs or inputs.case or settings.logs):
        raise UsageError("--wait looks again at Cloud Logging, and files do not grow: add --live, or leave --wait away")
    return _seconds("--wait", gate.wait)


def _seconds(flag: str, text: str) -> float:
    try:
        return parse_duration(text) / SECOND
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is no duration: write 30s, 10m or 1h") from error


def _until_clear(
    look: Callable[[str], JudgedDeployment], revision: str, wait: float, interval: float
) -> JudgedDeployment:
    """Look until pass or fail is clear or the time is over; at first a revision may have no entries."""
    end = time.monotonic() + wait
    name = revision
    while True:
        left = end - time.monotonic()
        try:
            judged = look(name)
        except (NoEntriesError, RevisionError) as error:
            if left <= 0 or isinstance(error, SeveralRevisionsError):
                raise
            why = str(error)
        else:
            if judged.result.outcome is not Outcome.NOT_ENOUGH or left <= 0:
                return judged
            # `latest` must not become another revision while it is waited for.
            name, why = judged.report.revision.name, judged.result.reasons[0].statement
        pause = min(interval, max(end - time.monotonic(), 0.0))
        click.echo(f"forensics: {why}; looking again in {pause:.0f} s", err=True)
        time.sleep(pause)


def _write(judged: JudgedDeployment, files: GateFiles) -> None:
    """Write the files that were asked for; the summary is appended, since other steps write to it too."""
    from forensics.rendering.documents import render_gate  # noqa: PLC0415 - Jinja is for those who want Markdown
    from forensics.rendering.junit import encode_junit  # noqa: PLC0415 - as above
    from forensics.rendering.sarif import encode_sarif  # noqa: PLC0415 - as above

    report, result = judged.report, judged.result
    if files.summary:
        _put(files.summary, "--summary", render_gate(report, result).encode("utf-8", "replace"), "ab")
    if files.sarif:
        _put(files.sarif, "--sarif", encode_sarif(report, result), "wb")
    if files.junit:
        _put(files.junit, "--junit", encode_junit(report, result), "wb")


def _put(file: Path, flag: str, data: bytes, mode: str) -> None:
    # In place, since a flag may name a pipe or /dev/stdout; all bytes are there before the file is opened.
    try:
        with file.open(mode) as out:
            out.write(data)
    except OSError as error:
        raise UsageError(f"cannot write to {str(file)!r}: {error.strerror}; name another file with {flag}") from error
