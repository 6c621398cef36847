"""Measure speed and memory of a pull into a case, over REST and over gRPC.

python benchmarks/pull.py --entries 50000 200000
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from forensics.cases import Case, verify
from forensics.cloud.connection import Access, connect
from forensics.cloud.filters import Target, TimeSpan
from forensics.cloud.pacing import Backoff, Pacer
from forensics.cloud.pages import PageReader
from forensics.model import Nanoseconds
from forensics.pulling import NoObserver, PullRequest, pull as fill
from forensics.text.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from forensics.cases import PullRecord
    from forensics.cloud.pages import Page

START = parse_time("2026-05-01T00:00:00Z")
SPAN = TimeSpan(START, Nanoseconds(START + 86_400 * SECOND))
TARGET = Target(revision="backend-00042", service="backend", location="us-central1", project="p")
NO_PACE = 10**9
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Measure how fast a pull brings entries into a case.")
    parser.add_argument("--entries", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--transport", nargs="+", choices=["rest", "grpc"], default=["rest", "grpc"])
    parser.add_argument("--profile", action="store_true", help="say where the time goes; slower")
    arguments = parser.parse_args()
    print("| transport | entries | MB | s | CPU s | entries/s | peak MiB |\n|---|---:|---:|---:|---:|---:|---:|")
    for count in arguments.entries:
        server, endpoints = _start_server(count)
        for transport in arguments.transport:
            measured = [_measure(endpoints[transport], profiled=arguments.profile) for _ in range(arguments.runs)]
            seconds, processor, entries, size, peak = min(measured)
            if entries != count:
                raise SystemExit(f"{transport}: {entries:,} entries of {count:,} arrived")
            size_and_time = (transport, f"{count:,}", f"{size / 1e6:.0f}", f"{seconds:.2f}", f"{processor:.2f}")
            pace_and_peak = (f"{count / seconds:,.0f}", f"{peak / 1024:.0f}")
            print("|", " | ".join(size_and_time + pace_and_peak), "|", flush=True)
        server.terminate()
        server.join()


def _start_server(count: int) -> tuple[multiprocessing.process.BaseProcess, dict[str, str]]:
    """Serve entries from a process of their own; return it and its endpoint by transport."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(count, theirs), daemon=True)
    process.start()
    theirs.close()  # so that its end is seen
    return process, ours.recv()


def _serve(count: int, pipe: Connection) -> None:
    from cloud.server import CloudServer  # noqa: PLC0415 - it stays out of the process that is measured

    with CloudServer(_entries(count)) as server:
        server.encode_for_grpc()
        pipe.send({"rest": server.rest_endpoint, "grpc": server.grpc_endpoint})
        time.sleep(3600)


def _entries(count: int) -> Iterator[dict[str, Any]]:
    """Make entries of about 1.2 kB: 70 % requests, 10 % structured errors with a traceback, 20 % lines of text."""
    from cloud.samples import make_entry  # noqa: PLC0415 - as in _serve

    random = Random(42)
    for number in range(count):
        entry = make_entry(number)
        entry["resource"]["labels"] |= {"project_id": "p", "configuration_name": "backend"}
        entry["labels"] = {"instanceId": f"{random.getrandbits(800):0200x}"}
        entry["trace"] = f"projects/p/traces/{random.getrandbits(128):032x}"
        entry["spanId"] = f"{random.getrandbits(64):016x}"
        kind = random.choices(("request", "error", "text"), (7, 1, 2))[0]
        if kind == "request":
            del entry["textPayload"]
            entry["httpRequest"] = _request(random)
        elif kind == "error":
            del entry["textPayload"]
            entry["jsonPayload"] = _error(number)
        else:
            entry["textPayload"] = f"order {number} was packed; " * 15
        yield entry


def _request(random: Random) -> dict[str, Any]:
    return {
        "requestMethod": "GET",
        "requestUrl": f"https://backend.example.com/orders/{random.getrandbits(64):016x}?expand=items,customer",
        "requestSize": str(random.randrange(400, 2000)),
        "status": 200,
        "responseSize": str(random.randrange(400, 90_000)),
        "userAgent": AGENT,
        "remoteIp": "203.0.113.7",
        "serverIp": "203.0.113.9",
        "latency": f"0.{random.randrange(10**9):09d}s",
        "protocol": "HTTP/1.1",
    }


def _error(number: int) -> dict[str, Any]:
    return {
        "message": f"order {number} failed: " + "Traceback (most recent call last):\n  File app.py, line 7\n" * 8,
        "logger": "backend.orders",
        "lineno": 118,
        "context": {"attempt": 2, "ratio": 0.5, "tags": ["paid", "late"], "customer": None, "vip": False},
    }


def _measure(endpoint: str, *, profiled: bool) -> tuple[float, float, int, int, int]:
    """Pull everything in a new process; return seconds, processor seconds, entries, bytes, and the peak in KiB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_pull, args=(endpoint, theirs, profiled))
    process.start()
    theirs.close()  # so that its end is seen
    measured: tuple[float, float, int, int, int] = ours.recv()
    process.join()
    return measured


class _SizeCounter(NoObserver):
    """Counts the bytes that are written."""

    size = 0

    def turns(self, record: PullRecord, page: Page) -> None:
        del record
        self.size += sum(map(len, page.entries))


def _pull(endpoint: str, pipe: Connection, profiled: bool) -> None:  # noqa: FBT001 - a process's argument
    folder = Path(tempfile.mkdtemp(prefix="pull-"))
    counter = _SizeCounter()
    transport = connect(Access(project="p", endpoint=endpoint), {})
    pacer = Pacer(time.monotonic, time.sleep, NO_PACE)
    reader = PageReader(transport, pacer=pacer, backoff=Backoff(Random(0)), sleep=time.sleep)
    with Case.create(folder / "case") as case:
        began, began_processor = time.perf_counter(), time.process_time()
        order = PullRequest(target=TARGET, span=SPAN, transport=transport.transport)
        if profiled:
            import cProfile  # noqa: PLC0415 - not in a run that counts

            with cProfile.Profile() as profile:
                fill(case, reader, order, counter, "2026-05-02T00:00:00Z")
            profile.print_stats("tottime")
        else:
            fill(case, reader, order, counter, "2026-05-02T00:00:00Z")
        seconds, processor = time.perf_counter() - began, time.process_time() - began_processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        entries = case.manifest.entries
    problems = verify(folder / "case")
    shutil.rmtree(folder)
    if problems:
        raise SystemExit("\n".join(problems))
    pipe.send((seconds, processor, entries, counter.size, peak))


if __name__ == "__main__":
    main()
