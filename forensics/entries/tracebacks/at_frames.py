"""Parse one `at …` line of a stack (Node, JVM languages, .NET) into a frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.entries.tracebacks.stack_frame import named_frame, python_frame
from forensics.text.lazy_regex import late

if TYPE_CHECKING:
    from forensics.model import Frame

# at com.example.Shop.pay(Shop.java:40)      at app//com.example.Shop.pay(Native Method)
_JAVA = late(
    r"""at\ (?P<function>[\w.$/<>@\-]+)
    \((?P<file>[\w.$\-]+\.(?:java|kt|scala|groovy|clj)|Native\ Method|Unknown\ Source|<generated>)
    (?::(?P<line>\d+))?\)(?:\ ~?\[[^\]]*\])?""",
    re.VERBOSE,
)
# at Shop.Api.Pay(Order order) in /src/Api.cs:line 20      at System.Linq.Enumerable.First[T](IEnumerable`1 source)
# The end is looked at first: a line that does not end with its place is not searched for one at every parenthesis.
_DOTNET = late(
    r"""at\ (?P<function>[^\s(]+)\(
    (?:(?=[^\n]*:line\ \d+\Z)[^\n]*?\)\ in\ (?P<file>.+?):line\ (?P<line>\d+)|[^\n]*\))""",
    re.VERBOSE,
)
# /app/server.js:12:5      file:///app/dist/index.mjs:815:32      node:internal/process/task_queues:95:5
_NODE_PLACE = late(r"(?:file://)?(?P<file>(?=[^\n]*[/\\.<])[^\n]+?):(?P<line>\d+)(?::\d+)?")


def frame_of(line: str) -> Frame | None:
    """Return the frame of a line; None when it is no stack line."""
    text = line.strip()
    if not text.startswith("at "):
        return None
    java = _JAVA.fullmatch(text)
    if java:
        return named_frame(java["file"], _number(java["line"]), java["function"])
    dotnet = _DOTNET.fullmatch(text)
    if dotnet:
        return named_frame(dotnet["file"] or "", _number(dotnet["line"]), dotnet["function"])
    return _node_frame(text[3:].removeprefix("async ").removesuffix(" {"))


def _node_frame(text: str) -> Frame | None:
    # handler (/app/server.js:12:5)      JSON.parse (<anonymous>)      /app/server.js:12:5
    function, place = "", text
    if text.endswith(")") and " (" in text:
        function, place = text[:-1].split(" (", 1)
    match = _NODE_PLACE.fullmatch(place)
    if match:
        return python_frame(match["file"], _number(match["line"]), function)
    # <anonymous>, native, index 0: of no file
    return python_frame("", None, function) if place != text else None


def _number(text: str | None) -> int | None:
    return int(text[:9]) if text else None
