from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, strategies as st

from forensics.classify import RequestPrefilter
from forensics.entries import FastIndexReader
from forensics.entries.raw_fields import time_of
from forensics.model import Level, Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFILTER = RequestPrefilter((), Level.ERROR)
MINUTES = st.sampled_from(
    ["2026-03-02T00:41:", "2026-03-02T00:42:", "1970-01-01T00:00:", "9999-12-31T23:59:", "2026-13-02T00:41:"]
)
SECONDS = st.builds(
    "{:02}{}".format,
    st.integers(0, 61),
    st.sampled_from(["", ".", ".5", ".716289", ".716289066", ".7162890661", ".7_1", "\n", ".1Z\n14.2", ".٣"]),
)
ODD = st.sampled_from(
    ["", "2026-03-02", "2026-03-02T00:41:13.1+01:00", "2026-03-02t00:41:13.1Z", "2026-03-02 00:41:13Z"]
)
TIMES = st.one_of(st.builds("{}{}Z".format, MINUTES, SECONDS), st.builds("{}{}z".format, MINUTES, SECONDS), ODD)


def line(text: str) -> bytes:
    labels = {"revision_name": "shop-api-00001-abc", "service_name": "shop-api"}
    entry = {"insertId": "a", "logName": "projects/p/logs/x", "resource": {"labels": labels}, "textPayload": "so"}
    return json.dumps({**entry, "timestamp": text}).encode()


def read(reader: FastIndexReader, texts: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the times of rows, and which lines are odd."""
    data, spans = b"", []
    for text in texts:
        spans.append((len(data), len(data) + len(line(text))))
        data += line(text) + b"\n"
    rows, slow_path = reader.read(Lines(data=data, spans=spans))
    batch = reader.batch("x")
    assert rows == len(batch.times) == len(batch.places) == len(batch.label_ids) == len(batch.identities)
    return list(batch.times), [spans.index((start, end)) for start, end, _ in slow_path]


@given(blocks=st.lists(st.lists(TIMES, max_size=6), max_size=3))
def test_times_of_many_lines_are_those_of_each(blocks: list[list[str]]) -> None:
    reader = FastIndexReader(None, PREFILTER)
    for texts in blocks:
        plain = [time_of({"timestamp": text}) if text[-1:] == "Z" and text[10:11] == "T" else 0 for text in texts]
        times, slow_path = read(reader, texts)
        assert times == [time for time in plain if time]
        assert slow_path == [at for at, time in enumerate(plain) if not time]
