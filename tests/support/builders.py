"""Make records for tests, with defaults for everything that is not the point of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from forensics.entries import MemoryRecordStore, collect, decode_entry, select
from forensics.extract import FactsExtractor, extract
from forensics.model import (
    Condition,
    FailureClass,
    Leaf,
    LeafOp,
    Level,
    LogEntry,
    LogIndex,
    Nanoseconds,
    Place,
    Priority,
    Query,
    RawEntry,
    Revision,
    Role,
    Rule,
    RuleTests,
)
from forensics.text.timestamps import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import RecordStore

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


BARE = LogEntry(
    insert_id="1",
    timestamp="",
    time=Nanoseconds(0),
    log_name="",
    stream="stderr",
    severity=None,
    level=Level.ERROR,
    message="",
    revision="",
    service="",
    instance="",
    trace="",
    raw={},
    has_payload=True,
)


def bare(message: str = "", raw: dict[str, Any] | None = None, **fields: Any) -> LogEntry:
    """Make a decoded entry without decoding its record; fields that are not given are empty."""
    return replace(BARE, message=message, raw=raw or {}, **fields)


def raws(*records: dict[str, Any]) -> list[RawEntry]:
    """Wrap records as a source yields them."""
    return [RawEntry(record=r, place=Place(source="test", record=n)) for n, r in enumerate(records, 1)]


def stored_at(*records: dict[str, Any]) -> tuple[LogIndex, MemoryRecordStore]:
    """Collect records; return the index and the store with the records."""
    store = MemoryRecordStore()
    return collect(raws(*records), store), store


def extracted(log_index: LogIndex, store: RecordStore, rules: Sequence[Rule] = ()) -> tuple[EntryTable, int]:
    """Make the table of all collected entries; return it with the number of records that were gone."""
    rows = select(log_index, Revision(name="all", asked="all"), query("all"))
    return extract(log_index, rows, store, FactsExtractor(rules, Level.ERROR))


def table(*records: dict[str, Any], rules: Sequence[Rule] = ()) -> EntryTable:
    """Make the table of records, with split messages stitched."""
    return extracted(*stored_at(*records), rules)[0]


def query(revision: str = REVISION, **fields: Any) -> Query:
    """Make a query."""
    return Query(revision=revision, **fields)


def leaf(path: str = "message", *, cased: bool = False, **op: Any) -> Leaf:
    """Make a condition on one field, as `leaf("stream", equals="stdout")`; `in` is a word of Python: `is_in`."""
    ((name, value),) = op.items()
    return Leaf(path=path, op=LeafOp(name.removeprefix("is_")), value=value, cased=cased)


def rule(id_: str, condition: Condition, role: Role = Role.CAUSE, **fields: Any) -> Rule:
    """Make a rule with a condition."""
    return Rule(
        id=id_,
        version=1,
        title=id_,
        failure_class=FailureClass.OTHER,
        role=role,
        priority=Priority.P1,
        condition=condition,
        tests=RuleTests(match=(), no_match=()),
        **fields,
    )
