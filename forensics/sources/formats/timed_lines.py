"""Lines that begin with a time, as commands print them that show logs to people.

`firebase functions:log`, `gcloud run services logs read`, `docker logs --timestamps`, `kubectl logs --timestamps`,
`heroku logs`. Such a line has a time and words, some have a level letter or a name; the rest of an entry is unknown.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from forensics.sources.formats.element import Element
from forensics.sources.line_blocks import LONGEST_ENTRY, numbered_lines, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "lines that begin with a time, as `gcloud run services logs read` or `docker logs --timestamps` prints them"

_LONGEST = LONGEST_ENTRY
_LOOKED_AT = 20
_SHARE = 0.5
"""Share of the first lines that begin with a time; the others continue them."""
# 2026-01-02T19:16:21.712015Z text      2026-01-02 19:16:21 text      2026-01-02T19:16:21.712015+00:00 app[web.1]: text
_LINE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?P<zone>Z|[+-]\d\d:?\d\d)?"
    r"(?![\w.:])(?:[ \t]{1,9}(?P<text>[^\n]*))?"
)
# E hello: TypeError …      app[web.1]: State changed
_FIREBASE = re.compile(r"(?P<letter>[DINWECA!?]) (?P<name>[\w.-]{1,100}): (?P<text>.*)$")
_HEROKU = re.compile(r"(?P<name>[a-z-]{1,40})\[(?P<dyno>[\w.-]{1,60})\]: (?P<text>.*)$")
# GET 200 https://shop.example/orders
_REQUEST = re.compile(
    r"(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) +(?P<status>[1-5]\d\d) +(?P<url>https?://\S+)$"
)
_LEVELS = {"D": "DEBUG", "I": "INFO", "N": "NOTICE", "W": "WARNING", "E": "ERROR", "C": "CRITICAL", "A": "ALERT"}
_STARTS_PLATFORM = ("Default STARTUP", "STARTUP ", "Starting new instance", "Container called exit", "Shutting down")


class _Lines(Struct):
    number: int
    head: re.Match[str]
    more: list[str]
    size: int = 0


def accepts(content: TextContent) -> bool:
    """Tell whether most of the first lines begin with a time."""
    lines = [line.decode("utf-8", "replace").rstrip("\r") for line in content.head_lines()[:_LOOKED_AT]]
    lines = [line for line in lines if line.strip()]
    timed = sum(_LINE.match(line) is not None for line in lines)
    return timed > 0 and timed >= _SHARE * len(lines) and _LINE.match(lines[0]) is not None


def read(content: TextContent) -> Iterator[Element]:
    """Yield an entry for each line with a time; lines without one continue the entry above."""
    lines: _Lines | None = None
    for number, line in numbered_lines(content.blocks(), _LONGEST):
        if line is None:
            yield Element(number=number, problem=too_long(_LONGEST))
            continue
        head = _LINE.match(line)
        if head is None:
            if lines is not None and lines.size <= _LONGEST:
                lines.more.append(line)
                lines.size += len(line)
            elif line.strip():
                yield Element(number=number, problem="no line with a time above it")
            continue
        if lines is not None:
            yield _element(lines)
        lines = _Lines(number, head, [])
    if lines is not None:
        yield _element(lines)


def _element(lines: _Lines) -> Element:
    if lines.size > _LONGEST:
        return Element(number=lines.number, problem=too_long(_LONGEST))
    return Element(number=lines.number, value=_record(lines))


def _record(lines: _Lines) -> dict[str, Any]:
    """Make an entry of what a line tells, with a stream only where its words show it."""
    head = lines.head
    zone = head["zone"] or "Z"
    record: dict[str, Any] = {
        "timestamp": f"{head['day']}T{head['time'].replace(',', '.')}{zone}",
        "insertId": f"line-{lines.number}",
    }
    text = head["text"] or ""
    if (firebase := _FIREBASE.match(text)) is not None:
        text = firebase["text"]
        record["resource"] = {"type": "cloud_function", "labels": {"function_name": firebase["name"]}}
        if firebase["letter"] in _LEVELS:
            record["severity"] = _LEVELS[firebase["letter"]]
    elif (heroku := _HEROKU.match(text)) is not None:
        text = heroku["text"]
        record["labels"] = {"instanceId": heroku["dyno"]}
    whole = "\n".join([text, *lines.more]).rstrip()
    request = _REQUEST.match(whole)
    if request is not None:
        record["httpRequest"] = {
            "requestMethod": request["method"],
            "requestUrl": request["url"],
            "status": int(request["status"]),
        }
        record["logName"] = "run.googleapis.com%2Frequests"
    else:
        record["textPayload"] = whole
        if whole.startswith(_STARTS_PLATFORM):
            record["logName"] = "run.googleapis.com%2Fvarlog%2Fsystem"
    return record
