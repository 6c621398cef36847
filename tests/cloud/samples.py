"""Entries and questions for the tests of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

PROJECT = "projects/p"
START = datetime(2026, 5, 1, tzinfo=UTC)
BOUNDS = 'timestamp>="2026-05-01T00:00:00Z" AND timestamp<"2026-05-08T00:00:00Z"'


def moment(number: int) -> str:
    """A timestamp so many milliseconds and nanoseconds after the start."""
    seconds = (START + timedelta(milliseconds=number)).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{seconds[:-3]}{number % 1_000_000:06d}Z"


def make_entry(number: int, **fields: Any) -> dict[str, Any]:
    """An entry of Cloud Run in REST form."""
    return {
        "insertId": f"id{number:06d}",
        "logName": f"{PROJECT}/logs/run.googleapis.com%2Fstderr",
        "timestamp": moment(number),
        "receiveTimestamp": moment(number + 300),
        "severity": "ERROR" if number % 3 else "INFO",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {"service_name": "backend", "revision_name": "backend-00042", "location": "us-central1"},
        },
        "labels": {"instanceId": f"instance-{number % 4}"},
        "textPayload": f"message {number}",
        **fields,
    }


def make_entries(count: int) -> list[dict[str, Any]]:
    return [make_entry(number) for number in range(count)]


def make_body(**fields: Any) -> dict[str, Any]:
    """The JSON of a careful request."""
    return {"resourceNames": [PROJECT], "filter": BOUNDS, "orderBy": "timestamp asc", "pageSize": 1000, **fields}
