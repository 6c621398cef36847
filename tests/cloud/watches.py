"""A watch in a process of its own, and entries that are logged now."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from cloud.test_live import environment

from forensics.cases import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cloud.server import CloudServer

REVISION = "shop-api-00042-abc"
P0 = "TypeError: Object of type WebSocketState is not JSON serializable"
_numbers = count()


def entry(text: str, severity: str = "ERROR", revision: str = REVISION) -> dict[str, Any]:
    """An entry of this moment, different from all others."""
    labels = {"service_name": "shop-api", "revision_name": revision, "location": "us-central1", "project_id": "p"}
    return {
        "insertId": f"id{next(_numbers):06d}",
        "logName": "projects/p/logs/run.googleapis.com%2Fstderr",
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z",
        "severity": severity,
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "labels": {"instanceId": "i1"},
        "textPayload": text,
    }


def errors(number: int) -> list[dict[str, Any]]:
    return [entry(f"ValueError: no such order {one}") for one in range(number)]


def command(verb: str, endpoint: str, *more: str) -> list[str]:
    where = ("--project", "p", "--endpoint", endpoint, "--requests-per-minute", "600")
    return [sys.executable, "-m", "forensics", verb, "--revision", REVISION, *where, *more]


def run(folder: Path, *arguments: str) -> str:
    done = [sys.executable, "-m", "forensics", *arguments]
    return subprocess.run(done, check=True, capture_output=True, text=True, cwd=folder, env=environment()).stdout


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Watching:
    """`forensics watch` in a pipe, while its `with` block runs."""

    def __init__(self, server: CloudServer, folder: Path, *more: str, transport: str = "grpc") -> None:
        self.lines: list[str] = []
        self._folder = folder
        asked = command("watch", server.endpoint(transport), "--case", "case", *more)
        self.process = subprocess.Popen(
            asked, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
        )
        self.err = ""
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.end()

    def _read(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with self.process.stdout as out, self.process.stderr as err:
            for line in out:
                self.lines.append(line.rstrip("\n"))
            self.err = err.read()

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.out or self.process.poll() is not None)
        assert words in self.out, (self.out, self.err)

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=60)
        return code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask it to end, and wait until it has."""
        self.send(number)
        return self.end()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def out(self) -> str:
        return "\n".join(self.lines)

    @property
    def case(self) -> Case:
        return Case.look(self._folder / "case")

    def had(self) -> int:
        """Entries that the case holds at this moment."""
        return self.case.manifest.entries if (self._folder / "case" / "manifest.json").exists() else 0

    def ids(self) -> list[str]:
        return [json.loads(line)["insertId"] for line in self.case.lines()]

    def report(self) -> Any:
        return json.loads((self._folder / "forensics-reports" / REVISION / "report.json").read_text())
