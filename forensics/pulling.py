"""A revision and a span of time in, a case out: what Cloud Logging gives is put away page by page, as it was received.

A page and how far the pull has come are kept together, so that a pull that was killed goes on where it stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.cases import Checkpoint, PullRecord
from forensics.cloud.filters import Span, Target, everything, find_revision, quote
from forensics.cloud.pages import Cursor, Listing
from forensics.entries import resolve_revision
from forensics.errors import NoEntriesError
from forensics.model import Nanoseconds, RevisionSpan
from forensics.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from forensics.cases import Case
    from forensics.cloud.pages import Page, Reader


class _Labels(Struct, frozen=True):
    revision_name: str = ""
    service_name: str = ""
    location: str = ""


class _Resource(Struct, frozen=True):
    labels: _Labels = _Labels()


class _Named(Struct, frozen=True):
    resource: _Resource = _Resource()
    timestamp: str = ""


_LATE = 5 * 60 * SECOND
"""Nanoseconds that an entry may come behind others with its time."""
_NAMED = msgspec.json.Decoder(_Named)
_CURSOR = msgspec.json.Decoder(Cursor)


def find_target(reader: Reader, asked: Target, span: Span) -> Target:
    """Ask for the newest entries of a revision, and return its full name, service and place.

    Raises:
        NoEntriesError: no entry in the span is of that revision.
        RevisionError: the name fits several.
    """
    listing = Listing(filter=find_revision(asked, span), newest_first=True)
    entries = next((page.entries for page in reader.pages(listing) if page.entries), ())
    spans = _spans(entries)
    if not spans:
        between = f"{format_time(span.start)} and {format_time(span.end)}"
        raise NoEntriesError(
            f"no entry of revision {asked.revision!r} between {between}: widen the span with --from, "
            "or name another --project or --service"
        )
    found = resolve_revision(asked.revision, spans, service=asked.service or None)
    return Target(revision=found.name, service=found.service, location=found.location, project=asked.project)


def _spans(entries: Iterable[bytes]) -> tuple[RevisionSpan, ...]:
    """Gather which revisions entries name, and when."""
    found: dict[tuple[str, str, str], list[Nanoseconds]] = {}
    for entry in entries:
        try:
            named = _NAMED.decode(entry)
            time = parse_time(named.timestamp)
        except (msgspec.DecodeError, ValueError):
            continue  # it stays in the log; here only the names matter
        labels = named.resource.labels
        if labels.revision_name:
            found.setdefault((labels.revision_name, labels.service_name, labels.location), []).append(time)
    return tuple(
        RevisionSpan(
            name=name,
            service=service,
            project="",
            location=place,
            entries=len(times),
            first=min(times),
            last=max(times),
        )
        for (name, service, place), times in found.items()
    )


def begin(case: Case, target: Target, span: Span, started: str, transport: str = "rest") -> int:
    """Note a new pull of everything about a revision; return its id."""
    record = PullRecord(
        filter=everything(target, span),
        from_time=format_time(span.start),
        to_time=format_time(span.end),
        project=target.project,
        transport=transport,
        started=started,
    )
    return case.begin(record, (target.revision,))


def note_transport(case: Case, pull_id: int, transport: str) -> None:
    """Note it when a pull goes on over another transport than the one on its record."""
    begun = case.manifest.pulls[pull_id - 1].transport
    if transport != begun:
        case.note(
            f"pull {pull_id} began over {begun} and went on over {transport}: "
            "numbers of payloads that came over grpc are doubles"
        )


def unfinished(case: Case, target: Target) -> int | None:
    """Return the id of a pull of a revision that was stopped before its end, None when there is none."""
    return next((number for number, pull in _pulls_of(case, target) if not pull.checkpoint.done), None)


def rest_of(case: Case, target: Target, span: Span) -> Span:
    """Leave out what earlier pulls of a revision brought, but for their last minutes: entries may arrive late."""
    ends = [parse_time(pull.to_time) for _, pull in _pulls_of(case, target) if pull.checkpoint.done and pull.to_time]
    # However long ago the last one was: between two pulls nothing may be missing.
    return Span(Nanoseconds(max(ends) - _LATE), span.end) if ends and max(ends) <= span.end else span


def _pulls_of(case: Case, target: Target) -> Iterator[tuple[int, PullRecord]]:
    name, pulls = quote(target.revision), enumerate(case.manifest.pulls, 1)
    return ((number, pull) for number, pull in pulls if pull.project == target.project and name in pull.filter)


def go_on(case: Case, pull_id: int, reader: Reader, told: Callable[[Page], object]) -> None:
    """Pull page after page into the case, from where the pull stands to its end."""
    record = case.manifest.pulls[pull_id - 1]
    kept = record.checkpoint.cursor
    cursor = _CURSOR.decode(kept) if kept else None
    for page in reader.pages(Listing(filter=record.filter), cursor):
        case.append(page.entries, _checkpoint(page.cursor), pull_id)
        told(page)


def _checkpoint(cursor: Cursor) -> Checkpoint:
    return Checkpoint(
        next_page_token=cursor.token or None,
        last_timestamp=format_time(cursor.last) if cursor.last is not None else None,
        cursor=None if cursor.is_finished else msgspec.json.encode(cursor).decode(),
        done=cursor.is_finished,
    )
