"""Lines of NDJSON in, rows of an index out: only what sorting and selecting need is decoded of each.

A line is taken at a glance when it is spelled as the API spells entries, and anything odd about it is left to the exact
and forgiving reading: what is told here is what that reading would tell.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import stringzilla
from msgspec import Raw, Struct, json

from forensics.entries.decoding import level_of_status
from forensics.entries.fields import may_be_handshake, path_of, time_of
from forensics.entries.levels import level_of_severity
from forensics.model import Kind, Level, Lines, Sheet
from forensics.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Screen(Protocol):
        """Rules that tell which requests they might claim."""

        level: Level
        is_blind: bool

        def may_claim_status(self, status: int) -> bool:
            """Tell whether a rule might claim a request because of its status."""

        def suspects(self, messages: Sequence[str]) -> list[int]:
            """Return the positions of messages that a rule might claim."""


_MINUTES = 10_000
"""Minutes whose times are remembered."""
_DEEP = 100
"""Brackets from which on a line may be nested too deeply."""


# Fields are decoded fastest in the order in which they come, which is that of the API: by name.
class _Labels(Struct, gc=False, kw_only=True):
    configuration_name: str = ""
    function_name: str = ""
    job_name: str = ""
    location: str = ""
    project_id: str = ""
    revision_name: str = ""
    service_name: str = ""


class _Resource(Struct, gc=False):
    labels: _Labels


class _Own(Struct, gc=False, frozen=True, kw_only=True):
    instanceId: str = ""  # noqa: N815 - spelled as in the API
    instanceid: str | None = None
    """How BigQuery spells it."""


class _Request(Struct, gc=False, kw_only=True):
    requestMethod: str = ""  # noqa: N815
    requestUrl: str = ""  # noqa: N815
    status: int | str | float | None = None


_NOTHING = Raw()
_NOBODY = _Own()


class _Glance(Struct, gc=False, kw_only=True):
    httpRequest: _Request | None = None  # noqa: N815
    insertId: str  # noqa: N815
    jsonPayload: Raw = _NOTHING  # noqa: N815
    labels: _Own = _NOBODY
    logName: str  # noqa: N815
    protoPayload: Raw = _NOTHING  # noqa: N815
    resource: _Resource
    severity: str | None = None
    textPayload: Raw = _NOTHING  # noqa: N815
    timestamp: str


_glance = json.Decoder(_Glance).decode
_Whose = tuple[str, str, str, str, str, str, str | None]
_Quiet = tuple[int, _Whose, str]
"""Row, whose it is, message."""
_PREFIX = len("2026-03-02T00:41:")
_DIGITS = len("13123456789")
_WHOLE_SECOND = len("2026-03-02T00:41:13Z")
_POINT_ONLY = len("2026-03-02T00:41:13.Z")


class LineReader:
    """Reads lines into columns; an entry is left out when the name that is asked for is no part of its revision's."""

    def __init__(self, asked: str | None, screen: Screen) -> None:
        self._asked = asked
        self._screen = screen
        self._codes: dict[tuple[_Whose, Level | None], int] = {}
        self._levels: dict[tuple[object, str | None], Level | None] = {}
        """The level of a quiet request by status and severity."""
        self._minutes: dict[str, int] = {}
        self._clear()

    def _clear(self) -> None:
        self._times, self._identities, self._places = array("q"), array("q"), array("q")
        self._kinds = array("I")
        self._codes.clear()

    def sheet(self, source: str) -> Sheet:
        """Return what was read since the last sheet."""
        table = [Kind(*whose, quiet=quiet) for whose, quiet in self._codes]
        sheet = Sheet(
            source=source,
            times=self._times,
            identities=self._identities,
            places=self._places,
            kinds=self._kinds,
            table=table,
        )
        self._clear()
        return sheet

    def read(self, lines: Lines) -> tuple[int, list[tuple[int, int]]]:
        """Read lines; return how many became rows, and the bounds of those that must be read otherwise."""
        data, first, keep, asked = lines.data, lines.place, lines.keep, self._asked
        times, identities, places, kinds = self._times, self._identities, self._places, self._kinds
        odd: list[tuple[int, int]] = []
        quiet: list[_Quiet] = []
        before = len(times)
        for start, end in lines.spans:
            line = data[start:end]
            try:
                entry = _glance(line)
            except (ValueError, RecursionError):
                odd.append((start, end))
                continue
            time = self._time(entry.timestamp)
            if time is None or _is_odd(entry, line):
                odd.append((start, end))
                continue
            labels = entry.resource.labels
            if asked is not None and asked not in labels.revision_name:
                continue
            whose = (
                labels.revision_name,
                labels.service_name or labels.configuration_name or labels.job_name or labels.function_name,
                labels.project_id,
                labels.location,
                entry.labels.instanceId,
                entry.logName,
                entry.severity,
            )
            level, request = None, entry.httpRequest
            if request is not None and entry.textPayload is _NOTHING and entry.jsonPayload is _NOTHING:
                level = self._quiet_level(entry, request)
                if level is not None:
                    message = f"{request.status} {request.requestMethod} {path_of(request.requestUrl)}"
                    quiet.append((len(times), whose, message))
            times.append(time)
            identities.append(hash((entry.insertId, entry.logName)))
            places.append(first + start if keep is None else keep(line))
            kinds.append(self._code(whose, level))
        self._suspect(quiet)
        return len(times) - before, odd

    def _time(self, text: str) -> int | None:
        """Return a time in Cloud Logging's own form; None for any other."""
        size = len(text)
        minute = self._minutes.get(text[:_PREFIX])
        if minute is None or size < _WHOLE_SECOND or size == _POINT_ONLY or (text[19] != "." and size > _WHOLE_SECOND):
            return self._new_time(text)
        digits = text[17:19] + text[20:-1].ljust(9, "0")
        if text[-1] != "Z" or len(digits) != _DIGITS or digits[0] > "5" or not (digits.isdigit() and digits.isascii()):
            return self._new_time(text)
        return minute + int(digits)

    def _new_time(self, text: str) -> int | None:
        try:
            time = time_of({"timestamp": text})
            minute = parse_time(f"{text[:_PREFIX]}00Z")
        except ValueError:
            return None
        if not time or text[-1] != "Z" or text[10] != "T":
            return None
        if len(self._minutes) > _MINUTES:
            self._minutes.clear()
        if minute:
            self._minutes[text[:_PREFIX]] = minute
        return time

    def _code(self, whose: _Whose, quiet: Level | None) -> int:
        key = (whose, quiet)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._codes)
        return code

    def _quiet_level(self, entry: _Glance, request: _Request) -> Level | None:
        """Return the level of a request that may be passed by, None for what must be looked at."""
        status = request.status
        if type(status) is not int or not (request.requestMethod and request.requestUrl and entry.labels.instanceId):
            return None
        key = (status, entry.severity)
        if key not in self._levels:
            self._levels[key] = self._level_of(status, entry.severity)
        return self._levels[key]

    def _level_of(self, status: int, severity: str | None) -> Level | None:
        if self._screen.is_blind or may_be_handshake(status) or self._screen.may_claim_status(status):
            return None
        level = level_of_severity(severity)
        if level is None or level is Level.DEFAULT:
            level = level_of_status(status)
        return level if level.rank < self._screen.level.rank else None

    def _suspect(self, quiet: Sequence[_Quiet]) -> None:
        """Take back what was said of requests whose words a rule may know."""
        for at in self._screen.suspects([message for _, _, message in quiet]):
            row, whose, _ = quiet[at]
            self._kinds[row] = self._code(whose, None)


def _is_odd(entry: _Glance, line: bytes) -> bool:
    """Tell whether the exact and forgiving reading may say something else of an entry, or more."""
    return bool(
        entry.protoPayload is not _NOTHING
        or not entry.insertId
        or entry.labels.instanceid is not None
        or (entry.httpRequest is None and entry.textPayload is _NOTHING and entry.jsonPayload is _NOTHING)
        or stringzilla.count(line, b"{") + stringzilla.count(line, b"[") > _DEEP
    )
