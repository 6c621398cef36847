"""Resolve a user's name for a revision to its full name, service and first entry, or suggest the nearest names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from forensics.cloud.filters import Target, TimeSpan, find_namesakes, find_revision, others, service_logs
from forensics.cloud.pages import Listing
from forensics.entries import resolve_revision, revision_of, service_of
from forensics.errors import BaselineError, NoEntriesError
from forensics.model import Nanoseconds, RevisionSpan
from forensics.text.nested_values import text_at
from forensics.text.plurals import one_or_many
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from forensics.cloud.pages import Page, PageReader

    Show = Callable[[str, TimeSpan, str], object]
    """Called before each request with its purpose, its span and its filter."""

LEAD = 10 * 60 * SECOND
"""Nanoseconds before a revision's first entry in which its deployment is looked for."""
NEXT_STEP = "name another --service, --region or --project, or widen the span with --from"
_ALL, _LATEST = "all", "latest"
_LISTED = 8
_NEAREST = 3


def find_target(reader: PageReader, request: Target, span: TimeSpan, show: Show) -> Target:
    """Ask for the newest entries of a revision, and return its full name, service and location.

    Raises:
        NoEntriesError: no entry in the span is of that revision; the message lists the nearest names.
        RevisionError: the name fits several.
    """
    target = look_for_target(reader, request, span, show)
    if target is None:
        missing = say_missing(reader, request, span, show)
        raise NoEntriesError(f"{missing}: {NEXT_STEP}")
    return target


def look_for_target(reader: PageReader, request: Target, span: TimeSpan, show: Show) -> Target | None:
    """Do the same as `find_target` with one request; None when there is no entry of that revision."""
    spans, is_all = _ask(reader, find_revision(request, span), span, show)
    if not spans:
        return None
    found = _resolved(request, spans)
    if is_all or request.revision == _ALL or (request.revision == _LATEST and request.service):
        return found
    # The newest entries may all be of one revision, where another has the same name.
    others, _ = _ask(reader, find_namesakes(request, found, span), span, show)
    return _resolved(request, (*spans, *others)) if others else found


def _resolved(request: Target, spans: Sequence[RevisionSpan]) -> Target:
    revision = resolve_revision(request.revision, spans, service=request.service or None)
    return Target(
        revision=revision.name,
        service=revision.service or request.service,
        location=revision.location or request.location,
        project=request.project,
    )


def find_start(reader: PageReader, target: Target, span: TimeSpan, show: Show) -> Nanoseconds:
    """Return when a revision begins within a span, its deployment included; asks for its first entry."""
    first = _first_seen(reader, target, span, show)
    return Nanoseconds(max(span.start, first - LEAD)) if first < span.end else span.start


def find_previous(reader: PageReader, target: Target, span: TimeSpan, show: Show) -> str:
    """Return the revision of the same service that served before another, by when each first appears in the span.

    Revisions that answered requests before that time are compared; if there are none, those that logged anything else.
    Audit entries do not count: a deployment that never ran did not serve.

    Raises:
        BaselineError: the log has no earlier revision of the service, or does not name the service.
    """
    if not target.service:
        raise BaselineError(f"no entry of {target.revision!r} tells its service: name a revision with --baseline")
    first = _first_seen(reader, target, span, show)
    before = TimeSpan(span.start, first)
    for served in (True, False) if first > span.start else ():
        names, _ = _ask(reader, others(target, before, served=served), before, show)
        seen = [(_first_seen(reader, replace(target, revision=one.name), before, show), one.name) for one in names]
        if seen:
            return max(seen)[1]
    raise BaselineError(
        f"no revision of {target.service!r} before {target.revision!r} between {format_time(span.start)} and "
        f"{format_time(first)}: name one with --baseline"
    )


def _first_seen(reader: PageReader, target: Target, span: TimeSpan, show: Show) -> Nanoseconds:
    """Return the time of the first entry that names a revision; the end of the span if none does."""
    text = find_revision(target, span)
    show("first entry", span, text)
    page = _first_page(reader, Listing(filter=text, page_size=1))
    times = [time for _, time in _named(page.entries if page else ())]
    return min(times, default=span.end)


def _ask(reader: PageReader, text: str, span: TimeSpan, show: Show) -> tuple[tuple[RevisionSpan, ...], bool]:
    """Return the revisions that the newest entries name, with the times of those entries; and whether these are all."""
    show("names", span, text)
    times_by_name: dict[tuple[str, str, str], list[Nanoseconds]] = {}
    page = _first_page(reader, Listing(filter=text, newest_first=True))
    for names, time in _named(page.entries if page else ()):
        if names[0]:
            times_by_name.setdefault(names, []).append(time)
    spans = tuple(
        RevisionSpan(
            name=name,
            service=service,
            project="",
            location=place,
            entries=len(times),
            first=min(times),
            last=max(times),
        )
        for (name, service, place), times in times_by_name.items()
    )
    return spans, page is None or page.cursor.is_finished


def _first_page(reader: PageReader, listing: Listing) -> Page | None:
    """Return the first page that has any entries."""
    return next((page for page in reader.pages(listing) if page.entries), None)


def _named(entries: Iterable[bytes]) -> Iterator[tuple[tuple[str, str, str], Nanoseconds]]:
    """Yield revision, service and location of each entry, and its time."""
    for entry in entries:
        try:
            record = msgspec.json.decode(entry)
            time = parse_time(record["timestamp"])
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError, TypeError, KeyError):
            continue  # it stays in the log; here only the names matter
        yield (revision_of(record), service_of(record), text_at(record, "resource", "labels", "location")), time


def say_missing(reader: PageReader, request: Target, span: TimeSpan, show: Show) -> str:
    """Say that a revision has no entries, and name the nearest revisions, or else services, that have some."""
    between = f"between {format_time(span.start)} and {format_time(span.end)}"
    of_service = f" of service {request.service!r}" if request.service else ""
    names = _names(reader, request, span, show)
    if names or not request.service:
        near = _nearest(request.revision, sorted({name.name for name in names}))
        return f"no entry of revision {request.revision!r}{of_service} {between}{near}"
    anywhere = Target(location=request.location, project=request.project)
    services = sorted({name.service for name in _names(reader, anywhere, span, show) if name.service})
    near = _nearest(request.service, services)
    return f"no entry of service {request.service!r} {between}{near}"


def _names(reader: PageReader, request: Target, span: TimeSpan, show: Show) -> tuple[RevisionSpan, ...]:
    """List revisions of a service, or of all services.

    A page of platform logs names more revisions than a page of requests; without platform logs any entry serves.
    """
    anyone = Target(service=request.service, location=request.location, project=request.project)
    names, _ = _ask(reader, service_logs(anyone, span), span, show)
    return names or _ask(reader, find_revision(anyone, span), span, show)[0]


def _nearest(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=_NEAREST, cutoff=0.4)
    if not near and not names:
        return "; there is none of another name either"
    listed = ", ".join(repr(name) for name in (near or names)[:_LISTED])
    more = ", …" if not near and len(names) > _LISTED else ""
    return f"; the nearest {one_or_many(len(near), 'is', 'are')} {listed}" if near else f"; there are {listed}{more}"
