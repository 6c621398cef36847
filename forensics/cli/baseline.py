"""Find the revision to compare with, and analyse a revision beside it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from forensics.api import PREVIOUS, previous_revision, read_report, read_tests
from forensics.cli.analysis import analysed, asks_cloud, connected
from forensics.cli.options import CloudOptions
from forensics.cli.screens.progress import watching
from forensics.errors import BaselineError, UsageError
from forensics.model import Analysis, Query, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.cli.options import BaselineOptions, InputOptions
    from forensics.cli.settings import Settings


@contextmanager
def analysed_against(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None = None,
) -> Iterator[Analysis]:
    """Analyse a revision, compared with the baseline where the flags name one; as `analysed`.

    Raises:
        ForensicsError: one line for the user, when either cannot be read, found or compared.
    """
    baseline = baseline_of(revision, inputs, baseline_options, settings, live)
    with analysed_beside(revision, inputs, baseline_options, settings, live, baseline) as analysis:
        yield analysis


@contextmanager
def analysed_beside(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
    baseline: Report | None,
) -> Iterator[Analysis]:
    """Analyse a revision beside a baseline that was read already; as `analysed`."""
    with analysed(revision, inputs, settings, live, baseline) as analysis:
        name = analysis.report.revision.name
        is_own = not baseline_options.baseline_logs and not _is_report(str(baseline_options.baseline))
        if baseline is not None and name == baseline.revision.name and is_own:
            raise BaselineError(f"{name!r} would be compared with itself: name another --baseline")
        yield analysis


def baseline_of(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
) -> Report | None:
    """Read the report of the baseline, or make it; None where the flags name none.

    Raises:
        ForensicsError: one line for the user, when it cannot be read or found.
    """
    if baseline_options.baseline is None:
        if baseline_options.baseline_logs or baseline_options.baseline_tests:
            raise UsageError("--baseline-logs and --baseline-tests say nothing without --baseline: name the revision")
        return None
    if revision == "all":
        raise UsageError("a baseline is compared with one revision: name it instead of 'all'")
    return _baseline(revision, inputs, baseline_options, settings, live)


def _baseline(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
) -> Report:
    name = str(baseline_options.baseline)
    if _is_report(name):
        return _saved(Path(name), baseline_options)
    # Both revisions may have served at other times: bounds are those of the revision that is looked at.
    own = replace(inputs, tests=baseline_options.baseline_tests, since=None, from_=None, to=None)
    if baseline_options.baseline_logs:
        own = replace(own, logs=baseline_options.baseline_logs, case=None)
    elif "-" in own.logs:
        raise UsageError("standard input can be read once: save it to a file, or name --baseline-logs")
    if is_previous_live(inputs, baseline_options, settings, live):
        name, own = _before(revision, replace(own, to=inputs.to), settings, live or CloudOptions())
    elif name == PREVIOUS:
        name = _previous(revision, own, inputs, settings)
    with analysed(name, own, settings, live) as analysis:
        return analysis.report


def is_previous_live(
    inputs: InputOptions, baseline_options: BaselineOptions, settings: Settings, live: CloudOptions | None
) -> bool:
    """Tell whether Cloud Logging is asked which revision served before."""
    return (
        baseline_options.baseline == PREVIOUS
        and not baseline_options.baseline_logs
        and asks_cloud(inputs, settings, live)
    )


def _before(revision: str, own: InputOptions, settings: Settings, live: CloudOptions) -> tuple[str, InputOptions]:
    """Find the previous revision in Cloud Logging and pull it into the case of the other."""
    from forensics.cli.live import before  # noqa: PLC0415 - most runs read exports

    connection = connected(revision, own, settings, live)
    name, folder = before(revision, own, settings, live, connection, say=partial(click.echo, err=True))
    return name, replace(own, case=folder, live=True)


def _is_report(name: str) -> bool:
    return name.endswith(".json")


def _saved(file: Path, baseline_options: BaselineOptions) -> Report:
    if baseline_options.baseline_logs:
        raise UsageError("a saved report needs no --baseline-logs: give one of them")
    report, runs = read_report(file), read_tests(baseline_options.baseline_tests)
    return replace(report, tests=runs) if runs else report


def _previous(revision: str, own: InputOptions, inputs: InputOptions, settings: Settings) -> str:
    """Name the revision before; the lines of every revision are read, since any of them may be it."""
    logs = own.logs or ((str(own.case),) if own.case else settings.logs)
    logs = tuple(dict.fromkeys((*logs, *inputs.logs, *(() if inputs.logs else settings.logs))))
    if not logs:
        raise UsageError("no logs given to find the previous revision in: name it with --baseline")
    query = Query(revision=revision, service=own.service or settings.service, logs=logs)
    with watching() as progress:
        return previous_revision(query, jobs=own.jobs, progress=progress)
