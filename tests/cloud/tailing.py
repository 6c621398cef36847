"""What a tail delivers: the entries that arrive after it was opened, and what the plan of faults adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloud.contract import RefusedError
from cloud.faults import BrokenStream, Fault, Suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloud.service import Service
    from cloud.store import Kept

_LONGEST_WAIT = 0.02
"""Seconds until a tail looks whether its client is still there."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a tail: entries, or how many were suppressed and why."""

    entries: list[Kept]
    suppressed: int = 0
    reason: str = ""


def follow(
    service: Service, resource_names: tuple[str, ...], filter_text: str, is_active: Callable[[], bool]
) -> Iterator[Delivery]:
    """Deliver until the client is gone or the plan breaks the stream (RefusedError)."""
    seen = len(service.store.arrived)
    wanted, fault = service.open_tail(resource_names, filter_text)
    owners = {"/".join(name.split("/")[:2]) for name in resource_names}
    delivered = 0
    while is_active() and not service.stopping.is_set():
        arrived = _wait(service, seen)
        seen += len(arrived)
        passed = [kept for kept in arrived if kept.owner in owners and wanted.test(kept.entry)]
        for delivery in _split(passed, fault, delivered):
            yield delivery
            delivered += len(delivery.entries)
            fault = None if delivery.suppressed else fault
        if isinstance(fault, BrokenStream) and delivered >= fault.after:
            raise RefusedError(fault.failure.status, fault.failure.message, list(fault.failure.details))
    if service.stopping.is_set():  # or else a tail that ends by itself could be quicker than the server's stop
        raise RefusedError("UNAVAILABLE", "Socket closed")


def _wait(service: Service, seen: int) -> list[Kept]:
    with service.store.changed:
        if len(service.store.arrived) == seen:
            service.store.changed.wait(_LONGEST_WAIT)
        return service.store.arrived[seen:]


def _split(passed: list[Kept], fault: Fault | None, delivered: int) -> Iterator[Delivery]:
    """Entries that passed, as one message or as two around the point where the fault strikes."""
    if not isinstance(fault, Suppressed | BrokenStream):
        rest = passed
    else:
        left = max(0, fault.after - delivered)
        if passed[:left]:
            yield Delivery(passed[:left])
        if isinstance(fault, BrokenStream):
            return
        rest = passed[left:]
        if len(passed) >= left:
            yield Delivery([], fault.count, fault.reason)
    if rest:
        yield Delivery(rest)
