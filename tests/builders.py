"""Records for tests, with everything but the point of the test filled in."""

from __future__ import annotations

from typing import Any

from forensics.entries import decode_entry, stitch
from forensics.model import LogEntry, Place, Query, RawEntry
from forensics.timestamps import format_time, parse_time

START = parse_time("2026-03-01T10:00:00Z")
REVISION = "shop-api-00042-abc"


def raw(text: str | None = None, *, at: float = 0.0, number: int = 0, **fields: Any) -> dict[str, Any]:
    """Make one record as `gcloud logging read` writes it; `at` is seconds after START."""
    when = START + round(at * 1_000_000) * 1000
    stream = fields.pop("stream", "stderr")
    instance = fields.pop("instance", "i1")
    revision = fields.pop("revision", REVISION)
    record: dict[str, Any] = {
        "insertId": fields.pop(
            "insert_id", f"{when // 1_000_000_000:08x}{when % 1_000_000_000 // 1000:08x}{number:08x}"
        ),
        "timestamp": format_time(when),
        "logName": f"projects/shop/logs/run.googleapis.com%2F{stream}",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {
                "project_id": "shop",
                "service_name": "shop-api",
                "revision_name": revision,
                "location": "europe-west1",
            },
        },
    }
    if instance:
        record["labels"] = {"instanceId": instance}
    if text is not None:
        record["textPayload"] = text
    record.update(fields)
    return record


def request(status: int, *, at: float, latency: float, path: str = "/orders", **fields: Any) -> dict[str, Any]:
    """Make one entry of the request log; `at` is its start."""
    level = "ERROR" if status >= 500 else "WARNING" if status >= 400 else "INFO"
    http = {
        "requestMethod": "GET",
        "requestUrl": f"https://shop.example{path}",
        "status": status,
        "latency": f"{latency:.6f}s",
    }
    return raw(at=at, stream="requests", severity=level, httpRequest=http, **fields)


def entry(text: str | None = None, **fields: Any) -> LogEntry:
    """Decode one record."""
    return decode_entry(RawEntry(record=raw(text, **fields), place=Place(source="test", record=1)))


def decoded(*records: dict[str, Any]) -> tuple[LogEntry, ...]:
    """Decode and stitch records."""
    entries = [decode_entry(RawEntry(record=r, place=Place(source="test", record=n))) for n, r in enumerate(records, 1)]
    return stitch(sorted(entries, key=lambda e: e.sort_key))


def raws(*records: dict[str, Any]) -> list[RawEntry]:
    """Wrap records as a source hands them out."""
    return [RawEntry(record=r, place=Place(source="test", record=n)) for n, r in enumerate(records, 1)]


def query(revision: str = REVISION, **fields: Any) -> Query:
    """Make a query."""
    return Query(revision=revision, **fields)
