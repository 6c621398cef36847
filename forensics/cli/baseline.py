"""Find the revision to compare with, and analyse a revision beside it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from forensics.api import previous_revisions, read_report, read_tests
from forensics.cli.analysis import analysed, asks_cloud, connected
from forensics.cli.options import CloudOptions
from forensics.cli.screens.progress import watching
from forensics.errors import BaselineError, UsageError
from forensics.model import Analysis, Query, Report
from forensics.system.arguments import number_of_previous

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    baselines = baselines_of(revision, inputs, baseline_options, settings, live)
    with analysed_beside(revision, inputs, baseline_options, settings, live, baselines) as analysis:
        yield analysis


@contextmanager
def analysed_beside(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
    baselines: Sequence[Report],
) -> Iterator[Analysis]:
    """Analyse a revision beside baselines that were read already; as `analysed`."""
    with analysed(revision, inputs, settings, live, baselines) as analysis:
        name = analysis.report.revision.name
        is_own = not baseline_options.baseline_logs and not all(map(_is_report, baseline_options.baseline))
        if is_own and any(name == baseline.revision.name for baseline in baselines):
            raise BaselineError(f"{name!r} would be compared with itself: name another --baseline")
        yield analysis


def baselines_of(
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
) -> tuple[Report, ...]:
    """Read the reports of the baselines, or make them; none where the flags name none.

    Raises:
        ForensicsError: one line for the user, when one cannot be read or found.
    """
    if not baseline_options.baseline:
        if baseline_options.baseline_logs or baseline_options.baseline_tests:
            raise UsageError("--baseline-logs and --baseline-tests say nothing without --baseline: name the revision")
        return ()
    if revision == "all":
        raise UsageError("a baseline is compared with one revision: name it instead of 'all'")
    return tuple(
        report
        for name in baseline_options.baseline
        for report in _baselines(name, revision, inputs, baseline_options, settings, live)
    )


def _baselines(
    name: str,
    revision: str,
    inputs: InputOptions,
    baseline_options: BaselineOptions,
    settings: Settings,
    live: CloudOptions | None,
) -> Iterator[Report]:
    if _is_report(name):
        yield _saved(Path(name), baseline_options)
        return
    # Both revisions may have served at other times: bounds are those of the revision that is looked at.
    own = replace(inputs, tests=baseline_options.baseline_tests, since=None, from_=None, to=None)
    if baseline_options.baseline_logs:
        own = replace(own, logs=baseline_options.baseline_logs, case=None)
    elif "-" in own.logs:
        raise UsageError("standard input can be read once: save it to a file, or name --baseline-logs")
    names: tuple[str, ...] = (name,)
    if number := number_of_previous(name):
        if not is_previous_live(inputs, baseline_options, settings, live):
            names = _previous(revision, own, inputs, settings, number)
        elif number > 1:
            raise UsageError(f"{name} is found in files: pull those revisions, and name their reports with --baseline")
        else:
            name, own = _before(revision, replace(own, to=inputs.to), settings, live or CloudOptions())
            names = (name,)
    for one in names:
        with analysed(one, own, settings, live) as analysis:
            yield analysis.report


def is_previous_live(
    inputs: InputOptions, baseline_options: BaselineOptions, settings: Settings, live: CloudOptions | None
) -> bool:
    """Tell whether Cloud Logging is asked which revision served before."""
    return (
        any(map(number_of_previous, baseline_options.baseline))
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


def _previous(
    revision: str, own: InputOptions, inputs: InputOptions, settings: Settings, number: int
) -> tuple[str, ...]:
    """Name the revisions before; the lines of every revision are read, since any of them may be it."""
    logs = own.logs or ((str(own.case),) if own.case else settings.logs)
    logs = tuple(dict.fromkeys((*logs, *inputs.logs, *(() if inputs.logs else settings.logs))))
    if not logs:
        raise UsageError("no logs given to find the previous revision in: name it with --baseline")
    query = Query(revision=revision, service=own.service or settings.service, logs=logs)
    with watching() as progress:
        return previous_revisions(query, number, jobs=own.jobs, progress=progress)
