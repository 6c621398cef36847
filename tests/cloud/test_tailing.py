from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from cloud.clients import Json, ids, open_grpc
from cloud.faults import BrokenStream, FaultPlan, Suppressed, permission_denied
from cloud.protos import TailRequest, grpc, types
from cloud.samples import PROJECT, make_entries, make_entry
from cloud.server import CloudServer

if TYPE_CHECKING:
    from collections.abc import Callable


class Tail:
    """A tail on the real client's transport: its `tail_log_entries` would block until a first entry comes."""

    def __init__(self, server: CloudServer, filter_text: str = "") -> None:
        self.transport = open_grpc(server)
        request = types.TailLogEntriesRequest(resource_names=[PROJECT], filter=filter_text)
        opened = len(server.requests)
        self.responses = self.transport.tail_log_entries(iter([request]), timeout=10)
        self._wait_until(lambda: len(server.requests) > opened)

    def read(self, count: int) -> tuple[list[str], list[tuple[str, int]]]:
        """So many insertIds, and what was suppressed meanwhile."""
        found: list[str] = []
        suppressed: list[tuple[str, int]] = []
        while len(found) < count:
            response = next(self.responses)
            found += [entry.insert_id for entry in response.entries]
            suppressed += [(info.reason.name, info.suppressed_count) for info in response.suppression_info]
        return found, suppressed

    def read_error(self) -> str:
        with pytest.raises(grpc.RpcError) as error:
            next(self.responses)
        return str(error.value.code().name)

    def close(self) -> None:
        self.responses.cancel()
        self.transport.close()

    @staticmethod
    def _wait_until(is_true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not is_true():
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_a_tail_delivers_what_arrives_after_it_was_opened() -> None:
    with CloudServer(make_entries(5)) as server:
        tail = Tail(server, "severity>=ERROR")
        server.add(make_entry(number) for number in range(5, 10))
        assert tail.read(3) == (ids(5, 7, 8), [])
        server.add([make_entry(10), make_entry(11, logName="projects/q/logs/x"), make_entry(1, insertId="late")])
        assert tail.read(2) == ([*ids(10), "late"], [])
        tail.close()
        assert not server.breaches


def test_a_tail_tells_what_it_suppressed() -> None:
    with CloudServer(tail_faults=FaultPlan([Suppressed(7, "NOT_CONSUMED", after=2)])) as server:
        tail = Tail(server)
        server.add(make_entries(4))
        assert tail.read(4) == (ids(0, 1, 2, 3), [("NOT_CONSUMED", 7)])
        tail.close()


def test_a_tail_breaks_after_so_many_entries_and_can_be_opened_again() -> None:
    with CloudServer(tail_faults=FaultPlan([permission_denied(), BrokenStream(3)])) as server:
        tail = Tail(server)
        assert tail.read_error() == "PERMISSION_DENIED"
        tail.close()
        tail = Tail(server)
        server.add(make_entries(2))
        assert tail.read(2)[0] == ids(0, 1)
        server.add(make_entries(5))
        assert tail.read(1)[0] == ids(2)
        assert tail.read_error() == "UNAVAILABLE"
        tail.close()
        tail = Tail(server)
        server.add([make_entry(9)])
        assert tail.read(1)[0] == ids(9)
        tail.close()


def test_a_restart_breaks_a_tail() -> None:
    with CloudServer() as server:
        tail = Tail(server)
        server.stop()
        assert tail.read_error() in {"UNAVAILABLE", "CANCELLED"}
        tail.close()
        server.start()
        tail = Tail(server)
        server.add(make_entries(1))
        assert tail.read(1)[0] == ids(0)
        tail.close()


@pytest.mark.parametrize("request_", [{"resource_names": []}, {"filter": "words"}, {"buffer_window": {"seconds": 61}}])
def test_a_tail_keeps_the_contract(request_: Json) -> None:
    with CloudServer() as server, grpc.insecure_channel(server.grpc_endpoint) as channel:
        call = channel.stream_stream("/google.logging.v2.LoggingServiceV2/TailLogEntries")
        message = TailRequest(**{"resource_names": [PROJECT], **request_}).SerializeToString()
        with pytest.raises(grpc.RpcError) as refused:
            next(call(iter([message]), timeout=10))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
