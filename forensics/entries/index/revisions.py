"""Find the revisions in an index, the revision that a user's words mean, and its entries."""

from __future__ import annotations

import difflib
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import compress, islice
from typing import TYPE_CHECKING

from forensics.errors import RevisionError, SeveralRevisionsError
from forensics.model import Nanoseconds, Revision, RevisionSpan
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import LabelSet, LogIndex, Query

ALL = "all"
LATEST = "latest"

_LISTED = 8
"""Names listed in a message; more do not help to choose."""

# 180, 00180, 00180-jkl
_NUMBER = re.compile(r"(\d{1,5})(-\w+)?")


class _Tally:
    """Totals over the entries of one revision."""

    def __init__(self) -> None:
        self.entries = 0
        self.first = self.last = 0
        self.service = self.project = self.location = ""

    def add(self, label_set: LabelSet, entries: int, first: int, last: int) -> None:
        self.entries += entries
        self.service = self.service or label_set.service
        self.project = self.project or label_set.project
        self.location = self.location or label_set.location
        if first:
            self.first = min(first, self.first or first)
            self.last = max(last, self.last)


def revision_spans(log_index: LogIndex) -> tuple[RevisionSpan, ...]:
    """Return the revisions that occur in the entries, in order of first appearance."""
    tallies: dict[str, _Tally] = {}
    counts = Counter(log_index.label_ids)
    first, last = _spans(log_index)
    for code, entries in counts.items():  # in order of time
        label_set = log_index.label_sets[code]
        if label_set.revision:
            tallies.setdefault(label_set.revision, _Tally()).add(
                label_set, entries, first.get(code, 0), last.get(code, 0)
            )
    spans = [
        RevisionSpan(
            name=name,
            service=tally.service,
            project=tally.project,
            location=tally.location,
            entries=tally.entries,
            first=Nanoseconds(tally.first),
            last=Nanoseconds(tally.last),
        )
        for name, tally in tallies.items()
    ]
    return tuple(sorted(spans, key=lambda span: (span.first, span.name)))


def _spans(log_index: LogIndex) -> tuple[dict[int, int], dict[int, int]]:
    """Return the first and the last time by label id; rows without a time come first in the index and are ignored."""
    timed = len(log_index) - bisect_right(log_index.times, 0)
    backwards = zip(reversed(log_index.label_ids), reversed(log_index.times), strict=True)
    first = dict(islice(backwards, timed))
    forwards = zip(log_index.label_ids, log_index.times, strict=True)
    last = dict(islice(forwards, len(log_index) - timed, None))
    return first, last


def resolve_revision(asked: str, spans: Sequence[RevisionSpan], *, service: str | None = None) -> Revision:
    """Return the revision meant by a name, prefix, number, `latest` or `all`; raise RevisionError."""
    of_service = [span for span in spans if service is None or span.service == service]
    if asked == ALL:
        return _all(of_service, service)
    if not spans:
        raise RevisionError(f"no revision {asked!r}: these entries name no revision at all; use --revision all")
    if not of_service:
        raise RevisionError(f"no revision of service {service!r}; the entries hold {_names(_services(spans))}")
    if asked == LATEST:
        return _latest(of_service)
    fits = _fits(asked, of_service)
    if not fits:
        raise RevisionError(_none_fits(asked, of_service))
    if len(fits) > 1:
        listed = ", ".join(_with_span(span) for span in fits[:_LISTED]) + (", …" if len(fits) > _LISTED else "")
        raise SeveralRevisionsError(f"{asked!r} fits {len(fits)} revisions: {listed}; name one")
    return _revision(fits[0], asked)


def _all(spans: Sequence[RevisionSpan], service: str | None) -> Revision:
    def only(names: set[str]) -> str:
        return names.pop() if len(names) == 1 else ""

    return Revision(
        name=ALL,
        asked=ALL,
        service=service or only({span.service for span in spans}),
        project=only({span.project for span in spans}),
        location=only({span.location for span in spans}),
    )


def _latest(spans: Sequence[RevisionSpan]) -> Revision:
    services = _services(spans)
    if len(services) > 1:
        raise RevisionError(
            f"'latest' of which service? the entries hold {_names(services)}; choose one with --service"
        )
    return _revision(max(spans, key=lambda span: (span.first, span.name)), LATEST)


def _services(spans: Sequence[RevisionSpan]) -> list[str]:
    return sorted({span.service for span in spans if span.service})


def _fits(asked: str, spans: Sequence[RevisionSpan]) -> list[RevisionSpan]:
    """Return the revisions that match a name: in full, else as a prefix, else by number; only at word boundaries."""
    exact = [span for span in spans if span.name == asked]
    if exact or not asked:
        return exact
    prefix = asked if asked.endswith("-") else asked + "-"
    by_prefix = [span for span in spans if span.name.startswith(prefix)]
    number = _NUMBER.fullmatch(asked)
    if by_prefix or number is None:
        return by_prefix
    part = f"-{number[1]:0>5}{number[2] or ''}"
    return [span for span in spans if span.name.endswith(part) or part + "-" in span.name]


def _none_fits(asked: str, spans: Sequence[RevisionSpan]) -> str:
    names = [span.name for span in spans]
    nearest = difflib.get_close_matches(asked, names, n=3, cutoff=0.4)
    if nearest:
        return f"no revision {asked!r} in these entries; the nearest are {_names(nearest)}"
    return f"no revision {asked!r} in these entries; they hold {_names(names)}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def _with_span(span: RevisionSpan) -> str:
    if not span.first:
        return f"{span.name} (no time known)"
    return f"{span.name} ({format_time(span.first)} – {format_time(span.last)})"


def _revision(span: RevisionSpan, asked: str) -> Revision:
    return Revision(name=span.name, asked=asked, service=span.service, project=span.project, location=span.location)


def select(log_index: LogIndex, revision: Revision, query: Query) -> array[int]:
    """Return the rows of a revision that match a query, and the audit entries of its service as context."""
    label_ids = array("B", [_is_asked_for(label_set, revision, query) for label_set in log_index.label_sets])
    start = 0 if query.from_time is None else bisect_left(log_index.times, parse_time(query.from_time))
    end = len(log_index) if query.to_time is None else bisect_left(log_index.times, parse_time(query.to_time))
    return array("I", compress(range(start, end), map(label_ids.__getitem__, islice(log_index.label_ids, start, end))))


def _is_asked_for(label_set: LabelSet, revision: Revision, query: Query) -> bool:
    if query.service is not None and label_set.service != query.service:
        return False
    if revision.name == ALL:
        return True
    if label_set.revision or not label_set.is_audit:
        return label_set.revision == revision.name
    return bool(revision.service) and label_set.service == revision.service
