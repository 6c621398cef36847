"""Which revision a record belongs to, which one a user means, and which entries are its."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forensics.entries import (
    MemoryRecordStore,
    collect,
    resolve_revision,
    revision_of,
    revision_spans,
    select,
    service_of,
)
from forensics.errors import RevisionError
from forensics.model import LogIndex, Nanoseconds, Place, Query, RawEntry, Revision, RevisionSpan
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Sequence


def span(name: str, day: int, service: str = "shop") -> RevisionSpan:
    first = parse_time(f"2026-03-{day:02d}T10:00:00Z")
    return RevisionSpan(
        name=name,
        service=service,
        project="p",
        location="europe-west1",
        entries=3,
        first=first,
        last=Nanoseconds(first + 60 * 10**9),
    )


SPANS = (
    span("shop-00180-jkl", 1),
    span("shop-00181-abc", 2),
    span("shop-001801-xyz", 3),
    span("shop-api-00180-mno", 4, "shop-api"),
    span("shop-00734-fvm", 5),
)


SEVERAL = (
    "'00180' fits 2 revisions: shop-00180-jkl (2026-03-01T10:00:00Z – 2026-03-01T10:01:00Z), "
    "shop-api-00180-mno (2026-03-04T10:00:00Z – 2026-03-04T10:01:00Z); name one"
)


def resolve(asked: str, service: str | None = None) -> str:
    return resolve_revision(asked, SPANS, service=service).name


@pytest.mark.parametrize(
    ("asked", "service", "name"),
    [
        ("shop-00180-jkl", None, "shop-00180-jkl"),
        ("shop-00180", None, "shop-00180-jkl"),  # not shop-001801-xyz
        ("shop-00734-", None, "shop-00734-fvm"),
        ("00734", None, "shop-00734-fvm"),
        ("734", None, "shop-00734-fvm"),
        ("00734-fvm", None, "shop-00734-fvm"),
        ("00180", "shop-api", "shop-api-00180-mno"),
        ("latest", "shop", "shop-00734-fvm"),
        ("latest", "shop-api", "shop-api-00180-mno"),
        ("all", None, "all"),
    ],
)
def test_names_prefixes_and_numbers(asked: str, service: str | None, name: str) -> None:
    assert resolve(asked, service) == name


def test_what_is_known_of_the_revision_is_told() -> None:
    found = resolve_revision("00734", SPANS)
    assert found == Revision(name="shop-00734-fvm", asked="00734", service="shop", project="p", location="europe-west1")
    everything = resolve_revision("all", SPANS[:2])
    assert (everything.service, everything.project) == ("shop", "p")
    assert resolve_revision("all", SPANS).service == ""
    assert resolve_revision("all", ()).name == "all"


@pytest.mark.parametrize(
    ("asked", "service", "words"),
    [
        (
            "00180",
            None,
            SEVERAL,
        ),
        ("shop-0018", None, "no revision 'shop-0018' in these entries; the nearest are 'shop-00181-abc', "),
        ("shop-00181-abd", None, "the nearest are 'shop-00181-abc', "),
        ("zzz", None, "no revision 'zzz' in these entries; they hold 'shop-00180-jkl', "),
        ("", None, "no revision '' in these entries"),
        ("latest", None, "'latest' of which service? the entries hold 'shop', 'shop-api'; choose one with --service"),
        ("latest", "cart", "no revision of service 'cart'; the entries hold 'shop', 'shop-api'"),
    ],
)
def test_what_cannot_be_resolved_is_one_line_with_the_next_step(asked: str, service: str | None, words: str) -> None:
    with pytest.raises(RevisionError) as caught:
        resolve(asked, service)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_entries_without_any_revision_lead_to_all() -> None:
    with pytest.raises(RevisionError, match="name no revision at all; use --revision all"):
        resolve_revision("latest", ())


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def labelled(revision: str = "", service: str = "shop", **fields: Any) -> dict[str, Any]:
    labels = {"revision_name": revision, "service_name": service, "configuration_name": "", "project_id": "p"}
    return {"resource": {"type": "cloud_run_revision", "labels": labels}, **fields}


AUDITS = {
    "resource": {"resourceName": "namespaces/p/revisions/shop-00003-abc"},
    "response": {"response": {"kind": "Revision", "metadata": {"name": "shop-00003-abc"}}},
    "message": {
        "status": {"message": "Ready condition status changed to False for Revision shop-00003-abc with message: x"}
    },
    "quoted message": {"status": {"message": "Revision 'shop-00003-abc' is not ready and cannot serve traffic."}},
    "service": {
        "resourceName": "namespaces/p/services/shop",
        "response": {"kind": "Service", "status": {"latestCreatedRevisionName": "shop-00003-abc"}},
    },
}


@pytest.mark.parametrize("kind", AUDITS)
def test_audit_entries_speak_of_a_revision(kind: str) -> None:
    assert revision_of(labelled(protoPayload=AUDITS[kind])) == "shop-00003-abc"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"resource": []},
        labelled(protoPayload={"methodName": "google.cloud.run.v1.Services.ReplaceService"}),
        {"labels": {"run.googleapis.com/execution_name": "job-x7k2p"}, "resource": {"labels": {"job_name": "job"}}},
        labelled(protoPayload={"response": {"kind": "Execution", "metadata": {"name": "job-x7k2p"}}}),
        labelled(protoPayload={"status": {"message": "for Revisions of all kinds"}}),
    ],
)
def test_other_entries_speak_of_none(record: dict[str, Any]) -> None:
    assert revision_of(record) == ""


def test_services() -> None:
    assert service_of(labelled()) == "shop"
    assert (
        service_of(labelled(service="", protoPayload={"resourceName": "projects/p/locations/l/services/shop"}))
        == "shop"
    )
    assert service_of({"resource": {"labels": {"job_name": "nightly"}}}) == "nightly"
    assert service_of({}) == ""


def log_index(*records: dict[str, Any], store: MemoryRecordStore | None = None) -> LogIndex:
    timed = [{"timestamp": f"2026-03-01T10:00:0{n}Z", "insertId": str(n)} | record for n, record in enumerate(records)]
    made = (RawEntry(record=r, place=Place(source="a", record=n)) for n, r in enumerate(timed))
    return collect(made, store or MemoryRecordStore())


def chosen(records: Sequence[dict[str, Any]], revision: str, **query: Any) -> list[str]:
    target = Revision(name=revision, asked=revision, service="" if revision == "all" else "shop")
    store = MemoryRecordStore()
    read = log_index(*records, store=store)
    rows = select(read, target, Query(revision=revision, **query))
    return [str((store.record(read.places[row]) or {})["insertId"]) for row in rows]


RECORDS = (
    labelled("shop-00001-abc", textPayload="0"),
    labelled("shop-00002-def", textPayload="1"),
    labelled(protoPayload={"methodName": "google.cloud.run.v1.Services.ReplaceService"}),
    labelled(protoPayload=AUDITS["message"]),
    labelled(service="cart", protoPayload={"methodName": "google.cloud.run.v1.Services.ReplaceService"}),
    labelled(textPayload="no revision"),
    {"textPayload": "no resource"},
)


def test_spans() -> None:
    spans = revision_spans(log_index(*RECORDS))
    assert [(s.name, s.service, s.project, s.entries) for s in spans] == [
        ("shop-00001-abc", "shop", "p", 1),
        ("shop-00002-def", "shop", "p", 1),
        ("shop-00003-abc", "shop", "p", 1),
    ]
    assert spans[1].first == spans[1].last == parse_time("2026-03-01T10:00:01Z")
    (untimed,) = revision_spans(log_index(labelled("shop-00001-abc", timestamp="?", textPayload="x")))
    assert (untimed.first, untimed.last) == (0, 0)


def test_a_revision_comes_with_the_audit_entries_of_its_service() -> None:
    assert chosen(RECORDS, "shop-00001-abc") == ["0", "2"]
    assert chosen(RECORDS, "shop-00003-abc") == ["2", "3"]
    assert chosen(RECORDS, "all") == [str(n) for n in range(7)]


def test_times_and_services_narrow_the_choice() -> None:
    bounds = {"from_time": "2026-03-01T10:00:01Z", "to_time": "2026-03-01T10:00:03Z"}
    assert chosen(RECORDS, "all", **bounds) == ["1", "2"]
    assert chosen(RECORDS, "all", service="cart") == ["4"]
    untimed = [labelled("shop-00001-abc", timestamp="?", textPayload="x")]
    assert chosen(untimed, "all") == ["0"]
    assert chosen(untimed, "all", from_time="2026-03-01T10:00:01Z") == []
