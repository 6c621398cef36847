"""Whole pulls into a case in this process, at a clock that passes only when somebody sleeps."""

from __future__ import annotations

import json
import time
from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from cloud import samples

from forensics.cases import Case
from forensics.cloud.connection import Access, connect
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.model import Nanoseconds
from forensics.pulling import NoObserver, PullRequest, find_target, pull as fill
from forensics.text.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from forensics.cases import PullRecord
    from forensics.cloud.pages import Page

START = parse_time("2026-05-01T00:00:00Z")
SPAN = TimeSpan(START, Nanoseconds(START + 86_400 * SECOND))
ASKED = Target(revision="backend-00042", project="p")

over_both = pytest.mark.parametrize("transport", ["rest", "grpc"])


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class HurriedClock(Clock):
    """A tenth of a second really passes as well: less than that gRPC does not wait before it connects again."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(0.1)


class Teller(NoObserver):
    """Tells of pages alone."""

    def __init__(self, told: Callable[[Page], object]) -> None:
        self._told = told

    def turns(self, record: PullRecord, page: Page) -> None:
        del record
        self._told(page)


def make_entry(number: int, **fields: Any) -> dict[str, Any]:
    """An entry of the revision; three share a timestamp, so that pages end between equal ones."""
    entry = samples.make_entry(number, timestamp=samples.moment(number // 3), **fields)
    entry["resource"]["labels"]["project_id"] = "p"
    return entry


def pull(
    endpoint: str,
    folder: Path,
    clock: Clock | None = None,
    told: Callable[[Page], object] = str,
    span: TimeSpan = SPAN,
) -> None:
    """What `forensics pull` does without bounds, with the default pace at this clock."""
    clock = clock or Clock()
    with closing(connect(Access(project="p", endpoint=endpoint), {})) as transport:
        pacer, backoff = Pacer(clock, clock.sleep), Backoff(Random(0))  # noqa: S311 - nothing secret
        reader = PageReader(transport, pacer=pacer, backoff=backoff, sleep=clock.sleep)
        target = find_target(reader, ASKED, span, lambda *_: None)
        is_there = (folder / "manifest.json").exists()
        with Case.open(folder) if is_there else Case.create(folder) as case:
            order = PullRequest(target=target, span=span, is_open=True, transport=transport.transport)
            fill(case, reader, order, Teller(told), "2026-05-02T00:00:00Z")


def entries_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Case.look(folder).lines()]


def ids_of(folder: Path) -> list[str]:
    return [entry["insertId"] for entry in entries_of(folder)]
