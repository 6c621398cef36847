"""Scenarios: the records of an invented service as in an export, and the truth that a fair expert finds in them.

Times are integers, nanoseconds after the scenario's start. The shapes are those of real exports: `insertId` of 24 hex
digits (those of a request carry its end), a request's `timestamp` at its start, application lines without severity,
audit entries with an empty revision label, refusals by the platform without an instance.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND

Record = dict[str, Any]

PROJECT = "acme-shop"
SERVICE = "orders-api"
REVISION = "orders-api-00017-xyz"
EPOCH = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)
_AUDIT_TYPE = "type.googleapis.com/google.cloud.audit.AuditLog"
_HELP = "Additional troubleshooting documentation can be found at: https://cloud.google.com/run/docs/troubleshooting"
MALFORMED = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an error. "
    f"{_HELP}#malformed-response-or-connection-error"
)
MALFORMED_OOM = (
    f"{MALFORMED}\nWhile handling this request, the container instance was found to be using too much memory and was "
    "terminated. This is likely to cause a new container instance to be used for the next request to this revision."
)
NO_INSTANCE = f"The request was aborted because there was no available instance. {_HELP}#abort-request"
NOT_AUTHENTICATED = (
    "The request was not authenticated. Either allow unauthenticated invocations or set the proper Authorization "
    "header. Read more at https://cloud.google.com/run/docs/securing/authenticating"
)
NOT_LISTENING = (
    "Ready condition status changed to False for Revision {revision} with message: The user-provided container failed "
    "to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated "
    "timeout. This can happen when the container port is misconfigured or if the timeout is too short."
)


@dataclass(frozen=True)
class Expected:
    """A why, named by its cluster (signature, or the type of an unknown exception) and a part of its question."""

    cluster: str
    ask: str | int
    verdicts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a fair expert finds in a scenario."""

    root: str | None
    """Signature or exception type to be ranked first; None: these entries show no failure."""
    explains: dict[tuple[str, str], int] = field(default_factory=dict)
    """(cause, symptom) → occurrences of the symptom that the cause explains; 0: no link may be drawn."""
    occurrences: dict[str, int] = field(default_factory=dict)
    """How often a thing happened, by signature or exception type."""
    incidents: int | None = None
    whys: tuple[Expected, ...] = ()
    never: tuple[str, ...] = ()
    """Sentences that no document may hold."""
    said: tuple[str, ...] = ()
    """What the documents have to say, as about coverage."""


@dataclass(frozen=True)
class Scenario:
    """Records in the order of their export, the query, and the truth."""

    name: str
    story: str
    records: tuple[Record, ...]
    revision: str
    truth: Truth
    cause: Callable[[Record], bool] | None = None
    """Tells the entries of the root cause from all others, for mutations; None where there is no cause."""


def iso(at: int, digits: int = 6) -> str:
    """Write nanoseconds after the start as RFC 3339, UTC."""
    seconds, nanos = divmod(at, SECOND)
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanos:09d}"[: 20 + digits] + "Z"


class World:
    """Writes records event by event; the same name gives the same records."""

    def __init__(self, name: str, revision: str = REVISION) -> None:
        self.name = name
        self.rng = random.Random(name)  # noqa: S311 - seeded randomness is wanted
        self.revision = revision
        self.records: list[Record] = []

    def hex(self, digits: int) -> str:
        """Return a random number in hex."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def between(self, low: int, high: int) -> int:
        """Return a random number, both ends included."""
        return self.rng.randint(low, high)

    def trace(self) -> str:
        """Invent a trace."""
        return f"projects/{PROJECT}/traces/{self.hex(32)}"

    def instance(self) -> str:
        """Invent an instance."""
        return "0069c7a988" + self.hex(54)

    def started(self, at: int, *, reason: str = "AUTOSCALING") -> str:
        """Start an instance whose port opens; return it."""
        one = self.instance()
        self.starting(one, at, reason=reason)
        text = f'Default STARTUP TCP probe succeeded after 1 attempt for container "{SERVICE}-1" on port 8080.'
        self.system(one, at + 1800 * MILLISECOND + self.between(0, 90) * MILLISECOND, text)
        return one

    def starting(self, instance: str, at: int, *, reason: str = "AUTOSCALING") -> None:
        """Write that the platform starts an instance."""
        self.system(instance, at, f"Starting new instance. Reason: {reason} - Instance started by the platform.")

    def probe_failed(self, instance: str, at: int, status: str = "CANCELLED") -> None:
        """Write that the port was not opened."""
        text = f'Default STARTUP TCP probe failed 1 time consecutively for container "{SERVICE}-1" on port 8080.'
        self.system(
            instance, at, f"{text} The instance was not started.\nConnection failed with status {status}.", "ERROR"
        )

    def exit(self, instance: str, at: int, code: int) -> None:
        """Write that the process ended."""
        self.system(instance, at, f"Container called exit({code}).", "WARNING" if code else "INFO")

    def system(self, instance: str, at: int, text: str, severity: str = "INFO") -> None:
        """Write a line of the platform about an instance."""
        self._add("run.googleapis.com%2Fvarlog%2Fsystem", at, instance, severity, textPayload=text)

    def line(
        self, instance: str, at: int, text: str, severity: str | None = None, *, stream: str = "stderr", trace: str = ""
    ) -> None:
        """Write a line of the application; most have no severity."""
        more: Record = {"trace": trace} if trace else {}
        self._add(f"run.googleapis.com%2F{stream}", at, instance, severity, textPayload=text, **more)

    def payload(
        self, instance: str, at: int, severity: str | None, payload: Record, *, stream: str = "stderr", trace: str = ""
    ) -> None:
        """Write a structured line of the application."""
        more: Record = {"trace": trace} if trace else {}
        self._add(f"run.googleapis.com%2F{stream}", at, instance, severity, jsonPayload=payload, **more)

    def traceback(self, instance: str, at: int, text: str, *, split: bool = False, trace: str = "") -> None:
        """Write a traceback: as one ERROR entry, or its first line so and the others one by one, without severity."""
        if not split:
            self.line(instance, at, text, "ERROR", trace=trace)
            return
        for number, one in enumerate(text.split("\n")):
            self.line(instance, at + number * 11_000, one, None if number else "ERROR", trace=trace)

    def request(
        self,
        instance: str,
        end: int,
        latency: int,
        path: str,
        status: int,
        *,
        method: str = "GET",
        text: str | None = None,
        trace: str = "",
    ) -> str:
        """Write a request, at its start as Cloud Logging does; return its trace. Without an instance: refused."""
        severity = {1: None, 4: "WARNING", 5: "ERROR"}.get(status // 100, "INFO")
        http = {
            "latency": f"{latency // SECOND}.{latency % SECOND:09d}s" if latency else "0s",
            "protocol": "HTTP/1.1",
            "remoteIp": f"203.0.113.{self.between(2, 250)}",
            "requestMethod": method,
            "requestSize": str(self.between(380, 2400)),
            "requestUrl": f"https://orders.example.com{path}",
            "responseSize": str(self.between(120, 9000)),
            "status": status,
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
        }
        trace = trace or self.trace()
        more: Record = {"httpRequest": http, "spanId": self.hex(16), "trace": trace}
        if text:
            more["textPayload"] = text
        self._add("run.googleapis.com%2Frequests", end - latency, instance, severity, end=end, **more)
        return trace

    def healthy(self, instances: list[str], start: int, end: int, count: int, path: str = "/api/orders") -> None:
        """Write requests that are answered, with the access lines of the server, evenly spread with some jitter."""
        for number in range(count):
            at = start + (end - start) * number // count + self.between(0, 40) * MILLISECOND
            one = instances[number % len(instances)]
            self.request(one, at, self.between(12, 160) * MILLISECOND, path, 200)
            text = f'INFO:     169.254.169.126:{self.between(1000, 60000)} - "GET {path} HTTP/1.1" 200 OK'
            self.line(one, at - MILLISECOND, text, stream="stdout")

    def deploy(self, asked: int, ready: int, *, failed: str | None = None, code: int = 9) -> None:
        """Write the audit entries of a deployment: asked for, and how it went."""
        name = f"namespaces/{PROJECT}/services/{SERVICE}"
        image = f"europe-docker.pkg.dev/{PROJECT}/shop/{SERVICE}:{self.revision[-3:]}"
        template = {"metadata": {"name": self.revision}, "spec": {"containers": [{"image": image}]}}
        service = {"metadata": {"name": SERVICE}, "spec": {"template": template}}
        self._audit(
            asked,
            "activity",
            "NOTICE",
            {
                "authenticationInfo": {"principalEmail": "deployer@acme-shop.iam.gserviceaccount.com"},
                "methodName": "google.cloud.run.v1.Services.ReplaceService",
                "resourceName": name,
                "request": {"service": service},
            },
        )
        ready_text = f"Ready condition status changed to True for Revision {self.revision} with message: "
        good = f"{ready_text}Deploying revision succeeded in 7.31s."
        status = {"code": code, "message": failed} if failed else {"message": good}
        revision = {"metadata": {"name": self.revision}, "spec": template["spec"]}
        self._audit(
            ready,
            "system_event",
            "ERROR" if failed else "INFO",
            {
                "methodName": "/Services.ReplaceService",
                "resourceName": f"namespaces/{PROJECT}/revisions/{self.revision}",
                "response": revision | {"kind": "Revision"},
                "status": status,
            },
        )

    def job_verdict(self, at: int, text: str) -> None:
        """Write the audit entry with which an execution of a job ends."""
        proto = {
            "methodName": "/Jobs.RunJob",
            "resourceName": f"namespaces/{PROJECT}/executions/nightly-import-x7k2p",
            "status": {"code": 10, "message": text},
        }
        self._audit(at, "system_event", "ERROR", proto)

    def as_job(self) -> None:
        """Turn everything so far into entries of a job."""
        for record in self.records:
            labels = {"job_name": "nightly-import", "location": "europe-west1", "project_id": PROJECT}
            record["resource"] = {"type": "cloud_run_job", "labels": labels}
            if "labels" in record:
                record["labels"]["run.googleapis.com/execution_name"] = "nightly-import-x7k2p"

    def newest_first(self) -> tuple[Record, ...]:
        """Return the records as `gcloud logging read` gives them."""
        return tuple(sorted(self.records, key=lambda r: (r["timestamp"], r["insertId"]), reverse=True))

    def without(self, *streams: str) -> None:
        """Forget what was written to some logs."""
        self.records = [r for r in self.records if not r["logName"].endswith(streams)]

    def _audit(self, at: int, log: str, severity: str, proto: Record) -> None:
        payload = {"@type": _AUDIT_TYPE, "serviceName": "run.googleapis.com"} | proto
        self._add(f"cloudaudit.googleapis.com%2F{log}", at, "", severity, protoPayload=payload)
        record = self.records[-1]
        record["insertId"] = self.hex(11)
        record["resource"]["labels"] |= {"revision_name": "", "configuration_name": ""}

    def _add(
        self, log: str, at: int, instance: str, severity: str | None, *, end: int | None = None, **more: Any
    ) -> None:
        moment = at if end is None else end
        seconds, nanos = divmod(round(EPOCH.timestamp()) * SECOND + moment, SECOND)
        record: Record = {
            "insertId": f"{seconds:08x}{nanos // 1000:08x}{self.hex(8)}",
            "logName": f"projects/{PROJECT}/logs/{log}",
            "receiveTimestamp": iso(moment + self.between(40, 420) * MILLISECOND, 9),
            "resource": {
                "type": "cloud_run_revision",
                "labels": {
                    "configuration_name": SERVICE,
                    "location": "europe-west1",
                    "project_id": PROJECT,
                    "revision_name": self.revision,
                    "service_name": SERVICE,
                },
            },
            "timestamp": iso(at),
        }
        if instance:
            record["labels"] = {"instanceId": instance}
        if severity:
            record["severity"] = severity
        self.records.append(record | more)
