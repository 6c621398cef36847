"""Count again what a report counts (occurrences, links, near entries), from input records and the table of entries.

Which entries form one occurrence is taken from `entries.csv`; everything else is counted from the records, by the
definitions of the design and not by the program's own joins.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from incidents.documents import Fault
from incidents.lives import Life, exposure_of, lives_of, revision_of
from incidents.source import plain_words

from forensics.text.redact import quote
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from incidents.source import Entry, Source

    from forensics.model import EntryRow

Json = dict[str, Any]
SECOND = 1_000_000_000
LATE = SECOND // 4
"""Applications log up to a quarter of a second after the request has ended."""


class Occurrence(NamedTuple):
    """One time it happened."""

    entries: tuple[Entry, ...]

    @property
    def start(self) -> int:
        """When its first entry was written."""
        return min(entry.time for entry in self.entries)

    @property
    def end(self) -> int:
        """When its last request was answered, or its last entry written."""
        return max(entry.end for entry in self.entries)

    @property
    def base(self) -> int:
        """The time that a cause must precede: the end of a request, else the first entry."""
        return self.end if any(entry.http for entry in self.entries) else self.start


class Recount:
    """Counts again what a report counted."""

    def __init__(self, source: Source, rows: Sequence[EntryRow], revision: str) -> None:
        self.own = [entry for entry in source.entries if revision in {"all", revision_of(entry)}]
        self._rows: dict[str, list[EntryRow]] = defaultdict(list)
        self._entries: dict[str, list[Entry]] = defaultdict(list)
        groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self.lives = lives_of(self.own)
        by_quoted = {(quote(entry.id, 64), entry.timestamp): entry for entry in source.entries}
        for row in rows:
            self._rows[row.cluster].append(row)
            entry = by_quoted.get((row.insert_id, row.timestamp))
            if entry is not None:
                self._entries[row.cluster].append(entry)
                groups[row.cluster, row.occurrence].append(entry)
        self._occurrences: dict[str, list[Occurrence]] = defaultdict(list)
        for (cluster, _), entries in groups.items():
            self._occurrences[cluster].append(Occurrence(tuple(entries)))

    def cluster(self, cluster: Json) -> Iterator[Fault]:
        """A cluster's entries and occurrences are those of the table, and each of them is an entry of the input."""
        where = cluster["id"]
        rows = self._rows[where]
        occurrences = len({row.occurrence for row in rows})
        if (len(rows), occurrences) != (cluster["entries"], cluster["occurrences"]):
            counted = f"{cluster['entries']} entries in {cluster['occurrences']} occurrences"
            yield Fault(where, f"{counted}, counted again: {len(rows)} in {occurrences}")
        if len(rows) != len(self._entries[where]):
            yield Fault(where, f"{len(rows) - len(self._entries[where])} entries are not in the input")
        else:
            yield from self._measures(cluster)

    def _measures(self, cluster: Json) -> Iterator[Fault]:
        """Bounds, severities, instances, rhythm and lengths of lives are those of the entries."""
        entries = self._entries[cluster["id"]]
        times = [entry.time for entry in entries if entry.time]
        counted: Json = {
            "first_seen": min(times, default=0),
            "last_seen": max(times, default=0),
            "entries_by_severity": Counter(quote(_severity(entry), 20) for entry in entries),
            "instances": len({(revision_of(entry), entry.instance) for entry in entries if entry.instance}),
            "cadence": self._rhythm(cluster),
            "life": self.life(cluster),
        }
        for bound in ("first_seen", "last_seen"):
            counted[bound] = cluster[bound] if moment(cluster[bound]) == counted[bound] else counted[bound]
        for name, again in counted.items():
            if again != cluster[name] and not (again is None and not cluster[name]):
                yield Fault(cluster["id"], f"{name} is {cluster[name]}, counted again: {again}")

    def exposure(self) -> Json:
        """Count how often the revision could have failed."""
        return exposure_of(self.own, self.lives)

    def severities(self, clusters: Iterable[str]) -> Counter[str]:
        """Count the entries of clusters by severity."""
        return Counter(_severity(entry) for one in clusters for entry in self._entries[one])

    def bounds(self, clusters: Iterable[str]) -> tuple[int, int]:
        """Return when the first and the last entry of some clusters was written."""
        times = [entry.time for one in clusters for entry in self._entries[one] if entry.time]
        return min(times, default=0), max(times, default=0)

    def cadence(self, cluster: str) -> Json | None:
        """Measure the time from the start of one occurrence to that of the next, seconds."""
        starts = sorted(one.start for one in self._occurrences[cluster] if one.start)
        gaps = [(b - a) / SECOND for a, b in pairwise(starts)]
        return _lengths(gaps) if len(gaps) > 1 else None

    def _rhythm(self, cluster: Json) -> Json | None:
        """Measure the rhythm, and whether each occurrence ended a life that had answered nothing."""
        found = self.cadence(cluster["id"])
        own = map(self._life_of, self._occurrences[cluster["id"]] if cluster["unit"] == "instance life" else ())
        lives = [life is not None and life.failed and not life.answered for life in own]
        return found | {"is_loop": bool(lives) and all(lives)} if found else None

    def life(self, cluster: Json) -> Json | None:
        """Measure, in seconds, the lives that ended with an occurrence and have both ends recorded."""
        if cluster["unit"] != "instance life":
            return None
        found = [self._life_of(one) for one in self._occurrences[cluster["id"]]]
        both = [(life.end - life.start) / SECOND for life in found if life and life.started and life.ended]
        return {"count": len(both), **_lengths(both)} if both else None

    def _life_of(self, one: Occurrence) -> Life | None:
        first = min(one.entries, key=lambda entry: (entry.time, entry.id))
        fits = [life for life in self.lives if life.instance == first.instance and life.revision == revision_of(first)]
        # Entries within a second of an exit belong to the life that ended.
        return next((life for life in fits if first.time <= life.end + SECOND), fits[-1] if fits else None)

    def words(self, cluster: str) -> Iterator[str]:
        """Yield what the entries of a cluster say, as received and redacted."""
        for entry in self._entries[cluster]:
            yield from (entry.words, entry.redacted)

    def payloads(self, cluster: str) -> Iterator[str]:
        """Yield the contents of the entries of a cluster without identity, time and place."""
        for entry in self._entries[cluster]:
            yield entry.payload

    def cites(self, refs: Sequence[Json], clusters: Iterable[str]) -> bool:
        """Tell whether every citation is an entry of one of the clusters."""
        own = {(quote(entry.id, 64), entry.timestamp) for one in clusters for entry in self._entries[one]}
        return all((ref["insert_id"], ref["timestamp"]) in own for ref in refs)

    def occurrences_that_say(self, cluster: Json, texts: Sequence[str]) -> int:
        """Count the occurrences with an entry that contains one of some texts, as quoted."""
        wanted = [plain_words(text.removesuffix("…")) for text in texts]
        wanted += [text.replace("'", "`") for text in wanted]
        return sum(
            any(text in entry.words or text in entry.redacted for entry in one.entries for text in wanted)
            or any(text in plain_words("".join(_texts(one))) for text in wanted)
            for one in self._occurrences[cluster["id"]]
        )

    def lags(self, cluster: Json, entry: Entry, *, before: bool) -> list[int]:
        """Return how far an entry stands before (or after) each occurrence of its instance or trace, nanoseconds."""
        found = []
        for one in self._occurrences[cluster["id"]]:
            near = any(
                (entry.instance and entry.instance == other.instance) or (entry.trace and entry.trace == other.trace)
                for other in one.entries
            )
            if near:
                last = max(other.time for other in one.entries)
                found += [one.start - entry.time] if before else [abs(one.start - entry.time), entry.time - last]
        return found

    def explained(self, symptom: str, cause: str, window: int) -> tuple[int, int]:
        """Count the occurrences of a symptom with the cause in the window (nanoseconds), and all of them."""
        causes = _ByPlace(self._entries[cause])
        found = self._occurrences[symptom]
        return sum(causes.stand_before(one, window) for one in found), len(found)

    def link(self, link: Json, clusters: dict[str, Json]) -> Iterator[Fault]:
        """A link explains as many occurrences as have the cause in the window, by trace, instance or revision."""
        where = f"{link['symptom']} ← {link['cause']}"
        if not {link["symptom"], link["cause"]} <= set(clusters):
            yield Fault(where, "a link of a cluster that is not in the report")
            return
        explained, of = self.explained(link["symptom"], link["cause"], round(link["within"] * SECOND))
        if (explained, of) != (link["explained"], link["of"]):
            yield Fault(where, f"{link['explained']} of {link['of']}, counted again: {explained} of {of}")
        if abs(link["coverage"] - link["explained"] / link["of"]) > 0.0001:
            yield Fault(where, f"coverage {link['coverage']} is not {link['explained']} of {link['of']}")


class _ByPlace:
    """The times of a cause's entries by trace, by instance, without an instance, and all of them."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._times: dict[tuple[str, str], list[int]] = defaultdict(list)
        for entry in entries:
            places = [("instance", entry.instance), ("all", "")] + ([("trace", entry.trace)] if entry.trace else [])
            for place in places:
                self._times[place].append(entry.time)
        for times in self._times.values():
            times.sort()

    def stand_before(self, one: Occurrence, window: int) -> bool:
        """Tell whether the cause precedes an occurrence within the window, or follows it by at most 250 ms."""
        first, last = one.base - window, one.end + LATE
        places = {("trace", entry.trace) for entry in one.entries if entry.trace}
        instances = {entry.instance for entry in one.entries if entry.instance}
        # Of one instance: what stands there or names no instance. Of none: whatever stands in the revision.
        places |= {("instance", instance) for instance in instances} | {("instance", "") if instances else ("all", "")}
        return any(
            bisect_right(self._times[place], last) > bisect_left(self._times[place], first)
            for place in places
            if place in self._times
        )


@lru_cache(maxsize=4096)
def _texts(one: Occurrence) -> tuple[str, ...]:
    ordered = sorted(one.entries, key=lambda entry: (entry.time, entry.id))
    return tuple(str(entry.record.get("textPayload", "")) for entry in ordered)


def _severity(entry: Entry) -> str:
    return str(entry.record.get("severity") or "(none)")


def _lengths(seconds: Sequence[float]) -> Json:
    return {
        "median": round(median(seconds), 3),
        "shortest": round(min(seconds), 3),
        "longest": round(max(seconds), 3),
    }


def moment(text: str) -> int:
    """Read a time, 0 where it is none."""
    try:
        return parse_time(text)
    except ValueError:
        return 0
