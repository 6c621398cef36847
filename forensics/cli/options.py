"""Options that several verbs share, gathered into one record for each subject."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from forensics.cloud.pacing import REQUESTS_PER_MINUTE
from forensics.cloud.pages import PAGE_SIZE
from forensics.model import Level, Priority
from forensics.rendering import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[..., Any]
    Option = Callable[[Command], Command]


MINUTES = 2
"""At the usual pace 100,000 entries."""


class InputOptions(Struct, frozen=True, kw_only=True):
    """Options for what to analyse and how; None or empty where not given. Settings fill the gaps."""

    logs: tuple[str, ...] = ()
    case: Path | None = None
    service: str | None = None
    project: str | None = None
    region: str | None = None
    since: str | None = None
    from_: str | None = None
    to: str | None = None
    level: str | None = None
    tests: tuple[Path, ...] = ()
    repo: Path | None = None
    commit: str | None = None
    baseline_commit: str | None = None
    rules: tuple[Path, ...] = ()
    jobs: int | None = None
    strict: bool = False
    live: bool = False


class CloudOptions(Struct, frozen=True, kw_only=True):
    """Options for reading from Cloud Logging."""

    endpoint: str = ""
    impersonate: str = ""
    transport: str | None = None
    insecure: bool = False
    requests_per_minute: int = REQUESTS_PER_MINUTE
    everything: bool | None = None
    """True for --everything, False for --errors; None leaves it to the verb."""
    minutes: int = MINUTES
    """Minutes of the quota that a small revision may take, which is pulled whole."""

    @property
    def most_entries(self) -> int:
        """Entries up to which a revision is small; 0 where its errors alone were chosen."""
        return 0 if self.everything is False else self.requests_per_minute * PAGE_SIZE * self.minutes

    show_query: bool = False


class BaselineOptions(Struct, frozen=True, kw_only=True):
    """Options for the revisions to compare with."""

    baseline: tuple[str, ...] = ()
    baseline_logs: tuple[str, ...] = ()
    baseline_tests: tuple[Path, ...] = ()
    claims: Path | None = None


class OutputOptions(Struct, frozen=True, kw_only=True):
    """Options for the documents and the exit code."""

    templates: Path | None = None
    out: Path | None = None
    formats: str | None = None
    fail_on: str | None = None
    as_json: bool = False


_FOLDER = click.Path(path_type=Path)

_SOURCES = (
    click.option(
        "--logs", multiple=True, metavar="PATH", help="File, folder, glob or - (stdin); repeatable. [default: settings]"
    ),
    click.option(
        "--case", type=_FOLDER, metavar="DIR", help="A case to read, instead of --logs; with --live, to pull into."
    ),
    click.option("--live", is_flag=True, help="Ask Cloud Logging, into a case. [default: when there are no logs]"),
)

_PLACE = (
    click.option("--service", metavar="NAME", help="Only entries of this service."),
    click.option(
        "--project", envvar="GOOGLE_CLOUD_PROJECT", metavar="ID", help="Project to ask, and to name in commands."
    ),
    click.option("--region", metavar="NAME", help="Region to ask for, and to name in commands."),
)

_TIME = (
    click.option("--since", metavar="2h", help="Only entries of the last 30m, 2h, 7d … before now."),
    click.option("--from", "from_", metavar="TIME", help="Only entries from this time on (without a zone: UTC)."),
    click.option("--to", metavar="TIME", help="Only entries before this time."),
)

_ANALYSIS = (
    click.option(
        "--level",
        type=click.Choice([x.value for x in Level], case_sensitive=False),
        help="Analyse unknown entries from this level on. [default: ERROR]",
    ),
    click.option(
        "--tests",
        multiple=True,
        type=_FOLDER,
        metavar="XML",
        help="JUnit results of the tests against it; repeatable.",
    ),
    click.option(
        "--repo", type=_FOLDER, metavar="PATH", help="Git checkout of the service: what changed, what the image lacks."
    ),
    click.option("--commit", metavar="SHA", help="Commit that was deployed. [default: from labels, image tag or time]"),
    click.option("--baseline-commit", metavar="SHA", help="Commit that ran before, to compare with."),
    click.option(
        "--rules",
        multiple=True,
        type=_FOLDER,
        metavar="DIR",
        help="More rules; one with a shipped id replaces it. Repeatable.",
    ),
    click.option(
        "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes for large logs. [default: processors]"
    ),
)

_STRICT = (click.option("--strict", is_flag=True, help="Validate every line of a log, also those of other revisions."),)

_WATCHED = (
    click.option(
        "--case", type=_FOLDER, metavar="DIR", help="Where the case is, or is made. [default: forensics-cases/REVISION]"
    ),
    click.option("--since", metavar="10m", help="Begin with entries of the last 10m, 1h … before now. [default: 10m]"),
)

_SELECTION = (
    click.option(
        "--everything/--errors",
        default=None,
        help="Pull all entries of the revision, or its errors with what stands around them, requests and what the "
        "platform says. [default: pull all; analyze all while --minutes suffice, else --errors]",
    ),
    click.option(
        "--minutes",
        type=click.IntRange(0, 60),
        default=MINUTES,
        show_default=True,
        help="Minutes of --requests-per-minute that pulling everything may take where errors would do.",
    ),
)

_LIVE = (
    click.option(
        "--requests-per-minute",
        type=click.IntRange(1, 600),
        default=REQUESTS_PER_MINUTE,
        show_default=True,
        help="Google allows 60 reads a minute for a project.",
    ),
    click.option(
        "--impersonate-service-account", "impersonate", default="", metavar="EMAIL", help="Read as this account."
    ),
    click.option(
        "--endpoint",
        default="",
        metavar="URL",
        help="A server without credentials and TLS: http://host:port, or host:port for gRPC.",
    ),
    click.option(
        "--transport",
        type=click.Choice(["rest", "grpc"]),
        help="gRPC turns the numbers of payloads into doubles. [default: rest, or what --endpoint means]",
    ),
    click.option("--insecure", is_flag=True, help="Allow an --endpoint on another computer."),
    click.option("--show-query", is_flag=True, help="Print the queries that are sent, with bounds and counts."),
)

_BASELINE = click.option(
    "--baseline",
    multiple=True,
    metavar="R0",
    help="Compare with this revision, a report.json, `previous` or `previous:5`; repeatable; no time bounds it.",
)

_BASELINE_SOURCES = (
    click.option(
        "--baseline-logs",
        multiple=True,
        metavar="PATH",
        help="Logs that hold the baseline; repeatable. [default: the same logs]",
    ),
    click.option(
        "--baseline-tests",
        multiple=True,
        type=_FOLDER,
        metavar="XML",
        help="JUnit results of the tests against the baseline; repeatable.",
    ),
    click.option(
        "--claims",
        type=_FOLDER,
        metavar="DIR",
        help="Check what the cycles of this ledger claim. [default: the project's ledger, with a baseline]",
    ),
)

_OUTPUT = (
    click.option(
        "--templates", type=_FOLDER, metavar="DIR", help="Templates that replace the shipped ones of the same name."
    ),
    click.option("--out", type=_FOLDER, metavar="DIR", help="Where to write. [default: forensics-reports/REVISION]"),
    click.option(
        "--format", "formats", metavar="LIST", help=f"Comma-separated out of {', '.join(FORMATS)}. [default: md,json]"
    ),
    click.option(
        "--fail-on",
        type=click.Choice([x.value for x in Priority], case_sensitive=False),
        help="Exit 1 when a finding has this priority or a higher one. [default: never]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print report.json on stdout instead of the summary."),
)


def input_flags(command: Command) -> Command:
    """Add the options for what to read; the command receives them as `inputs`."""
    return _gathered(command, "inputs", InputOptions, (*_SOURCES, *_PLACE, *_TIME, *_ANALYSIS, *_STRICT))


def watch_input_flags(command: Command) -> Command:
    """Add the options for what to follow and how to analyse it; the command receives them as `inputs`."""
    return _gathered(command, "inputs", InputOptions, (*_WATCHED, *_PLACE, *_ANALYSIS))


def cloud_flags(command: Command) -> Command:
    """Add the options for reading from Cloud Logging; the command receives them as `live`."""
    return _gathered(command, "live", CloudOptions, (*_SELECTION, *_LIVE))


def watch_cloud_flags(command: Command) -> Command:
    """Add the options for following Cloud Logging; the command receives them as `live`."""
    return _gathered(command, "live", CloudOptions, _LIVE)


def baseline_flags(command: Command) -> Command:
    """Add the options for what to compare with; the command receives them as `baseline_options`."""
    return _gathered(command, "baseline_options", BaselineOptions, (_BASELINE, *_BASELINE_SOURCES))


def baseline_source_flags(command: Command) -> Command:
    """Add the options for a baseline that an argument names; the command receives them as `baseline_options`."""
    return _gathered(command, "baseline_options", BaselineOptions, _BASELINE_SOURCES)


def output_flags(command: Command) -> Command:
    """Add the options for what to write; the command receives them as `outputs`."""
    return _gathered(command, "outputs", OutputOptions, _OUTPUT)


def gathered(name: str, record: type[Struct], options: Sequence[Option]) -> Option:
    """Return a decorator that adds options, gathered into a record that the command receives under a name."""
    return lambda command: _gathered(command, name, record, options)


def _gathered(command: Command, name: str, record: type[Struct], options: Sequence[Option]) -> Command:
    @wraps(command)
    def called(**flags: Any) -> Any:
        values = {field: flags.pop(field) for field in record.__struct_fields__ if field in flags}
        return command(**{name: record(**values)}, **flags)

    decorated: Command = called
    for option in reversed(options):
        decorated = option(decorated)
    return decorated
