"""LoggingServiceV2 without a wire: a question in, a page out, by the contract, the plan of faults and the store."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cloud.contract import Question, RefusedError, check_question, check_scope, invalid, read_token, write_token
from cloud.faults import Cut, EmptyPage, ExpiredToken, Failure, Fault, FaultPlan, RepeatedEntries, ShortPage, Slow
from cloud.filters import Filter, parse_filter
from cloud.store import Kept, Store, find_start

if TYPE_CHECKING:
    from collections.abc import Callable

Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One line of the request log."""

    at: float
    method: str
    """`rest`, `grpc` or `tail`."""
    resource_names: tuple[str, ...]
    filter: str
    order_by: str = ""
    page_size: int = 0
    page_token: str = ""
    status: str = "OK"
    """What the request was answered with, as far as it was known before the page went out."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer; `is_cut` asks the transport to break off in its middle."""

    entries: list[Kept]
    token: str
    is_cut: bool = False


class Service:
    """Answers questions and keeps the request log."""

    def __init__(self, store: Store, faults: FaultPlan, tail_faults: FaultPlan, clock: Callable[[], float]) -> None:
        self.store = store
        self.faults = faults
        self.tail_faults = tail_faults
        self.clock = clock
        self.requests: list[LoggedRequest] = []
        self.breaches: list[str] = []
        self.stopping = threading.Event()
        self._expired: set[str] = set()
        self._lock = threading.Lock()

    def list_entries(self, question: Question, method: str) -> Page:
        """The page that this question asks for; RefusedError when there is none."""
        line = LoggedRequest(
            at=self.clock(),
            method=method,
            resource_names=question.resource_names,
            filter=question.filter,
            order_by=question.order_by,
            page_size=question.page_size,
            page_token=question.page_token,
        )
        return self._logged(line, lambda: self._answer(question, line.at))

    def open_tail(self, resource_names: tuple[str, ...], filter_text: str) -> tuple[Filter, Fault | None]:
        """The filter of a new tail and what will go wrong with it; RefusedError when it must not start."""
        line = LoggedRequest(at=self.clock(), method="tail", resource_names=resource_names, filter=filter_text)

        def start() -> tuple[Filter, Fault | None]:
            check_scope(resource_names, filter_text)
            wanted = parse_filter(filter_text)
            fault = self.tail_faults.take(line.at)
            if isinstance(fault, Failure):
                raise fault.to_error()
            return wanted, fault

        return self._logged(line, start)

    def refuse(self, error: RefusedError, method: str) -> RefusedError:
        """The same error, written to the log: a request that could not even be read."""
        line = LoggedRequest(at=self.clock(), method=method, resource_names=(), filter="", status=error.status)
        with self._lock:
            self.requests.append(line)
        return error

    def _logged(self, line: LoggedRequest, answer: Callable[[], Reply]) -> Reply:
        with self._lock:
            number = len(self.requests)
            self.requests.append(line)
        try:
            return answer()
        except RefusedError as error:
            with self._lock:
                self.requests[number] = replace(line, status=error.status)
            raise

    def _answer(self, question: Question, now: float) -> Page:
        check_question(question)
        if not parse_filter(question.filter).is_bounded:
            self.breaches.append(f"no bounds of time on both sides: {question.filter!r}")
        after = read_token(question)
        fault = self.faults.take(now, has_token=bool(question.page_token))
        if isinstance(fault, Failure):
            raise fault.to_error()
        if isinstance(fault, ExpiredToken):
            self._expired.add(question.page_token)
        if question.page_token in self._expired:
            raise invalid("page_token has expired")
        if isinstance(fault, Slow):
            self.stopping.wait(fault.seconds)
        found = self.store.find(question)
        return _cut_page(question, found, find_start(found, after, newest_first=question.newest_first), fault)


def _cut_page(question: Question, found: list[Kept], start: int, fault: Fault | None) -> Page:
    """The entries from `start` on, as many as the page and the fault allow, and the token of what follows them."""
    length = question.length
    if isinstance(fault, ShortPage):
        length = min(length, fault.length)
    first = max(0, start - fault.count) if isinstance(fault, RepeatedEntries) else start
    end = min(len(found), max(start, first + length))
    if isinstance(fault, EmptyPage):
        first = end = start
    token = write_token(question, _last_place(question, found, end)) if end < len(found) else ""
    if isinstance(fault, EmptyPage):
        token = write_token(question, _last_place(question, found, start))
    entries = found[len(found) - end : len(found) - first][::-1] if question.newest_first else found[first:end]
    return Page(entries, token, isinstance(fault, Cut))


def _last_place(question: Question, found: list[Kept], served: int) -> tuple[int, str, int]:
    """The place of the last entry of so many served; before the first there is a place of no entry."""
    if served == 0:
        return (1 << 63, "", 0) if question.newest_first else (-(1 << 63), "", 0)
    return found[-served].place if question.newest_first else found[served - 1].place
