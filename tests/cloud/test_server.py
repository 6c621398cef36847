from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any

import pytest
from cloud.clients import Fetch, Json, Refused, fetch_grpc, fetch_rest, ids, join, open_grpc, over_both, read_pages
from cloud.faults import (
    Cut,
    EmptyPage,
    ExhaustedFor,
    ExpiredToken,
    Failure,
    FaultPlan,
    RepeatedEntries,
    ShortPage,
    Slow,
    aborted,
    deadline_exceeded,
    internal,
    permission_denied,
    quota_used_up,
    service_disabled,
    unauthenticated,
    unavailable,
    unknown_project,
)
from cloud.protos import grpc, types
from cloud.samples import BOUNDS, PROJECT, make_body, make_entries, make_entry, moment
from cloud.server import CloudServer

exceptions: Any = pytest.importorskip("google.api_core.exceptions")
credentials: Any = pytest.importorskip("google.auth.credentials")
google_logging: Any = pytest.importorskip("google.cloud.logging")
services: Any = pytest.importorskip("google.cloud.logging_v2.services.logging_service_v2")


@over_both
@pytest.mark.parametrize("order", ["", "timestamp asc", "timestamp desc"])
def test_pages_hold_every_entry_once_in_order(fetch: Fetch, order: str) -> None:
    # Equal timestamps: insertIds decide, and a page may end among them.
    entries = [make_entry(number, timestamp=moment(number // 5)) for number in range(23)]
    with CloudServer(reversed(entries)) as server:
        pages = list(read_pages(fetch, server, orderBy=order, pageSize=4))
    expected = ids(*range(23))
    assert join(pages) == (expected[::-1] if order.endswith("desc") else expected)
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 3]


@over_both
def test_defaults_scope_and_no_results(fetch: Fetch) -> None:
    foreign = make_entry(1, logName="projects/q/logs/x", insertId="foreign")
    with CloudServer([*make_entries(60), foreign]) as server:
        assert len(fetch(server, make_body(pageSize=0))["entries"]) == 50
        assert fetch(server, make_body(filter=f'({BOUNDS}) AND severity="ALERT"')) == {}
        assert [e["insertId"] for e in fetch(server, make_body(resourceNames=["projects/q"]))["entries"]] == ["foreign"]
        assert not server.breaches


def test_entries_come_over_rest_as_they_are() -> None:
    payload = {"n": 2**53 + 1, "f": 0.5, "text": "é \u2028 😀 \0", "null": None, "deep": [{"a": [True]}]}
    strange = {"@type": "type.googleapis.com/some.Unknown", "n": 2**60}
    entries = [make_entry(1, jsonPayload=payload), make_entry(2, protoPayload=strange)]
    with CloudServer(entries) as server:
        assert fetch_rest(server, make_body())["entries"] == entries


def test_entries_come_over_grpc_as_the_protos_hold_them() -> None:
    audit = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "methodName": "Replace"}
    strange = {"@type": "type.googleapis.com/some.Unknown", "n": 1}
    entries = [
        make_entry(1, jsonPayload={"n": 5}),
        make_entry(2, protoPayload=audit),
        make_entry(3, protoPayload=strange),
    ]
    for entry in entries:
        del entry["textPayload"]
    with CloudServer(entries) as server:
        transport = open_grpc(server)
        request = types.ListLogEntriesRequest(resource_names=[PROJECT], filter=BOUNDS)
        first, second, third = types.ListLogEntriesResponse.pb(transport.list_log_entries(request)).entries
        transport.close()
    assert (first.timestamp.nanos, first.json_payload["n"]) == (1_000_001, 5)
    assert second.proto_payload.Is(pytest.importorskip("google.cloud.audit.audit_log_pb2").AuditLog.DESCRIPTOR)
    assert (third.proto_payload.type_url, bool(third.proto_payload.value)) == (strange["@type"], True)


@over_both
def test_late_entries_are_seen_only_ahead_of_the_page(fetch: Fetch) -> None:
    with CloudServer(make_entries(10)) as server:
        pages = read_pages(fetch, server, pageSize=5)
        assert next(pages) == ids(0, 1, 2, 3, 4)
        behind, ahead = make_entry(2, insertId="behind"), make_entry(7, insertId="late")
        server.add([behind, ahead, make_entry(9)])
        assert join(pages) == [*ids(5, 6, 7), "late", *ids(8, 9)]
        assert len(join(read_pages(fetch, server))) == 12


@over_both
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"pageSize": 1001}, "page_size"),
        ({"pageSize": -1}, "page_size"),
        ({"resourceNames": []}, "resource_names"),
        ({"resourceNames": ["p"]}, "resource_names"),
        ({"filter": BOUNDS + " " * 20_000}, "filter"),
        ({"filter": "some words"}, "filter"),
        ({"orderBy": "severity"}, "order_by"),
        ({"pageToken": "x"}, "page_token"),
        ({"pageToken": "WzFd"}, "page_token"),
    ],
)
def test_breaches_of_the_contract_are_refused(fetch: Fetch, fields: Json, message: str) -> None:
    with CloudServer(make_entries(1)) as server:
        with pytest.raises(Refused) as refused:
            fetch(server, make_body(**fields))
        assert refused.value.status == "INVALID_ARGUMENT"
        assert message in refused.value.message
        assert [request.status for request in server.requests] == ["INVALID_ARGUMENT"]


@pytest.mark.parametrize(
    "body",
    [
        {"unknown": 1},
        {"filter": 1},
        {"filter": "\ud800"},
        {"pageSize": "many"},
        {"pageSize": 1.5},
        {"resourceNames": "p"},
        [],
        "x",
    ],
)
def test_bodies_of_another_shape_are_refused(body: Any) -> None:
    with CloudServer() as server, pytest.raises(Refused, match="INVALID_ARGUMENT"):
        fetch_rest(server, {**make_body(), **body} if isinstance(body, dict) else body)


def test_unknown_fields_are_refused_over_grpc() -> None:
    with CloudServer() as server, grpc.insecure_channel(server.grpc_endpoint) as channel:
        call = channel.unary_unary("/google.logging.v2.LoggingServiceV2/ListLogEntries")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"\xf8\x7f\x01", timeout=10)  # field 2047
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@over_both
def test_a_token_belongs_to_its_question(fetch: Fetch) -> None:
    with CloudServer(make_entries(9)) as server:
        token = fetch(server, make_body(pageSize=3))["nextPageToken"]
        for other in ({"filter": f"({BOUNDS})"}, {"orderBy": "timestamp desc"}, {"resourceNames": ["projects/q"]}):
            with pytest.raises(Refused, match="page_token doesn't match"):
                fetch(server, make_body(**other, pageToken=token))
        assert len(fetch(server, make_body(pageSize=6, pageToken=token))["entries"]) == 6


@over_both
def test_the_log_tells_who_asked_what_and_when(fetch: Fetch) -> None:
    now = [100.0]
    with CloudServer(make_entries(3), clock=lambda: now[0]) as server:
        fetch(server, make_body(pageSize=2))
        now[0] = 159.5
        fetch(server, make_body(filter="severity=ERROR", orderBy="timestamp desc"))
        now[0] = 160.0
        fetch(server, make_body())
        assert [(r.at, r.page_size, r.filter, r.order_by) for r in server.requests] == [
            (100.0, 2, BOUNDS, "timestamp asc"),
            (159.5, 1000, "severity=ERROR", "timestamp desc"),
            (160.0, 1000, BOUNDS, "timestamp asc"),
        ]
        assert server.busiest_minute() == 2
        assert len(server.breaches) == 1


@over_both
@pytest.mark.parametrize(
    ("failure", "status", "reasons"),
    [
        (unavailable(), "UNAVAILABLE", []),
        (internal(), "INTERNAL", []),
        (deadline_exceeded(), "DEADLINE_EXCEEDED", []),
        (aborted(), "ABORTED", []),
        (quota_used_up(), "RESOURCE_EXHAUSTED", ["ErrorInfo"]),
        (quota_used_up(retry_after=1.5), "RESOURCE_EXHAUSTED", ["ErrorInfo", "RetryInfo"]),
        (unauthenticated(), "UNAUTHENTICATED", ["ErrorInfo"]),
        (permission_denied(), "PERMISSION_DENIED", ["ErrorInfo"]),
        (service_disabled(), "PERMISSION_DENIED", ["Help", "ErrorInfo"]),
        (unknown_project("p"), "NOT_FOUND", []),
    ],
)
def test_status_errors(fetch: Fetch, failure: Failure, status: str, reasons: list[str]) -> None:
    with CloudServer(make_entries(1), faults=FaultPlan([None, failure])) as server:
        assert fetch(server, make_body())
        with pytest.raises(Refused) as refused:
            fetch(server, make_body())
        assert (refused.value.status, refused.value.reasons) == (status, reasons)
        assert refused.value.message == failure.message
        assert fetch(server, make_body())
        assert server.faults_are_done
        assert [request.status for request in server.requests] == ["OK", status, "OK"]


def test_a_page_is_cut_in_its_middle() -> None:
    with CloudServer(make_entries(500), faults=FaultPlan([Cut(), None, Cut()])) as server:
        with pytest.raises(http.client.IncompleteRead) as cut:
            fetch_rest(server, make_body())
        assert len(cut.value.partial) > 10_000
        assert len(fetch_rest(server, make_body())["entries"]) == 500
        with pytest.raises(Refused, match="UNAVAILABLE"):
            fetch_grpc(server, make_body())


def test_a_slow_page_outlasts_the_patience_of_the_client() -> None:
    with CloudServer(make_entries(1), faults=FaultPlan([Slow(30), Slow(30), Slow(0.05)])) as server:
        with pytest.raises(TimeoutError):
            fetch_rest(server, make_body(), timeout=0.1)
        with pytest.raises(Refused, match="DEADLINE_EXCEEDED"):
            fetch_grpc(server, make_body(), timeout=0.1)
        assert fetch_rest(server, make_body())["entries"]


@over_both
@pytest.mark.parametrize("order", ["timestamp asc", "timestamp desc"])
def test_strange_pages_lose_nothing(fetch: Fetch, order: str) -> None:
    plan = FaultPlan([EmptyPage(), None, EmptyPage(), ShortPage(1), RepeatedEntries(2), EmptyPage()])
    with CloudServer(make_entries(12), faults=plan) as server:
        pages = list(read_pages(fetch, server, orderBy=order, pageSize=4))
    turn = {number: 11 - number if order.endswith("desc") else number for number in range(12)}
    numbers: list[list[int]] = [[], [0, 1, 2, 3], [], [4], [3, 4, 5, 6], [], [7, 8, 9, 10], [11]]
    assert pages == [ids(*(turn[number] for number in page)) for page in numbers]


@over_both
def test_an_expired_token_stays_expired(fetch: Fetch) -> None:
    with CloudServer(make_entries(6), faults=FaultPlan([ExpiredToken()])) as server:
        token = fetch(server, make_body(pageSize=3))["nextPageToken"]
        for _ in range(2):
            with pytest.raises(Refused, match="page_token has expired"):
                fetch(server, make_body(pageSize=3, pageToken=token))
        assert len(fetch(server, make_body())["entries"]) == 6


@over_both
def test_the_quota_is_used_up_for_a_while(fetch: Fetch) -> None:
    now = [0.0]
    with CloudServer(make_entries(1), faults=FaultPlan([ExhaustedFor(90), aborted()]), clock=lambda: now[0]) as server:
        for at in (0.0, 50.0, 89.9):
            now[0] = at
            with pytest.raises(Refused, match="Quota exceeded"):
                fetch(server, make_body())
        now[0] = 90.0
        with pytest.raises(Refused, match="ABORTED"):
            fetch(server, make_body())
        assert fetch(server, make_body())["entries"]


def test_connections_stay_open_and_a_restart_keeps_the_port() -> None:
    with CloudServer(make_entries(1)) as server:
        connection = http.client.HTTPConnection(server.rest_endpoint.removeprefix("http://"), timeout=10)
        sockets = set()
        for _ in range(3):
            connection.request("POST", "/v2/entries:list", json.dumps(make_body()))
            assert connection.getresponse().read()
            sockets.add(connection.sock)
        assert len(sockets) == 1
        before = (server.rest_endpoint, server.grpc_endpoint)
        server.stop()
        assert connection.sock.recv(1) == b""
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(before[0].rpartition(":")[2])))
        server.start()
        assert (server.rest_endpoint, server.grpc_endpoint) == before
        assert fetch_rest(server, make_body())["entries"]
        assert fetch_grpc(server, make_body())["entries"]


@pytest.mark.parametrize("path", ["/v2/entries:write", "/", "/v1/entries:list"])
def test_other_methods_are_not_there(path: str) -> None:
    with CloudServer() as server:
        connection = http.client.HTTPConnection(server.rest_endpoint.removeprefix("http://"), timeout=10)
        for verb in ("POST", "GET"):
            connection.request(verb, path, "{}" if verb == "POST" else None)
            answer = connection.getresponse()
            assert answer.status == 404
            assert json.loads(answer.read())["error"]["status"] == "NOT_FOUND"
        connection.close()


def test_the_real_client_reads_over_rest() -> None:
    with CloudServer(make_entries(25), faults=FaultPlan([None, EmptyPage()])) as server:
        client = google_logging.Client(
            project="p",
            credentials=credentials.AnonymousCredentials(),
            client_options={"api_endpoint": server.rest_endpoint},
            _use_grpc=False,
        )
        entries = list(client.list_entries(filter_=BOUNDS, page_size=10, order_by="timestamp desc"))
        client.close()
        assert [entry.insert_id for entry in entries] == ids(*range(25))[::-1]
        assert entries[0].payload == "message 24"
        assert {request.page_size for request in server.requests} == {10}
        assert len(server.requests) == 4


def test_the_real_client_meets_google_s_errors_over_rest() -> None:
    with CloudServer(faults=FaultPlan([service_disabled(), quota_used_up()])) as server:
        client = google_logging.Client(
            project="p",
            credentials=credentials.AnonymousCredentials(),
            client_options={"api_endpoint": server.rest_endpoint},
            _use_grpc=False,
        )
        with pytest.raises(exceptions.Forbidden) as forbidden:
            list(client.list_entries(filter_=BOUNDS))
        assert forbidden.value.reason == "SERVICE_DISABLED"
        with pytest.raises(exceptions.TooManyRequests):
            list(client.list_entries(filter_=BOUNDS))
        client.close()


def test_the_real_client_reads_over_grpc_and_tries_again() -> None:
    with CloudServer(make_entries(25), faults=FaultPlan([None, unavailable(), internal()])) as server:
        with services.LoggingServiceV2Client(transport=open_grpc(server)) as client:
            request = {"resource_names": [PROJECT], "filter": BOUNDS, "page_size": 10}
            entries = list(client.list_log_entries(request=request))
        assert [entry.insert_id for entry in entries] == ids(*range(25))
        assert [request.status for request in server.requests] == ["OK", "UNAVAILABLE", "INTERNAL", "OK", "OK"]


@pytest.mark.slow
def test_a_hundred_thousand_entries_go_out_fast() -> None:
    with CloudServer(make_entries(100_000)) as server:
        connection = http.client.HTTPConnection(server.rest_endpoint.removeprefix("http://"), timeout=30)
        start, served, token = time.perf_counter(), 0, ""
        while token or not served:
            connection.request("POST", "/v2/entries:list", json.dumps(make_body(pageToken=token)))
            body = connection.getresponse().read()
            served += body.count(b'"insertId":')
            token = (
                json.loads(body[body.rindex(b"]") :].replace(b"],", b"{", 1)).get("nextPageToken", "")
                if (b"nextPageToken" in body[-200:])
                else ""
            )
        seconds = time.perf_counter() - start
        connection.close()
    assert served == 100_000
    # Far below what it does, so that a busy machine does not fail it.
    assert served / seconds > 20_000
