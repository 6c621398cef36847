"""Lines of NDJSON in, rows of an index out: only what sorting and selecting need is decoded of each.

A line is taken at a glance when it is spelled as the API spells entries, and anything odd about it is left to the exact
and forgiving reading: what is told here is what that reading would tell.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from msgspec import Raw, Struct, json

from forensics.entries.decoding import level_of_status
from forensics.entries.fields import path_of
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


_DEEP = 100
"""Brackets from which on a line may be nested too deeply."""


class _Labels(Struct, gc=False):
    revision_name: str = ""
    service_name: str = ""
    configuration_name: str = ""
    job_name: str = ""
    function_name: str = ""
    project_id: str = ""
    location: str = ""


class _Resource(Struct, gc=False):
    labels: _Labels


class _Own(Struct, gc=False, frozen=True):
    instanceId: str = ""  # noqa: N815 - spelled as in the API
    instanceid: str | None = None
    """How BigQuery spells it."""


class _Request(Struct, gc=False):
    requestMethod: str = ""  # noqa: N815
    requestUrl: str = ""  # noqa: N815
    status: int | str | float | None = None


_NOTHING = Raw()
_NOBODY = _Own()


class _Glance(Struct, gc=False):
    insertId: str  # noqa: N815
    timestamp: str
    logName: str  # noqa: N815
    resource: _Resource
    severity: str | None = None
    labels: _Own = _NOBODY
    httpRequest: _Request | None = None  # noqa: N815
    textPayload: Raw = _NOTHING  # noqa: N815
    jsonPayload: Raw = _NOTHING  # noqa: N815
    protoPayload: Raw = _NOTHING  # noqa: N815


_glance = json.Decoder(_Glance).decode
_Whose = tuple[str, str, str, str, str, str, str | None]
_Quiet = tuple[int, _Whose, str]
"""Row, whose it is, message."""


class LineReader:
    """Reads lines into columns; an entry is left out when the name that is asked for is no part of its revision's."""

    def __init__(self, asked: str | None, screen: Screen) -> None:
        self._asked = asked
        self._screen = screen
        self._codes: dict[tuple[_Whose, Level | None], int] = {}
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
        data, first, keep = lines.data, lines.place, lines.keep
        odd: list[tuple[int, int]] = []
        quiet: list[_Quiet] = []
        before = len(self._times)
        for start, end in lines.spans:
            line = data[start:end]
            try:
                entry = _glance(line)
                time = parse_time(entry.timestamp)
            except (ValueError, RecursionError):
                odd.append((start, end))
                continue
            if _is_odd(entry, line):
                odd.append((start, end))
            elif self._asked is None or self._asked in entry.resource.labels.revision_name:
                level, whose = self._quiet_level(entry), _whose(entry)
                if level is not None:
                    quiet.append((len(self._times), whose, _message(entry.httpRequest)))
                self._times.append(time)
                self._identities.append(hash((entry.insertId, entry.logName)))
                self._places.append(first + start if keep is None else keep(line))
                self._kinds.append(self._code(whose, level))
        self._suspect(quiet)
        return len(self._times) - before, odd

    def _code(self, whose: _Whose, quiet: Level | None) -> int:
        key = (whose, quiet)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = len(self._codes)
        return code

    def _quiet_level(self, entry: _Glance) -> Level | None:
        """Return the level of a request that may be passed by, None for what must be looked at."""
        request = entry.httpRequest
        if request is None or entry.textPayload or entry.jsonPayload or not entry.labels.instanceId:
            return None
        status = request.status
        if type(status) is not int or not (request.requestMethod and request.requestUrl):
            return None
        if self._screen.is_blind or self._screen.may_claim_status(status):
            return None
        level = level_of_severity(entry.severity)
        if level is None or level is Level.DEFAULT:
            level = level_of_status(status)
        return level if level.rank < self._screen.level.rank else None

    def _suspect(self, quiet: Sequence[_Quiet]) -> None:
        """Take back what was said of requests whose words a rule may know."""
        for at in self._screen.suspects([message for _, _, message in quiet]):
            row, whose, _ = quiet[at]
            self._kinds[row] = self._code(whose, None)


def _is_odd(entry: _Glance, line: bytes) -> bool:
    """Tell whether the exact and forgiving reading may say something else of a line, or more."""
    return bool(
        entry.protoPayload
        or not entry.insertId
        or entry.timestamp[-1:] != "Z"
        or entry.timestamp[10:11] != "T"
        or entry.labels.instanceid is not None
        or not (entry.httpRequest is not None or entry.textPayload or entry.jsonPayload)
        or line.count(b"{") + line.count(b"[") > _DEEP
    )


def _whose(entry: _Glance) -> _Whose:
    labels = entry.resource.labels
    service = labels.service_name or labels.configuration_name or labels.job_name or labels.function_name
    return (
        labels.revision_name,
        service,
        labels.project_id,
        labels.location,
        entry.labels.instanceId,
        entry.logName,
        entry.severity,
    )


def _message(request: _Request | None) -> str:
    return f"{request.status} {request.requestMethod} {path_of(request.requestUrl)}" if request is not None else ""
