"""A server of Cloud Logging on loopback: REST and gRPC over one store, strict about the contract, with planned faults.

with CloudServer(entries, faults=FaultPlan([unavailable(), None, Cut()])) as server:
    server.rest_endpoint  # http://127.0.0.1:…
    server.grpc_endpoint  # 127.0.0.1:…
    server.add(late_entries)
    server.requests, server.breaches
"""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Self

from cloud.faults import FaultPlan
from cloud.over_grpc import GrpcServer, encode_kept
from cloud.over_rest import RestServer
from cloud.service import LoggedRequest, Service
from cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class CloudServer:
    """Serves while its `with` block runs; entries and the request log outlive a restart."""

    def __init__(
        self,
        entries: Iterable[dict[str, Any]] = (),
        *,
        faults: FaultPlan | None = None,
        tail_faults: FaultPlan | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = Store()
        self._store.add(entries)
        self._service = Service(self._store, faults or FaultPlan(), tail_faults or FaultPlan(), clock)
        self._rest: RestServer | None = None
        self._grpc: GrpcServer | None = None
        self._ports = (0, 0)
        self._wire: dict[int, bytes] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on both ports; after a stop on the same as before."""
        self._service.stopping.clear()
        self._rest = RestServer(self._service, self._ports[0])
        self._grpc = GrpcServer(self._service, self._ports[1], self._wire)
        self._ports = (self._rest.port, self._grpc.port)

    def stop(self) -> None:
        """Break all calls and connections, and refuse new ones."""
        self._service.stopping.set()
        if self._rest is not None:
            self._rest.close()
        if self._grpc is not None:
            self._grpc.close()
        self._rest = self._grpc = None

    def add(self, entries: Iterable[dict[str, Any]]) -> None:
        """Entries that arrive now, whatever their timestamps say; open tails deliver them."""
        self._store.add(entries)

    def begin_anew(self, faults: FaultPlan, clock: Callable[[], float]) -> None:
        """Serve the same entries with another plan, another clock and an empty log."""
        self._service.faults, self._service.clock = faults, clock
        self._service.requests.clear()
        self._service.breaches.clear()

    def endpoint(self, transport: str) -> str:
        """`rest_endpoint` or `grpc_endpoint`."""
        return self.rest_endpoint if transport == "rest" else self.grpc_endpoint

    def encode_for_grpc(self) -> None:
        """Encode all entries now, so that a measurement over gRPC is not one of this."""
        for kept in self._store.arrived:
            encode_kept(kept, self._wire)

    @property
    def rest_endpoint(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    @property
    def grpc_endpoint(self) -> str:
        return f"127.0.0.1:{self._ports[1]}"

    @property
    def requests(self) -> list[LoggedRequest]:
        """Every request so far, in the order of arrival."""
        return list(self._service.requests)

    @property
    def breaches(self) -> list[str]:
        """What was served although a careful client does not ask it."""
        return list(self._service.breaches)

    @property
    def faults_are_done(self) -> bool:
        """Whether every planned fault has struck."""
        return self._service.faults.is_done and self._service.tail_faults.is_done

    def busiest_minute(self) -> int:
        """The most requests for pages in any 60 seconds of the clock; the quota is 60."""
        times = sorted(request.at for request in self._service.requests if request.method != "tail")
        return max((bisect_left(times, at + 60) - start for start, at in enumerate(times)), default=0)
