"""Tables for property tests, with everything that decides to which occurrence an entry belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from support.builders import raw, request, table

if TYPE_CHECKING:
    from forensics.log.entry_table import EntryTable

TRACEBACK = 'Traceback (most recent call last):\n  File "/app/main.py", line 3, in run\n    go()'
TEXTS = ("ValueError: bad", "lost", TRACEBACK, "  File \"/app/main.py\", line 9, in go\nKeyError: 'x'")
MOMENTS = st.integers(0, 60).map(lambda quarter: quarter / 4) | st.integers(0, 4).map(lambda minute: minute * 40.0)
INSTANCES = st.sampled_from(("i1", "i2", ""))
TRACES = st.sampled_from(({}, {}, {"trace": "t1"}, {"trace": "t2"}))


@st.composite
def tables(draw: st.DrawFn) -> EntryTable:
    """Draw tables with exits, starts, requests, traces and split messages."""
    records: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 14))):
        fields: dict[str, Any] = {"instance": draw(INSTANCES), "number": number, **draw(TRACES)}
        at, kind = draw(MOMENTS), draw(st.sampled_from(("line", "line", "request", "exit", "start")))
        if kind == "request":
            latency = draw(st.sampled_from((0.0, 0.25, 2.0)))
            records.append(request(draw(st.sampled_from((200, 500, 503))), at=at, latency=latency, **fields))
        elif kind == "line":
            severity = draw(st.sampled_from(("ERROR", "CRITICAL", "INFO")))
            records.append(raw(draw(st.sampled_from(TEXTS)), at=at, severity=severity, **fields))
        else:
            text = "Container called exit(1)." if kind == "exit" else "Starting new instance. Reason: AUTOSCALING"
            records.append(raw(text, at=at, stream="system", severity="WARNING", **fields))
    return table(*records)
