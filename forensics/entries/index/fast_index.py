"""Index lines of NDJSON quickly: decode only the fields that sorting and selecting need.

This works for lines in the API's spelling. Any unusual line is left to the slow path, which reads exactly and
forgivingly; for all other lines both give the same result.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any

import stringzilla
from msgspec import Raw, Struct, json

from forensics.entries.decode.decoding import level_of_status
from forensics.entries.decode.levels import level_of_severity
from forensics.entries.raw_fields import mark_of, may_be_handshake, path_of, time_of
from forensics.model import IndexBatch, LabelSet, Level, Lines
from forensics.text.timestamps import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Protocol

    from forensics.model import SlowPathSpan

    class RequestPrefilter(Protocol):
        """Rules that tell which requests they might claim."""

        level: Level
        is_blind: bool

        def may_claim_status(self, status: int) -> bool:
            """Tell whether a rule might claim a request because of its status."""

        def suspects(self, messages: Sequence[str]) -> list[int]:
            """Return the positions of messages that a rule might claim."""


_MINUTES = 10_000
"""Minutes whose times are cached."""
_DEEP = 100
"""Brackets from which a line may be nested too deeply."""


# Decoding is fastest when fields are declared in the order of the input; the API sorts them by name.
class _Labels(Struct, gc=False, frozen=True, kw_only=True):
    configuration_name: str = ""
    function_name: str = ""
    job_name: str = ""
    location: str = ""
    project_id: str = ""
    revision_name: str = ""
    service_name: str = ""


class _Resource(Struct, gc=False):
    labels: _Labels


class _EntryLabels(Struct, gc=False, frozen=True, kw_only=True):
    instanceId: str = ""  # noqa: N815 - spelled as in the API
    instanceid: str | None = None
    """BigQuery's spelling."""


class _Request(Struct, gc=False, kw_only=True):
    requestMethod: str = ""  # noqa: N815
    requestUrl: str = ""  # noqa: N815
    status: int | str | float | None = None
    userAgent: str | None = None  # noqa: N815


_NOTHING = Raw()
_NO_LABELS = _EntryLabels()


class _FastEntry(Struct, gc=False, kw_only=True):
    httpRequest: _Request | None = None  # noqa: N815
    insertId: str  # noqa: N815
    jsonPayload: Raw = _NOTHING  # noqa: N815
    labels: _EntryLabels = _NO_LABELS
    logName: str  # noqa: N815
    protoPayload: Raw = _NOTHING  # noqa: N815
    resource: _Resource
    severity: str | None = None
    textPayload: Raw = _NOTHING  # noqa: N815
    timestamp: str


_decode_line = json.Decoder(_FastEntry).decode
_Span = tuple[int, int]
_LabelKey = tuple[_Labels, _EntryLabels, str, str | None, Level | None, int]
"""The fields that determine a row's label set; level and mark are set only for a routine request."""
_EXCLUDED = -1
"""The label id of rows of other revisions."""
_MINUTE = len("2026-03-02T00:41:")
_WHOLE_SECOND = len("2026-03-02T00:41:13Z")
# The seconds of times in Cloud Logging's own form, one a line.
_SECONDS = re.compile(r"(?:[0-5][0-9](?:\.[0-9]{1,9})?Z\n)*+")
_SCALES = {_WHOLE_SECOND: SECOND} | {_WHOLE_SECOND + 1 + digits: 10 ** (9 - digits) for digits in range(1, 10)}
"""Nanoseconds of the last digit of a time, by the length of the text."""


class FastIndexReader:
    """Reads lines into columns, leaving out entries whose revision's name does not contain the queried one."""

    def __init__(self, asked: str | None, prefilter: RequestPrefilter) -> None:
        self._asked = asked
        self._prefilter = prefilter
        self._codes: dict[_LabelKey, int] = {}
        self._levels: dict[tuple[object, str | None], Level | None] = {}
        """The level of a routine request by status and severity."""
        self._minutes: dict[str, int] = {}
        self._clear()

    def _clear(self) -> None:
        self._times, self._identities, self._places = array("q"), array("q"), array("q")
        self._label_ids = array("I")
        self._label_sets: list[LabelSet] = []
        self._codes.clear()

    def batch(self, source: str) -> IndexBatch:
        """Return the rows since the last batch."""
        batch = IndexBatch(
            source=source,
            times=self._times,
            identities=self._identities,
            places=self._places,
            label_ids=self._label_ids,
            label_sets=self._label_sets,
        )
        self._clear()
        return batch

    def read(self, lines: Lines) -> tuple[int, list[SlowPathSpan]]:
        """Read lines; return the number of new rows, and the lines that need the slow path, in order."""
        data, first, keep = lines.data, lines.place, lines.keep
        # Column by column: a loop over one of them is several times as fast as its share in a loop over all.
        entries, spans, slow_path = _decode_lines(data, lines.spans)
        times = self._times_of([entry.timestamp for entry in entries])
        if 0 in times:
            slow_path = sorted([*slow_path, *compress(spans, map(not_, times))])
            entries, spans, times = _chosen(times, entries, spans, times)
        label_ids = self._label_ids_of(entries)
        if _EXCLUDED in label_ids:
            entries, spans, times, label_ids = _chosen(
                [label_set != _EXCLUDED for label_set in label_ids], entries, spans, times, label_ids
            )
        self._times.extend(times)
        self._identities.extend(map(hash, [(entry.insertId, entry.logName) for entry in entries]))
        self._places.extend([first + start if keep is None else keep(data[start:end]) for start, end in spans])
        self._label_ids.extend(label_ids)
        return len(entries), [(start, end, bisect_left(spans, (start, end))) for start, end in slow_path]

    def _times_of(self, texts: Sequence[str]) -> list[int]:
        """Parse times in Cloud Logging's own form; 0 for any other."""
        minutes = self._minutes
        if len(minutes) > _MINUTES:
            minutes.clear()
        for minute in {text[:_MINUTE] for text in texts}.difference(minutes):
            if time := _time_of(f"{minute}00Z"):
                minutes[minute] = time
        # A text with a line break inside passes for two of them, but has a `Z` where a number is read.
        if _SECONDS.fullmatch("".join([f"{text[_MINUTE:]}\n" for text in texts])):
            try:
                return [minutes[text[:_MINUTE]] + int(text[17:19] + text[20:-1]) * _SCALES[len(text)] for text in texts]
            except (KeyError, ValueError):
                pass
        return [_time_of(text) for text in texts]

    def _label_ids_of(self, entries: Sequence[_FastEntry]) -> list[int]:
        codes = self._codes
        label_ids: list[int] = []
        routine, messages = [], []
        for entry in entries:
            level, mark, request = None, 0, entry.httpRequest
            if request is not None and entry.textPayload is _NOTHING and entry.jsonPayload is _NOTHING:
                level = self._routine_level(entry, request)
                if level is not None:
                    path = path_of(request.requestUrl)
                    routine.append(len(label_ids))
                    messages.append(f"{request.status} {request.requestMethod} {path}")
                    mark = mark_of("", path, None, request.userAgent or "")
            key = (entry.resource.labels, entry.labels, entry.logName, entry.severity, level, mark)
            code = codes.get(key)
            label_ids.append(self._new_code(key) if code is None else code)
        # A request with words that a rule may match is not routine after all.
        for at in self._prefilter.suspects(messages):
            entry = entries[routine[at]]
            key = (entry.resource.labels, entry.labels, entry.logName, entry.severity, None, 0)
            label_ids[routine[at]] = self._new_code(key)
        return label_ids

    def _new_code(self, key: _LabelKey) -> int:
        labels, entry_labels, log_name, severity, routine, mark = key
        if self._asked is not None and self._asked not in labels.revision_name:
            return self._codes.setdefault(key, _EXCLUDED)
        code = self._codes.setdefault(key, len(self._label_sets))
        if code == len(self._label_sets):
            label_set = LabelSet(
                revision=labels.revision_name,
                service=labels.service_name or labels.configuration_name or labels.job_name or labels.function_name,
                project=labels.project_id,
                location=labels.location,
                instance=entry_labels.instanceId,
                log_name=log_name,
                severity=severity,
                routine=routine,
                mark=mark,
            )
            self._label_sets.append(label_set)
        return code

    def _routine_level(self, entry: _FastEntry, request: _Request) -> Level | None:
        """Return the level of a routine request, None for an entry that must be decoded."""
        status = request.status
        if type(status) is not int or not (request.requestMethod and request.requestUrl and entry.labels.instanceId):
            return None
        key = (status, entry.severity)
        if key not in self._levels:
            self._levels[key] = self._level_of(status, entry.severity)
        return self._levels[key]

    def _level_of(self, status: int, severity: str | None) -> Level | None:
        if self._prefilter.is_blind or may_be_handshake(status) or self._prefilter.may_claim_status(status):
            return None
        level = level_of_severity(severity)
        if level is None or level is Level.DEFAULT:
            level = level_of_status(status)
        return level if level.rank < self._prefilter.level.rank else None


def _decode_lines(data: bytes, spans: Sequence[_Span]) -> tuple[list[_FastEntry], list[_Span], list[_Span]]:
    """Decode lines; return entries with their bounds, and the bounds of lines that need the slow path."""
    entries, of_entries, slow_path = [], [], []
    for span in spans:
        line = data[span[0] : span[1]]
        try:
            entry = _decode_line(line)
        except (ValueError, RecursionError):
            slow_path.append(span)
            continue
        if _is_odd(entry, line):
            slow_path.append(span)
        else:
            entries.append(entry)
            of_entries.append(span)
    return entries, of_entries, slow_path


def _is_odd(entry: _FastEntry, line: bytes) -> bool:
    """Tell whether the slow path may read an entry differently."""
    return bool(
        entry.protoPayload is not _NOTHING
        or not entry.insertId
        or entry.labels.instanceid is not None
        or (entry.httpRequest is None and entry.textPayload is _NOTHING and entry.jsonPayload is _NOTHING)
        or stringzilla.count(line, b"{") + stringzilla.count(line, b"[") > _DEEP
    )


def _time_of(text: str) -> int:
    return time_of({"timestamp": text}) if text[-1:] == "Z" and text[10:11] == "T" else 0


def _chosen(chosen: Sequence[object], *columns: Sequence[Any]) -> Iterator[list[Any]]:
    """Return the columns reduced to the chosen rows."""
    return (list(compress(column, chosen)) for column in columns)
