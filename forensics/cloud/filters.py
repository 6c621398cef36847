"""Build filters in the Logging query language. No network, no clock.

Every filter has both time bounds: the client library silently adds "last 24 hours" to one without. Every clause is in
parentheses: OR binds tighter than AND in this language. Every value is quoted and escaped, and `=` rather than `=~` is
used where a name is known in full: it can be answered from an index.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.errors import UsageError
from forensics.model import Level, Nanoseconds
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LONGEST = 20_000
"""Characters that the API accepts in one filter."""
_ROOM = LONGEST - 200
"""Characters for our own clauses: a page loop that restarts in the middle adds one more bound."""

_REQUESTS = "run.googleapis.com%2Frequests"
_AUDIT = "cloudaudit.googleapis.com"
_PLATFORM_LOGS = (
    "run.googleapis.com%2Fvarlog%2Fsystem",
    "cloudaudit.googleapis.com%2Factivity",
    "cloudaudit.googleapis.com%2Fsystem_event",
)
"""Instance events of the platform, actions of people and pipelines, actions of the platform itself."""

# 180, 00180, 00180-jkl: the number alone, without the service's name
_NUMBER = re.compile(r"([0-9]{1,5})(-[a-z0-9]+)?")
_ANY_NAME = frozenset({"", "all", "latest"})

_ERROR_WORDS = r"err|erro|error|fail|fatal|ftl|crit|critical|alert|emerg|emergency|d?panic|severe"
_WARNING_WORDS = rf"warn|warning|wrn|{_ERROR_WORDS}"
_OUTCRIES = r"exception|traceback|[a-z]+error|failed|failure|exited with|shutting down|unhandled|segfault|oomkilled"
_TEXTS = ("textPayload", "jsonPayload.message", "jsonPayload.msg")
_LEVEL_KEYS = ("level", "severity", "levelname")
_NUMBERS = (40, 50, 60)
_LEAST_NUMBER = {Level.WARNING: 40, Level.ERROR: 50}
"""pino and bunyan write levels as numbers."""
_STATUS = {Level.WARNING: 400, Level.ERROR: 500}
_NO_SEVERITY = "NOT severity>=DEBUG"
"""True for a missing severity and for DEFAULT, whichever of them the server sees."""


class Target(Struct, frozen=True, kw_only=True):
    """The revision whose entries are wanted; empty fields do not restrict."""

    revision: str = ""
    """The full name; `find_revision` also takes a prefix, a number, `latest` and `all`."""
    service: str = ""
    location: str = ""
    project: str = ""


class TimeSpan(Struct, frozen=True, order=True):
    """A span of time from `start` (inclusive) to `end` (exclusive)."""

    start: Nanoseconds
    end: Nanoseconds


class TimeWindow(Struct, frozen=True, order=True):
    """A time span of one instance; without an instance, of the whole revision."""

    span: TimeSpan
    instance: str = ""


def find_revision(target: Target, span: TimeSpan) -> str:
    """Select entries that name a revision; the newest of them give its full name and its service.

    Audit entries are selected by the resource they act on: a revision that never started has no other entries.
    """
    return _filter(*_place(target), _named_like(target.revision), span=span)


def errors(target: Target, span: TimeSpan, level: Level = Level.ERROR) -> str:
    """Select a revision's entries at or above a level, by severity or by their content.

    A status counts because a request entry may carry a lower severity than its status deserves, and a level in the
    payload because Cloud Run does not recognise every logger's level field. Words in a message count only where there
    is no severity, as in plain text on stdout: else every `0 errors` would be fetched.
    """
    return _filter(*_place(target), _revision(target), _at_least(level), span=span)


def requests(target: Target, span: TimeSpan) -> str:
    """Select a revision's request log: the exposure against which errors are counted."""
    return _filter(*_place(target), _revision(target), _in_logs(_REQUESTS), span=span)


def refused(target: Target, span: TimeSpan) -> str:
    """Select a revision's requests that were refused or failed."""
    return _filter(*_place(target), _revision(target), _in_logs(_REQUESTS), "httpRequest.status>=400", span=span)


def sample(target: Target, span: TimeSpan, one_in: int) -> str:
    """Select one in `one_in` of a revision's requests, by a hash of their ids."""
    return _filter(*_place(target), _revision(target), _in_logs(_REQUESTS), _one_in(one_in), span=span)


def answered(target: Target, span: TimeSpan, one_in: int) -> str:
    """Select one in `one_in` of the requests that an instance answered well."""
    went_well = ("httpRequest.status<400", "labels.instanceId:*")
    return _filter(*_place(target), _revision(target), _in_logs(_REQUESTS), *went_well, _one_in(one_in), span=span)


def _one_in(number: int) -> str:
    return f"sample(insertId, {1 / number:.9f})"


def others(target: Target, span: TimeSpan, *, served: bool) -> str:
    """Select entries of the service's other revisions: requests that they served, or whatever ran there."""
    which = _in_logs(_REQUESTS) if served else f"NOT ({_in_logs(_AUDIT)})"
    return _filter(*_place(target), f"NOT ({_revision(target)})", "resource.labels.revision_name:*", which, span=span)


def service_logs(target: Target, span: TimeSpan) -> str:
    """Select system and audit entries of the service, whichever revision they name.

    The label `revision_name` is empty in the audit entries of a deployment, and the revision before it explains much.
    Without a service, only entries that name the revision can be selected.
    """
    named = "" if target.service else _named_like(target.revision)
    return _filter(*_place(target), named, _in_logs(*_PLATFORM_LOGS), span=span)


def everything(target: Target, span: TimeSpan, one_in: int = 1) -> str:
    """Select all entries of a revision, and those of the platform about its service; or one in a few of them."""
    few = _one_in(one_in) if one_in > 1 else ""
    revision = _revision(target)
    if not revision:
        return _filter(*_place(target), few, span=span)
    platform = _in_logs(*_PLATFORM_LOGS) if target.service else _named_like(target.revision)
    return _filter(*_place(target), f"{revision} OR ({platform})", few, span=span)


def received_since(text: str, time: Nanoseconds) -> str:
    """Restrict a filter to entries that Cloud Logging received at a time or later."""
    return f'({text}) AND (receiveTimestamp>="{format_time(time)}")'


def find_namesakes(target: Target, found: Target, span: TimeSpan) -> str:
    """Select entries that a revision's name fits although they are not of the revision found."""
    if target.revision == "latest":
        return _filter(*_place(target), f"NOT (resource.labels.service_name={quote(found.service)})", span=span)
    own = " AND ".join(
        f"resource.labels.{label}={quote(value)}"
        for label, value in (
            ("revision_name", found.revision),
            ("service_name", found.service),
            ("location", found.location),
        )
    )
    in_audit = f"protoPayload.resourceName=~{quote(f'/revisions/{_literal(found.revision)}$')}"
    return _filter(*_place(target), _named_like(target.revision), f"NOT (({own}) OR {in_audit})", span=span)


def neighbourhood(target: Target, windows: Iterable[TimeWindow]) -> tuple[str, ...]:
    """Select all entries around errors, at any severity, in as few filters as their length allows.

    The cause often has a lower severity than its symptom, or none. Windows of one instance that overlap are merged, and
    instances that share a window share a clause. Each filter is bounded by its own windows.
    """
    outer = [*_place(target), _revision(target)]
    filters: list[str] = []
    pending: list[TimeWindow] = []
    clauses: list[str] = []
    room = _ROOM - len(_filter(*outer, "()", span=TimeSpan(Nanoseconds(0), Nanoseconds(0)))) - 2 * len(".000000000")
    length = 0
    for windows_of_clause, clause in _window_clauses(merge(windows)):
        length += len(clause) + len(" OR ()")
        if clauses and length > room:
            filters.append(_filter(*outer, " OR ".join(clauses), span=_hull(pending)))
            pending, clauses, length = [], [], len(clause) + len(" OR ()")
        pending += windows_of_clause
        clauses.append(f"({clause})")
    if clauses:
        filters.append(_filter(*outer, " OR ".join(clauses), span=_hull(pending)))
    return tuple(filters)


# ((labels.instanceId="00bf" OR labels.instanceId="00c0") AND (timestamp>="…") AND (timestamp<"…"))
_CLAUSE = re.compile(
    r"""\((?:\((?P<instances>labels\.instanceId="[^()]*")\)[ ]AND[ ])?
    \(timestamp>="(?P<start>[^"]*)"\)[ ]AND[ ]\(timestamp<"(?P<end>[^"]*)"\)\)""",
    re.VERBOSE,
)
_INSTANCE = re.compile(r'labels\.instanceId="([^"\\]*)"')


def windows_in(text: str) -> tuple[TimeWindow, ...]:
    """Read the windows back that a filter of `neighbourhood` selects."""
    return tuple(
        TimeWindow(TimeSpan(parse_time(found["start"]), parse_time(found["end"])), instance)
        for found in _CLAUSE.finditer(text)
        for instance in (_INSTANCE.findall(found["instances"]) if found["instances"] else [""])
    )


def merge(windows: Iterable[TimeWindow]) -> tuple[TimeWindow, ...]:
    """Join windows of one instance that overlap or touch; in order of time."""
    merged: list[TimeWindow] = []
    for window in sorted(windows, key=lambda window: (window.instance, window.span)):
        last = merged[-1] if merged else None
        if last is not None and last.instance == window.instance and window.span.start <= last.span.end:
            span = TimeSpan(last.span.start, max(last.span.end, window.span.end))
            merged[-1] = TimeWindow(span, window.instance)
        else:
            merged.append(window)
    return tuple(sorted(merged))


_INSTANCES_OF_CLAUSE = 40
"""Instances in one clause; an id has some 200 digits, so this fills less than half of a filter."""


def _window_clauses(windows: Iterable[TimeWindow]) -> Iterator[tuple[list[TimeWindow], str]]:
    for span, group in groupby(windows, key=lambda window: window.span):
        same = list(group)
        if not same[0].instance:  # sorted to the front: the whole revision, which holds all the others
            yield same, _bounds(span)
            continue
        for at in range(0, len(same), _INSTANCES_OF_CLAUSE):
            part = same[at : at + _INSTANCES_OF_CLAUSE]
            instances = " OR ".join(f"labels.instanceId={quote(window.instance)}" for window in part)
            yield part, f"({instances}) AND {_bounds(span)}"


def _hull(windows: Iterable[TimeWindow]) -> TimeSpan:
    spans = [window.span for window in windows]
    return TimeSpan(min(span.start for span in spans), max(span.end for span in spans))


def quote(value: str) -> str:
    """Write a value as a quoted string of the query language, in printable ASCII."""
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - half of a pair is no character, and JSON cannot carry it
        code = 0xFFFD
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as wide as the escapes are


def _literal(value: str) -> str:
    """Escape a value so that RE2 matches it literally."""
    return re.sub(r"[!-/:-@\[-`{-~]", lambda match: "\\" + match[0] if match[0] not in "-_/" else match[0], value)


def _filter(*clauses: str, span: TimeSpan) -> str:
    text = " AND ".join(f"({clause})" for clause in clauses if clause)
    text = f"{text} AND {_bounds(span)}" if text else _bounds(span)
    if len(text) > _ROOM:
        raise UsageError(
            f"the filter for Cloud Logging would have {len(text)} characters of {LONGEST}; shorten the names"
        )
    return text


def _bounds(span: TimeSpan) -> str:
    return f'(timestamp>="{format_time(span.start)}") AND (timestamp<"{format_time(span.end)}")'


def _place(target: Target) -> list[str]:
    """Return the clauses for the resource; its type and labels are indexed, so they come first."""
    labels = (
        ("project_id", target.project),
        ("location", target.location),
        ("service_name", target.service),
    )
    return ['resource.type="cloud_run_revision"', *(f"resource.labels.{k}={quote(v)}" for k, v in labels if v)]


def _revision(target: Target) -> str:
    return "" if target.revision in _ANY_NAME else f"resource.labels.revision_name={quote(target.revision)}"


def _named_like(requested: str) -> str:
    """Match a revision by label or audit resource: in full, by a prefix at a word boundary, or by number."""
    if requested in _ANY_NAME:
        return ""
    text = requested.rstrip("-") or requested
    name = _literal(text)
    label, path = f"^{name}(-|$)", f"/revisions/{name}(-|$)"
    number = _NUMBER.fullmatch(requested)
    if number:
        text = f"-{number[1]:0>5}{number[2] or ''}"
        part = f"{text}(-|$)"
        label, path = f"{part}|{label}", f"/revisions/[a-z0-9-]*{part}|{path}"
    fields = (
        f"resource.labels.revision_name={quote(requested)}",
        f"resource.labels.revision_name=~{quote(label)}",
        f"protoPayload.resourceName=~{quote(path)}",
        f"protoPayload.response.metadata.name=~{quote(label)}",
        # Ready condition status changed to False for Revision shop-00003-abc with message: …
        f"protoPayload.status.message:{quote(text)}",
    )
    return " OR ".join(fields)


def _in_logs(*names: str) -> str:
    return " OR ".join(f"logName:{quote(name)}" for name in names)


def _at_least(level: Level) -> str:
    clauses = [f"severity>={level}"]
    if level.rank < Level.WARNING.rank:
        # Below a warning no word gives a level away: whatever lacks a severity is taken.
        return f"{clauses[0]} OR ({_NO_SEVERITY})"
    if level in _STATUS:
        clauses.append(f"httpRequest.status>={_STATUS[level]}")
    words = _WARNING_WORDS if level is Level.WARNING else _ERROR_WORDS
    clauses += [f"jsonPayload.{key}=~{quote(f'(?i)^({words})$')}" for key in _LEVEL_KEYS]
    clauses += [f"jsonPayload.level={number}" for number in _NUMBERS if number >= _LEAST_NUMBER.get(level, 60)]
    pattern = quote(rf"(?i)\b({words}|{_OUTCRIES})\b")
    texts = " OR ".join(f"{field}=~{pattern}" for field in _TEXTS)
    return " OR ".join([*clauses, f"(({_NO_SEVERITY}) AND ({texts}))"])
