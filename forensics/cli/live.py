"""Fill a case from Cloud Logging as the options say; `pull` ends there, a live analysis continues with the case.

Verbs import this module where they need it: it loads the packages of the network, which takes a quarter of a second.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from forensics.cases import Case
from forensics.cli.output import out_folder
from forensics.cli.screens.pull_progress import PullProgress
from forensics.cli.times import bounds
from forensics.cloud.connection import Access, connect
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.first_contact import reach
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.errors import CaseError, ForensicsError
from forensics.model import Level, Nanoseconds
from forensics.pulling import PullRequest, find_previous, find_start, find_target, pull
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from forensics.cli.options import CloudOptions, InputOptions
    from forensics.cli.settings import Settings
    from forensics.cloud.connection import Transport

LONGEST = Nanoseconds(7 * 86_400 * SECOND)
"""Longest span of a pull without explicit bounds: the last seven days."""


class Fetched(Struct, frozen=True, kw_only=True):
    """The outcome of `fetch`."""

    folder: Path
    revision: str
    """Its full name."""
    entries: int
    from_time: str | None
    """Bounds of the request, widened if errors lay at its start; None where the user gave none."""
    to_time: str | None


def open_connection(inputs: InputOptions, settings: Settings, live: CloudOptions) -> Transport:
    """Connect with the credentials, server and project of the options; raise AccessError where nothing answers."""
    access = Access(
        project=inputs.project or settings.project or "",
        impersonate=live.impersonate,
        endpoint=live.endpoint,
        is_insecure=live.insecure,
        transport=live.transport or "",
    )
    return _reached(access)


@cache
def _reached(access: Access) -> Transport:
    """Connect, and see once in a run that anything answers: what breaks later may come back."""
    connection = connect(access, os.environ)
    reach(connection)
    return connection


def fetch(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions,
    connection: Transport,
    *,
    is_narrow: bool,
    most: int = 0,
    say: Callable[[str], object],
) -> Fetched:
    """Pull a revision's entries into a new or an existing case; a pull that was stopped is continued.

    `is_narrow` pulls errors and what is around them, unless all entries are `most` or fewer. `say` is called with the
    queries if --show-query is given.

    Raises:
        ForensicsError: one line for the user; a new case without an entry is deleted again.
    """
    request = _target(revision, inputs, settings, connection)
    span = _span(inputs)
    is_open = not (inputs.since or inputs.from_)
    with PullProgress(time.monotonic, time.sleep, say if live.show_query else None) as progress:
        reader = _reader(connection, live, progress)
        target = find_target(reader, request, span, progress.shows)
        if is_open:
            span = TimeSpan(find_start(reader, target, span, progress.shows), span.end)
        level = Level((inputs.level or settings.level or "ERROR").upper()) if is_narrow else None
        folder = _folder(inputs, target)
        with opened(folder, target.revision) as case:
            pull_request = _pull_request(inputs, target, span, level, connection.transport, most)
            done = pull(case, reader, pull_request, progress, utc_now())
    return Fetched(
        folder=folder,
        revision=target.revision,
        entries=done.entries,
        from_time=None if is_open else format_time(done.span.start),
        to_time=None if is_open and not inputs.to else format_time(done.span.end),
    )


def before(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions,
    connection: Transport,
    *,
    say: Callable[[str], object],
) -> tuple[str, Path]:
    """Find the revision that served before another; return its full name, and the case folder of the other.

    `--since` and `--from` do not bound the search: the earlier revision may have stopped before them.

    Raises:
        ForensicsError: one line for the user: no such revision, none before it, or Cloud Logging refuses.
    """
    span = _span(replace(inputs, since=None, from_=None))
    with PullProgress(time.monotonic, time.sleep, say if live.show_query else None) as progress:
        reader = _reader(connection, live, progress)
        target = find_target(reader, _target(revision, inputs, settings, connection), span, progress.shows)
        return find_previous(reader, target, span, progress.shows), _folder(inputs, target)


def _target(revision: str, inputs: InputOptions, settings: Settings, connection: Transport) -> Target:
    return Target(
        revision=revision,
        service=inputs.service or settings.service or "",
        location=inputs.region or settings.region or "",
        project=connection.project,
    )


def _folder(inputs: InputOptions, target: Target) -> Path:
    return inputs.case or out_folder(Path("forensics-cases"), target.revision)


def _reader(connection: Transport, live: CloudOptions, progress: PullProgress) -> PageReader:
    pacer = _pacer(live.requests_per_minute)
    pacer.sleep = progress.wait_for_quota
    backoff = Backoff(random.Random())  # noqa: S311 - jitter
    return PageReader(connection, pacer=pacer, backoff=backoff, sleep=progress.wait_for_answer)


@cache
def _pacer(limit: int) -> Pacer:
    """Return the one pacer of this run: all its pulls, also of a baseline or a waiting gate, share the quota."""
    return Pacer(time.monotonic, time.sleep, limit)


def _pull_request(
    inputs: InputOptions, target: Target, span: TimeSpan, level: Level | None, transport: str, most: int
) -> PullRequest:
    # --from and --to are exact; with --since the start is a guess, so the pull may widen it.
    floor = Nanoseconds(min(span.start, span.end - LONGEST)) if inputs.since else None
    return PullRequest(
        target=target,
        span=span,
        level=level,
        floor=floor,
        is_open=not (inputs.since or inputs.from_),
        transport=transport,
        whole_up_to=most,
    )


def _span(inputs: InputOptions) -> TimeSpan:
    first, last = bounds(inputs.since, inputs.from_, inputs.to)
    end = Nanoseconds(parse_time(last) if last else time.time_ns())
    return TimeSpan(Nanoseconds(parse_time(first) if first else end - LONGEST), end)


def utc_now() -> str:
    """Return the time in seconds for a manifest, RFC 3339 UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@contextmanager
def opened(folder: Path, revision: str) -> Iterator[Case]:
    """Open a case, or create one; a new case that gets no entry is deleted again."""
    is_new = not (folder / "manifest.json").exists()
    made = [parent for parent in folder.parents if not parent.exists()]
    with Case.create(folder, revisions=(revision,)) if is_new else Case.open(folder) as case:
        try:
            yield case
        except (ForensicsError, KeyboardInterrupt) as stop:
            if is_new and not case.manifest.entries and not isinstance(stop, CaseError):
                case.discard()
                with suppress(OSError):  # another pull may have put its case beside it
                    for parent in made:
                        parent.rmdir()
            elif isinstance(stop, KeyboardInterrupt):
                click.echo(f"\nforensics: {folder} keeps what came so far; the same command goes on", err=True)
            raise
