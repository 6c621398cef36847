from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.filters import Target, TimeSpan, everything
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PAGE_SIZE, Cursor, Listing, Page, PageReader
from forensics.cloud.refusals import HttpAnswer
from forensics.model import Nanoseconds
from forensics.text.timestamps import SECOND, format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = 1_757_980_800 * SECOND
SPAN = TimeSpan(Nanoseconds(START), Nanoseconds(START + 3600 * SECOND))
FILTER = everything(Target(revision="shop-00003-abc", service="shop"), SPAN)
BIG = b'"number": 9007199254740993, "half":0.10, "again": 1e400'

Refused = tuple[int, str, str]
UNAVAILABLE = (503, "UNAVAILABLE", "The service is currently unavailable.")
ABORTED = (409, "ABORTED", "The operation was aborted.")
EXPIRED = (400, "INVALID_ARGUMENT", "page_token doesn't match arguments from the request")
QUOTA = (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests'")


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def entry(number: int, *, ns: int | None = None, more: bytes = BIG) -> bytes:
    time = format_time(START + (number * 1_000_003 if ns is None else ns))
    name = "projects/p/logs/run.googleapis.com%2Fstdout"
    return b'{"insertId":"%06d","timestamp":"%s","logName":"%s", %s}' % (number, time.encode(), name.encode(), more)


class Store:
    """A server's memory: pages by token, and a plan of what goes wrong at which request."""

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries
        self.requests: list[dict[str, Any]] = []
        self.plan: dict[int, Refused | str] = {}
        self.headers: dict[str, str] = {}
        self.project = "p"

    def answer(self, body: bytes) -> HttpAnswer:
        request = json.loads(body)
        number = len(self.requests)
        self.requests.append(request)
        fault = self.plan.get(number, "")
        if fault == "expire" and "pageToken" in request:
            fault = EXPIRED
        if isinstance(fault, tuple):
            code, status, message = fault
            return HttpAnswer(
                code, self.headers, json.dumps({"error": {"status": status, "message": message}}).encode()
            )
        return HttpAnswer(200, {}, self.page(request, fault))

    def page(self, request: dict[str, Any], fault: str) -> bytes:
        found = self.found(request["filter"])
        if request["orderBy"] == "timestamp desc":
            found.reverse()
        mark, _, at = request.get("pageToken", "|0").rpartition("|")
        assert mark in {"", request["filter"]}, "a token belongs to its filter"
        start = int(at)
        size = {"empty": 0, "short": 3}.get(fault, request["pageSize"])
        first = max(0, start - 5) if fault == "repeat" else start
        part = found[first : start + size]
        envelope = b'{"entries":[%s]' % b",".join(part) if part else b"{"
        if start + size < len(found):
            token = json.dumps(f"{request['filter']}|{start + size}").encode()
            envelope += (b"," if part else b"") + b'"nextPageToken":' + token
        return envelope + b"}"

    def found(self, text: str) -> list[bytes]:
        low = max(map(parse_time, re.findall(r'timestamp>="([^"]*)"', text)))
        high = min(map(parse_time, re.findall(r'timestamp<=?"([^"]*)"', text)))
        return [entry for entry in self.entries if low <= parse_time(json.loads(entry)["timestamp"]) <= high]

    def list_entries(self, body: bytes) -> HttpAnswer:
        answer = self.answer(body)
        if self.plan.get(len(self.requests) - 1) == "cut":
            raise BrokenOffError("cut")
        return answer


def reader(client: Any, clock: Clock | None = None, patience: float = 900.0) -> PageReader:
    clock = clock or Clock()
    backoff = Backoff(Random(0), patience=patience)  # noqa: S311 - nothing secret in how long to wait
    return PageReader(client, pacer=Pacer(clock, clock.sleep), backoff=backoff, sleep=clock.sleep)


def everything_of(pages: Iterator[Page]) -> list[bytes]:
    return [entry for page in pages for entry in page.entries]


LISTING = Listing(filter=FILTER, page_size=10)
ENTRIES = [entry(i) for i in range(95)]


def test_requests_are_what_the_api_wants() -> None:
    store = Store([entry(i) for i in range(2500)])
    assert everything_of(reader(store).pages(Listing(filter=FILTER))) == store.entries
    assert [len(request) for request in store.requests] == [4, 5, 5]
    for request in store.requests:
        assert request["resourceNames"] == ["projects/p"]
        assert request["filter"] == FILTER
        assert request["orderBy"] == "timestamp asc"
        assert request["pageSize"] == PAGE_SIZE


def test_entries_are_as_received() -> None:
    slow_path = [
        entry(0, more=b'"jsonPayload" : {"id":9007199254740993,"x":1.0e0}, "text":"\\u00e9\\n"'),
        entry(1, ns=123_456_789, more=b'"protoPayload":{"@type":"type.googleapis.com/un.Known","a":[{}]}'),
        entry(2, ns=200_000_000, more='"textPayload":"é🚨"'.encode()),
    ]
    (page,) = reader(Store(slow_path)).pages(LISTING)
    assert list(page.entries) == slow_path


def test_an_entry_is_one_line_whatever_the_server_indents() -> None:
    raw = b'{\n  "insertId": "a",\r\n  "timestamp": "2025-09-16T00:00:01.123456789Z", "x": "\\n" }'
    (page,) = reader(Store([raw])).pages(LISTING)
    assert b"\n" not in page.entries[0]
    assert b"\r" not in page.entries[0]
    assert json.loads(page.entries[0]) == json.loads(raw)


def test_no_entries_are_one_empty_page() -> None:
    (page,) = reader(Store([])).pages(LISTING)
    assert (page.entries, page.cursor.is_finished) == ((), True)


faults = st.sampled_from(
    [UNAVAILABLE, ABORTED, QUOTA, (500, "INTERNAL", ""), (504, "", ""), "expire", "cut", "empty", "short", "repeat"]
)


@settings(max_examples=60, deadline=None)
@given(
    plan=st.dictionaries(st.integers(0, 40), faults, max_size=20),
    times=st.lists(st.integers(0, 30), max_size=95),
    newest_first=st.booleans(),
)
def test_each_entry_comes_once_and_in_order_whatever_goes_wrong(
    plan: dict[int, Refused | str], times: list[int], *, newest_first: bool
) -> None:
    # No more than nine entries share a timestamp: more than a page of them cannot outlive token after token.
    entries = [
        entry(i, ns=ns) for i, ns in enumerate(sorted(t for t in set(times) for _ in range(min(9, times.count(t)))))
    ]
    store = Store(entries)
    # Of three restarts in a row each must find something new.
    store.plan = {at: fault for at, fault in plan.items() if fault != "expire" or plan.get(at - 1) != "expire"}
    listing = msgspec.structs.replace(LISTING, newest_first=newest_first)
    got = everything_of(reader(store).pages(listing))
    assert sorted(got) == sorted(entries)
    ordered = [json.loads(e)["timestamp"] for e in got]
    assert [parse_time(t) for t in ordered] == sorted((parse_time(t) for t in ordered), reverse=newest_first)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.integers(0, 40), faults, max_size=10), st.sets(st.integers(0, 20)))
def test_a_kept_cursor_goes_on_without_loss_or_repetition(plan: dict[int, Refused | str], kills: set[int]) -> None:
    store = Store([entry(i, ns=i // 4) for i in range(95)])
    store.plan = {at: fault for at, fault in plan.items() if fault != "expire" or plan.get(at - 1) != "expire"}
    kept = msgspec.json.encode(Cursor())
    got: list[bytes] = []
    for round_ in range(200):
        cursor = msgspec.json.decode(kept, type=Cursor)
        for page in reader(store).pages(LISTING, cursor):
            if round_ in kills and len(store.requests) % 2:
                break  # killed before this page was put away
            got += page.entries
            kept = msgspec.json.encode(page.cursor)
            if round_ in kills:
                break
        else:
            break
    assert got == store.entries


def test_an_expired_token_begins_again_at_the_last_timestamp() -> None:
    store = Store([entry(i, ns=i // 4) for i in range(30)])
    store.plan = {1: "expire"}
    pages = list(reader(store).pages(LISTING))
    assert everything_of(iter(pages)) == store.entries
    again = store.requests[2]
    assert "pageToken" not in again
    assert again["filter"] == f'({FILTER}) AND (timestamp>="{format_time(START + 9 // 4)}")'
    assert store.requests[3]["filter"] == again["filter"]
    assert pages[1].repeated == 2


def test_tokens_that_always_expire_end() -> None:
    store = Store([entry(i, ns=5) for i in range(30)])
    store.plan = dict.fromkeys(range(100), "expire")
    with pytest.raises(AccessError, match="own page tokens"):
        everything_of(reader(store).pages(LISTING))
    assert len(store.requests) < 10


def test_a_late_entry_is_not_lost_when_a_page_brings_it() -> None:
    store = Store(list(ENTRIES))
    got: list[bytes] = []
    late = entry(999_999, ns=1)
    for page in reader(store).pages(LISTING):
        got += page.entries
        if len(got) == 10:
            store.entries.insert(20, late)
    assert got.count(late) == 1
    assert len(got) == 96


def test_entries_without_identity_are_kept() -> None:
    store = Store(ENTRIES[:2])
    bare = [b'{"textPayload":"a"}', b'{"timestamp":7}', b"3", b"null", b'{"timestamp":"2025-09-16T00:00:09Z"}']
    store.page = lambda *_: b'{"entries":[%s]}' % b",".join(bare)  # type: ignore[method-assign]  # a server gone mad
    assert everything_of(reader(store).pages(LISTING)) == bare


def test_a_quota_is_waited_for_and_the_pace_is_kept() -> None:
    clock = Clock()
    store = Store(ENTRIES)
    store.plan = dict.fromkeys(range(3, 9), QUOTA)
    store.headers = {"Retry-After": "20"}
    times: list[float] = []
    answer = store.answer

    def timed(body: bytes) -> HttpAnswer:
        times.append(clock.now)
        return answer(body)

    store.answer = timed  # type: ignore[method-assign]  # to see when it is asked
    assert everything_of(reader(store, clock).pages(msgspec.structs.replace(LISTING, page_size=1))) == ENTRIES
    assert clock.now >= 120
    assert all(sum(1 for other in times if time <= other < time + 60) <= 50 for time in times)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((403, "PERMISSION_DENIED", "Permission denied"), "'p'.*roles/logging.viewer.*roles/logging.privateLogViewer"),
        ((404, "NOT_FOUND", "Project does not exist: p"), "no project 'p'.*gcloud projects list"),
        ((401, "UNAUTHENTICATED", "Request had\ninvalid\x1b[2J credentials"), "gcloud auth application-default login"),
        ((400, "INVALID_ARGUMENT", "Unparseable filter"), "Unparseable filter"),
        ((302, "", ""), "302"),
    ],
)
def test_a_refusal_is_one_line_and_not_tried_again(refusal: Refused, words: str) -> None:
    store = Store(ENTRIES)
    store.plan = {0: refusal}
    with pytest.raises(AccessError, match=words) as raised:
        everything_of(reader(store).pages(LISTING))
    assert str(raised.value).isprintable()
    assert len(store.requests) == 1


def test_a_disabled_api_names_the_command() -> None:
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}
    store = Store([])
    answer = HttpAnswer(403, {}, json.dumps(body).encode())

    def list_entries(body: bytes) -> HttpAnswer:
        assert body
        return answer

    store.list_entries = list_entries  # type: ignore[method-assign]  # one answer
    with pytest.raises(AccessError, match=r"gcloud services enable logging\.googleapis\.com --project p$"):
        everything_of(reader(store).pages(LISTING))


@pytest.mark.parametrize(("fault", "words"), [(QUOTA, "--requests-per-minute"), (UNAVAILABLE, "kept answering 503")])
def test_patience_ends_in_one_line(fault: Refused, words: str) -> None:
    store = Store(ENTRIES)
    store.plan = dict.fromkeys(range(100), fault)
    with pytest.raises(AccessError, match=words):
        everything_of(reader(store, patience=300.0).pages(LISTING))
    assert len(store.requests) < 20


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "33.5s"}
DATES = {"Date": "Tue, 16 Sep 2025 00:00:00 GMT", "Retry-After": "Tue, 16 Sep 2025 00:00:33 GMT"}


@pytest.mark.parametrize(
    ("details", "headers", "least", "most"),
    [
        ([RETRY_INFO], {}, 33.5, 40),
        ([], {"Retry-After": "33"}, 33, 40),
        ([], DATES, 33, 40),
        ([], {"Retry-After": "soon"}, 0.5, 1),
        ([], {"Retry-After": "nan"}, 0.5, 1),
        ([{"@type": 5, "retryDelay": []}], {"Retry-After": "-5"}, 0.5, 1),
    ],
)
def test_the_server_says_when_to_come_back(
    details: list[dict[str, Any]], headers: dict[str, str], least: float, most: float
) -> None:
    clock = Clock()
    store = Store(ENTRIES[:1])
    refusal = HttpAnswer(429, headers, json.dumps({"error": {"details": details}}).encode())
    answers: list[Callable[[bytes], HttpAnswer]] = [store.answer, lambda _: refusal]

    def list_entries(body: bytes) -> HttpAnswer:
        answer = answers.pop()
        return answer(body)

    store.list_entries = list_entries  # type: ignore[method-assign]  # first refused, then answered
    assert everything_of(reader(store, clock).pages(LISTING)) == ENTRIES[:1]
    assert least <= clock.now <= most


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v2/entries:list?prettyPrint=false"
        assert "Authorization" not in self.headers
        answer = self.store.answer(body)
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.store.plan.get(len(self.store.requests) - 1) == "cut":
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
            return
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[tuple[Store, str]]:
    store = Store(list(ENTRIES))
    handler = type("OneHandler", (Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield store, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_a_real_connection_with_cuts_and_refusals(served: tuple[Store, str]) -> None:
    pytest.importorskip("google.auth.transport.requests")
    from forensics.cloud.connection import Access, connect  # noqa: PLC0415 - google-auth may be missing

    store, url = served
    store.plan = {0: UNAVAILABLE, 2: "cut", 4: "expire", 6: "cut", 7: QUOTA, 9: "repeat", 10: "empty"}
    connection = connect(Access(project="p", endpoint=url), {})
    got = everything_of(reader(connection).pages(LISTING))
    connection.close()
    assert got == ENTRIES
    assert len(store.requests) > 11


def test_nobody_there_is_one_line_in_the_end() -> None:
    pytest.importorskip("google.auth.transport.requests")
    from forensics.cloud.connection import Access, connect  # noqa: PLC0415 - google-auth may be missing

    connection = connect(Access(project="p", endpoint="http://127.0.0.1:1"), {})
    with pytest.raises(AccessError, match=r"no whole answer from 127\.0\.0\.1:1 .*: check the network") as raised:
        everything_of(reader(connection, patience=5.0).pages(LISTING))
    assert str(raised.value).isprintable()
