"""Run a pull: request the listings that a case lacks, and store each page with the position of its listing.

Page and position are stored together, so that a killed pull continues where it stopped.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from forensics.cases import Checkpoint
from forensics.cloud.filters import TimeSpan
from forensics.cloud.pages import Cursor, Listing
from forensics.model import PullPart
from forensics.pulling.drawing import draw, is_small, seed_of
from forensics.pulling.known_entries import KnownEntries
from forensics.pulling.late_entries import late_listings
from forensics.pulling.neighbourhoods import look_around
from forensics.pulling.plan import first_listing, rest, sampled, samples_before, whole, widened
from forensics.pulling.pull_groups import COUNTING, entries_of, groups, groups_of, missing
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.cases import Case, PullRecord
    from forensics.cloud.pages import Page, PageReader
    from forensics.pulling.pull_groups import PullGroup, PullRequest

_CURSOR = msgspec.json.Decoder(Cursor)


class PullObserver(Protocol):
    """Receives the events of a pull."""

    def shows(self, purpose: str, span: TimeSpan, text: str) -> None:
        """A question is asked whose entries are not kept."""

    def resumes(self) -> None:
        """A pull that was stopped continues."""

    def widens(self, record: PullRecord) -> None:
        """Errors lie at the start of the span: it is widened by the record's listing."""

    def begins(self, record: PullRecord) -> None:
        """A listing begins or continues."""

    def turns(self, record: PullRecord, page: Page) -> None:
        """A page was stored."""

    def ends(self, record: PullRecord) -> None:
        """A listing came to its end, or to its limit."""


class NoObserver:
    """An observer that ignores every event; a base for those that need only some."""

    def shows(self, purpose: str, span: TimeSpan, text: str) -> None:
        """Ignore it."""

    def resumes(self) -> None:
        """Ignore it."""

    def widens(self, record: PullRecord) -> None:
        """Ignore it."""

    def begins(self, record: PullRecord) -> None:
        """Ignore it."""

    def turns(self, record: PullRecord, page: Page) -> None:
        """Ignore it."""

    def ends(self, record: PullRecord) -> None:
        """Ignore it."""


class PullResult(Struct, frozen=True, kw_only=True):
    """The outcome of `pull`."""

    span: TimeSpan
    """The requested span, widened if errors lay at its start."""
    entries: int
    """Entries of all pulls that this run finished, including those stored by earlier runs."""


def pull(case: Case, reader: PageReader, request: PullRequest, watch: PullObserver, started: str) -> PullResult:
    """Finish pulls that were stopped, then pull what the case lacks of a request; `started` is now, RFC 3339.

    Raises:
        AccessError: Cloud Logging refuses; pages received before are kept, and the next run continues there.
        CaseError: the case cannot be written.
    """
    late = late_listings(case.manifest, request, started)
    numbers = [group.number for group in groups_of(case.manifest, request.target) if not group.is_whole]
    for number in numbers:
        watch.resumes()
        _note_transport(case, number, request.transport)
        _finish(case, reader, request, number, watch)
    spans = [request.span]
    if late:
        numbers.append(_begin(case, late, request))
        _finish(case, reader, request, numbers[-1], watch)
    for span in missing(case.manifest, request):
        first = first_listing(request, span, started)
        numbers.append(_begin(case, (first,), request))
        _finish(case, reader, request, numbers[-1], watch)
        spans.append(_group(case, numbers[-1]).span or span)
    hull = TimeSpan(min(span.start for span in spans), max(span.end for span in spans))
    return PullResult(span=hull, entries=entries_of(case.manifest, numbers))


def _begin(case: Case, listings: Sequence[PullRecord], request: PullRequest) -> int:
    number, held = len(case.manifest.pulls) + 1, case.manifest.entries
    return case.begin_all([replace(one, group=number, held=held) for one in listings], (request.target.revision,))


def _note_transport(case: Case, number: int, transport: str) -> None:
    """Add a note to the case when a pull continues over another transport than it began."""
    begun = _group(case, number).lead.transport
    if transport != begun:
        case.note(
            f"pull {number} began over {begun} and went on over {transport}: "
            "numbers of payloads that came over grpc are doubles"
        )


def _group(case: Case, number: int) -> PullGroup:
    return next(group for group in groups(case.manifest) if group.number == number)


def _finish(case: Case, reader: PageReader, request: PullRequest, number: int, watch: PullObserver) -> None:
    """Run the listings of a pull, and those that follow from their results."""
    known = _known(case, _group(case, number))
    while True:
        for pull_id, record in _group(case, number).records:
            if not record.checkpoint.done:
                _list(case, pull_id, reader, known, watch)
        following = _following(case, reader, request, _group(case, number), watch)
        if not following:
            return
        case.begin_all(following)


def _known(case: Case, group: PullGroup) -> KnownEntries:
    """Look up the entries that the case holds of a pull's time."""
    lead, reach = group.lead, group.reach
    since = reach.start if reach else parse_time("1970-01-01T00:00:00Z")
    if lead.floor:
        since = parse_time(lead.floor)
    cursor = _cursor(lead)
    if not lead.level and cursor is not None and cursor.last is not None:
        since = cursor.last  # what comes is later, and the cursor recognises repetitions at this time
    return KnownEntries(case, since, keeps=bool(lead.level) or lead.part is PullPart.LATE_ENTRIES)


def _following(
    case: Case, reader: PageReader, request: PullRequest, group: PullGroup, watch: PullObserver
) -> tuple[PullRecord, ...]:
    span, target = group.span, request.target
    if group.is_planned:
        return sampled(group, target)
    if (reach := group.reach) is None:
        return ()
    # Entries since the pull began are its errors; the neighbourhoods of earlier ones were pulled then.
    around = look_around(islice(case.lines(), group.lead.held, None), target.revision, reach)
    before = widened(group, around, target)
    if before is not None:
        watch.widens(before)
        return (before,)
    if span is not None and is_small(reader, target, span, request.whole_up_to, watch.shows):
        return whole(group, target)
    seed = seed_of(target, group.lead.started)
    drawn = draw(reader, target, span, seed, watch.shows) if span is not None and around.windows else None
    return rest(group, around, target, samples_before(case.manifest, target, span), drawn)


def _list(case: Case, pull_id: int, reader: PageReader, known: KnownEntries, watch: PullObserver) -> None:
    """Request and store the pages of a listing, from its position to its end or its limit."""
    record = case.manifest.pulls[pull_id - 1]
    before = _of_other_filters(case, pull_id)
    if record.limit is not None and before >= record.limit:
        case.append((), Checkpoint(done=True, capped=True), pull_id)
        return
    watch.begins(record)
    for page in reader.pages(Listing(filter=record.filter), _cursor(record)):
        entries = known.new(page.entries)
        listed = len(page.entries) if record.part in COUNTING else 0
        had = record.listed + listed if record.part in COUNTING else record.entries + len(entries)
        capped = record.limit is not None and before + had >= record.limit and not page.cursor.is_finished
        case.append(entries, _checkpoint(page.cursor, capped=capped), pull_id, listed=listed)
        record = case.manifest.pulls[pull_id - 1]
        watch.turns(record, page)
        if capped:
            break
    watch.ends(record)


def _of_other_filters(case: Case, pull_id: int) -> int:
    """Count the entries that earlier filters of the same kind brought, where they share one limit."""
    record = case.manifest.pulls[pull_id - 1]
    if record.part not in {PullPart.NEIGHBOURHOOD, PullPart.CONTROLS}:
        return 0
    same = (one for one in case.manifest.pulls[: pull_id - 1] if (one.group, one.part) == (record.group, record.part))
    return sum(one.entries for one in same)


def _cursor(record: PullRecord) -> Cursor | None:
    kept = record.checkpoint.cursor
    return _CURSOR.decode(kept) if kept else None


def _checkpoint(cursor: Cursor, *, capped: bool) -> Checkpoint:
    is_done = cursor.is_finished or capped
    return Checkpoint(
        next_page_token=cursor.token or None,
        last_timestamp=format_time(cursor.last) if cursor.last is not None else None,
        cursor=None if is_done else msgspec.json.encode(cursor).decode(),
        done=is_done,
        capped=capped,
    )
