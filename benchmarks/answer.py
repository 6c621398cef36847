"""Answer one question about a log with one library, as JSON: `python answer.py duckdb LOG REVISION`.

The question is the same for every library: the entries and errors of the revision, the first and the last, the errors
of each minute. Identity is (logName, timestamp, insertId). Times are compared as text without their `Z`: with it,
`12.1Z` would sort behind `12.12Z`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ERRORS = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LONGEST = 16 * 1024 * 1024


class Count:
    """Counts distinct entries, one by one."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str, str]] = set()
        self.minutes: Counter[str] = Counter()
        self.first = "9"
        self.last = ""

    def add(self, log_name: str, timestamp: str, insert_id: str, severity: str | None) -> None:
        """Count an entry of the revision."""
        key = (log_name, timestamp, insert_id)
        if key in self.seen:
            return
        self.seen.add(key)
        time = timestamp.removesuffix("Z")
        self.first = min(self.first, time)
        self.last = max(self.last, time)
        if severity in ERRORS:
            self.minutes[time[:16]] += 1

    def answer(self) -> dict[str, Any]:
        """Return the counts as the answer."""
        return _answer(len(self.seen), self.first, self.last, dict(self.minutes))


def _answer(entries: int, first: str, last: str, minutes: dict[str, int]) -> dict[str, Any]:
    errors = sum(minutes.values())
    return {"entries": entries, "errors": errors, "first": first, "last": last, "errors_per_minute": minutes}


def _from_minutes(rows: Iterable[tuple[str, int, int, str, str]]) -> dict[str, Any]:
    """Add up rows of (minute, entries, errors, first, last)."""
    listed = list(rows)
    return _answer(
        sum(row[1] for row in listed),
        min(row[3] for row in listed),
        max(row[4] for row in listed),
        {row[0]: row[2] for row in listed if row[2]},
    )


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        sys.exit(f"{name} is not installed (pip install -r requirements-bench.txt)")


def with_json(log: Path, revision: str) -> dict[str, Any]:
    """Answer with the standard library."""
    count = Count()
    with log.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if entry["resource"]["labels"]["revision_name"] == revision:
                count.add(entry["logName"], entry["timestamp"], entry["insertId"], entry.get("severity"))
    return count.answer()


def with_msgspec(log: Path, revision: str) -> dict[str, Any]:
    """Answer with msgspec, which decodes only the fields that are needed: the baseline of a reader in Python."""
    msgspec = _library("msgspec")
    labels = msgspec.defstruct("Labels", [("revision_name", str)], gc=False)
    resource = msgspec.defstruct("Resource", [("labels", labels)], gc=False)
    texts = [(name, str) for name in ("logName", "timestamp", "insertId")]
    fields = [*texts, ("resource", resource), ("severity", str | None, None)]
    decode = msgspec.json.Decoder(msgspec.defstruct("Entry", fields, gc=False)).decode
    count = Count()
    with log.open("rb") as lines:
        for line in lines:
            try:
                entry = decode(line)
            except msgspec.MsgspecError:
                continue
            if entry.resource.labels.revision_name == revision:
                count.add(entry.logName, entry.timestamp, entry.insertId, entry.severity)
    return count.answer()


def with_duckdb(log: Path, revision: str, *, distinct: bool = True) -> dict[str, Any]:
    """Answer with DuckDB in one pass; with `distinct` duplicates are dropped first, as the question requires."""
    is_array = log.suffix == ".json"
    options = "format='array'" if is_array else "format='newline_delimited', ignore_errors=true"
    columns = (
        "{logName: 'VARCHAR', timestamp: 'VARCHAR', insertId: 'VARCHAR', severity: 'VARCHAR',"
        " resource: 'STRUCT(labels STRUCT(revision_name VARCHAR))'}"
    )
    query = f"""
        SELECT left(time, 16), count(*), count(*) FILTER (severity IN {ERRORS}), min(time), max(time)
        FROM (
            SELECT {"DISTINCT" if distinct else ""} logName, insertId, severity, rtrim("timestamp", 'Z') AS time
            FROM read_json(?, {options}, columns={columns}, maximum_object_size={_LONGEST})
            WHERE resource.labels.revision_name = ?
        )
        GROUP BY 1
    """  # noqa: S608  (constants)
    rows = _library("duckdb").execute(query, [str(log), revision]).fetchall()
    return _from_minutes(rows)


def with_polars(log: Path, revision: str) -> dict[str, Any]:
    """Answer with polars in one pass."""
    pl = _library("polars")
    names = ("logName", "timestamp", "insertId", "severity")
    inner = pl.Struct({"labels": pl.Struct({"revision_name": pl.String})})
    entries = pl.scan_ndjson(log, schema=dict.fromkeys(names, pl.String) | {"resource": inner}, ignore_errors=True)
    time = pl.col("timestamp").str.strip_suffix("Z")
    minutes = (
        entries.filter(pl.col("resource").struct["labels"].struct["revision_name"] == revision)
        .select("logName", "insertId", "severity", time.alias("time"))
        .unique()
        .group_by(pl.col("time").str.slice(0, 16).alias("minute"))
        .agg(
            pl.len(),
            pl.col("severity").is_in(ERRORS).sum().alias("errors"),
            pl.col("time").min().alias("first"),
            pl.col("time").max().alias("last"),
        )
    )
    return _from_minutes(minutes.collect(engine="streaming").rows())


LIBRARIES = {
    "json": with_json,
    "msgspec": with_msgspec,
    "duckdb": with_duckdb,
    "duckdb-raw": lambda log, revision: with_duckdb(log, revision, distinct=False),
    "polars": with_polars,
}

if __name__ == "__main__":
    print(json.dumps(LIBRARIES[sys.argv[1]](Path(sys.argv[2]), sys.argv[3])))
