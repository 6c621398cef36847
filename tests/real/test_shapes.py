"""Real exports in the form in which they were found give the entries of their twins in NDJSON; skipped elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forensics.entries import decode_entry
from forensics.model import RawEntry
from forensics.sources import read_records

if TYPE_CHECKING:
    from forensics.model import LogEntry

DATA = Path(__file__).parents[3] / "shared" / "data"
WILD = DATA / "wild"
pytestmark = pytest.mark.skipif(not WILD.is_dir(), reason="the real exports (../shared) are not here")


def names(pattern: str) -> list[str]:
    return sorted(path.name for path in WILD.glob(pattern)) if WILD.is_dir() else []


def entries(path: Path) -> list[RawEntry]:
    found = list(read_records([str(path)]))
    assert all(isinstance(x, RawEntry) for x in found), found
    return [x for x in found if isinstance(x, RawEntry)]


def said(entry: LogEntry) -> dict[str, Any]:
    return {
        "insert_id": entry.insert_id,
        "timestamp": entry.timestamp,
        "log_name": entry.log_name,
        "severity": entry.severity,
        "level": entry.level,
        "message": entry.message,
        "http": entry.http and (entry.http.status, entry.http.latency),
        "revision": entry.revision,
        "instance": entry.instance,
        "exceptions": entry.exceptions,
    }


@pytest.mark.parametrize("name", names("*.jsonl") + names("*.orig.*"))
def test_every_entry_is_read(name: str) -> None:
    expected = json.loads((WILD / f"{name.partition('.')[0]}.expected.json").read_text())
    assert len(entries(WILD / name)) == expected["entries"]


@pytest.mark.parametrize("name", sorted(p.name for p in (DATA / "netra").glob("*.ndjson")) if WILD.is_dir() else [])
def test_every_line_is_an_entry(name: str) -> None:
    path = DATA / "netra" / name
    assert len(entries(path)) == sum(1 for line in path.read_bytes().splitlines() if line.strip())


@pytest.mark.parametrize("name", names("*.orig.*"))
def test_the_original_says_what_its_twin_says(name: str) -> None:
    # No pair differs: what CSV and YAML cannot hold (types, key order) does not matter to what an entry says.
    originals, twins = entries(WILD / name), entries(WILD / f"{name.partition('.')[0]}.jsonl")
    assert [said(decode_entry(raw)) for raw in originals] == [said(decode_entry(raw)) for raw in twins]
    assert [raw.record for raw in originals] == [raw.record for raw in twins]
