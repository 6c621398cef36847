"""Analyse a revision as the options say: the same for every verb that looks at one."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from forensics.api import open_analysis, open_repository, read_tests
from forensics.cli.options import CloudOptions
from forensics.cli.screens.progress import watching
from forensics.cli.times import bounds
from forensics.errors import UsageError
from forensics.model import Analysis, Level, Query, Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.cli.options import InputOptions
    from forensics.cli.settings import Settings
    from forensics.cloud.connection import Transport


@contextmanager
def analysed(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions | None = None,
    baselines: Sequence[Report] = (),
) -> Iterator[Analysis]:
    """Analyse a revision, beside its baselines where there are any.

    The table of entries can be taken inside the context only, since it reads the records again.

    With `live`, Cloud Logging is asked first when that is wanted, or when there are no logs.

    Raises:
        ForensicsError: one line for the user, when what was asked for cannot be read, found or understood.
    """
    if asks_cloud(inputs, settings, live):
        revision, inputs = _pulled(revision, inputs, settings, live or CloudOptions())
    if inputs.case and inputs.logs:
        raise UsageError("--case and --logs both say what to read: give one of them")
    query = _query(revision, inputs, settings)
    if not query.logs and query.case is None:
        raise UsageError(f"no logs given: {_how_to_export(revision, inputs, settings)}")
    with (
        watching() as progress,
        open_repository(inputs.repo, inputs.commit, inputs.baseline_commit) as code,
        open_analysis(
            query,
            rules=(*map(Path, settings.rules), *inputs.rules),
            tests=read_tests(inputs.tests),
            baseline=baselines,
            code=code,
            jobs=inputs.jobs,
            strict=inputs.strict,
            stdin=sys.stdin.buffer if "-" in query.logs else None,
            progress=progress,
        ) as analysis,
    ):
        yield analysis


def asks_cloud(inputs: InputOptions, settings: Settings, live: CloudOptions | None) -> bool:
    """Tell whether Cloud Logging is asked: when that is wanted, or when there are no logs."""
    return inputs.live or (live is not None and not (inputs.logs or inputs.case or settings.logs))


def _pulled(revision: str, inputs: InputOptions, settings: Settings, live: CloudOptions) -> tuple[str, InputOptions]:
    """Ask Cloud Logging; return the revision's full name, and what is to be read now."""
    from forensics.cli.live import fetch  # noqa: PLC0415 - most runs read exports

    connection = connected(revision, inputs, settings, live)
    say = partial(click.echo, err=True)
    is_narrow, most = not live.everything, live.most_entries
    fetched = fetch(revision, inputs, settings, live, connection, is_narrow=is_narrow, most=most, say=say)
    found = replace(inputs, case=fetched.folder, since=None, from_=fetched.from_time, to=fetched.to_time)
    return fetched.revision, found


def connected(revision: str, inputs: InputOptions, settings: Settings, live: CloudOptions) -> Transport:
    """Open the way to Cloud Logging; where it is asked for want of logs only, the error says how to export them."""
    if inputs.logs:
        raise UsageError("--live and --logs both say what to read: give one of them")
    from forensics.cli.live import open_connection  # noqa: PLC0415 - most runs read exports
    from forensics.cloud.access_errors import AccessError  # noqa: PLC0415

    try:
        return open_connection(inputs, settings, live)
    except AccessError as error:
        if inputs.live or live.endpoint or live.impersonate:
            raise
        export = _how_to_export(revision, inputs, settings)
        raise UsageError(f"no logs given, and Cloud Logging cannot be asked: {error}; or {export}") from error


def _query(revision: str, inputs: InputOptions, settings: Settings) -> Query:
    first, last = bounds(inputs.since, inputs.from_, inputs.to)
    return Query(
        revision=revision,
        service=inputs.service or settings.service,
        project=inputs.project or settings.project,
        region=inputs.region or settings.region,
        from_time=first,
        to_time=last,
        level=Level((inputs.level or settings.level or "ERROR").upper()),
        logs=() if inputs.case else inputs.logs or settings.logs,
        case=str(inputs.case) if inputs.case else None,
    )


def _how_to_export(revision: str, inputs: InputOptions, settings: Settings) -> str:
    name = revision if revision not in {"all", "latest"} else "NAME"
    project = inputs.project or settings.project or "PROJECT"
    pull = f"gcloud logging read 'resource.labels.revision_name:\"{name}\"' --project {project}"
    return (
        "add --logs PATH, or set logs = […] in forensics.toml; "
        f"an export is made by: {pull} --freshness 1d --format json > logs.json"
    )
