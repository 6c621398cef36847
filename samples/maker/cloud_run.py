"""Turn the events of a service into Cloud Logging entries, as `gcloud logging read` prints them.

Times are integers, microseconds since 1970. The shapes follow real exports: `insertId` of 24 hex digits (8 seconds, 8
microseconds, 8 random; for a request those of its end), a request's `timestamp` at its start, lines of the application
without severity, audit entries whose revision labels are empty.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND

Entry = dict[str, Any]

STARTS = {
    "deploy": (
        "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions"
        " due to deployment, traffic split adjustment, or deployment health check."
    ),
    "load": (
        "Starting new instance. Reason: AUTOSCALING - Instance started due to configured scaling factors (e.g. CPU"
        " utilization, request throughput, etc.) or no existing capacity for current traffic."
    ),
    "minimum": (
        "Starting new instance. Reason: MANUAL_OR_CUSTOMER_MIN_INSTANCE - Instance started because of"
        " customer-configured min-instances or manual scaling."
    ),
}
_SEVERITIES = {2: "INFO", 3: "INFO", 4: "WARNING", 5: "ERROR"}
"""First digit of the status → severity; an upgrade to a WebSocket (101) has none."""
MALFORMED = (
    "The request failed because either the HTTP response was malformed or connection to the instance had an error."
    " Additional troubleshooting documentation can be found at:"
    " https://cloud.google.com/run/docs/troubleshooting#malformed-response-or-connection-error"
)


def moment(text: str) -> int:
    """Return the microseconds of an ISO time in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def iso(at: int, digits: int = 6) -> str:
    """Return an RFC 3339 time in UTC."""
    seconds, micros = divmod(at, SECOND)
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{micros:06d}{'0' * (digits - 6)}Z"


def clock(at: int) -> str:
    """Return a time as gunicorn prints it."""
    return iso(at)[:19].replace("T", " ")


@dataclass(frozen=True)
class Service:
    """A Cloud Run service."""

    project: str
    name: str
    region: str
    host: str
    port: int
    namespace: str


@dataclass(frozen=True)
class Instance:
    """One instance of a revision."""

    revision: str
    id: str


@dataclass
class Recorder:
    """Records entries, one list per file."""

    service: Service
    seed: str
    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def hex(self, digits: int) -> str:
        """Return a random number in hex."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def between(self, low: int, high: int) -> int:
        """Return a random number of microseconds, both ends included."""
        return self.rng.randint(low, high)

    def instance(self, revision: str) -> Instance:
        """Invent an instance."""
        return Instance(revision, "0069c7a988" + self.hex(86))

    def text(self, instance: Instance, at: int, text: str, stream: str = "stderr", severity: str | None = None) -> None:
        """Write a line of the application."""
        self._add(stream, self._entry(at, instance, f"run.googleapis.com%2F{stream}", severity) | {"textPayload": text})

    def record(
        self, instance: Instance, at: int, severity: str, payload: Mapping[str, Any], stream: str = "stderr"
    ) -> None:
        """Write a structured line of the application."""
        entry = self._entry(at, instance, f"run.googleapis.com%2F{stream}", severity)
        self._add(stream, entry | {"jsonPayload": dict(payload)})

    def system(self, instance: Instance, at: int, text: str, severity: str = "INFO") -> None:
        """Write a line of the platform about an instance."""
        entry = self._entry(at, instance, "run.googleapis.com%2Fvarlog%2Fsystem", severity)
        self._add("system", entry | {"textPayload": text})

    def probe_succeeded(self, instance: Instance, at: int) -> None:
        """Write that the default start-up probe found the port open."""
        name, port = f"{self.service.name}-1", self.service.port
        text = f'Default STARTUP TCP probe succeeded after 1 attempt for container "{name}" on port {port}.'
        self.system(instance, at, text)

    def exit(self, instance: Instance, at: int, code: int) -> None:
        """Write that the container's process ended."""
        self.system(instance, at, f"Container called exit({code}).", "WARNING" if code else "INFO")

    def request(
        self,
        instance: Instance,
        end: int,
        latency: int,
        line: str,
        status: int,
        *,
        agent: str = "Mozilla/5.0 (X11; Linux x86_64)",
        text: str | None = None,
    ) -> None:
        """Write a request's entry; `line` is `GET /path`. Its time is the start, its insertId that of the end."""
        method, path = line.split(" ", 1)
        severity = _SEVERITIES.get(status // 100)
        entry = self._entry(end - latency, instance, "run.googleapis.com%2Frequests", severity, end)
        http = {
            "latency": f"{latency // SECOND}.{latency % SECOND:06d}{self.rng.randint(0, 999):03d}s",
            "protocol": "HTTP/1.1",
            "remoteIp": f"203.0.113.{self.rng.randint(2, 250)}",
            "requestMethod": method,
            "requestSize": str(self.rng.randint(380, 2400)),
            "requestUrl": f"https://{self.service.host}{path}",
            "responseSize": str(self.rng.randint(120, 9000)),
            "serverIp": "198.51.100.7",
            "status": status,
            "userAgent": agent,
        }
        trace = f"projects/{self.service.project}/traces/{self.hex(32)}"
        entry |= {"httpRequest": http, "spanId": self.hex(16), "trace": trace}
        self._add("requests", entry | ({"textPayload": text} if text else {}))

    def deploy(self, revision: str, asked: int, ready: int, *, image: str, env: Mapping[str, str], by: str) -> None:
        """Write the three audit entries of a deploy that succeeds: asked, revision ready, service ready."""
        body = _service_body(self.service, revision, image, env)
        prefix = f"namespaces/{self.service.project}"
        request = {"name": f"{prefix}/services/{self.service.name}", "service": body}
        self._audit(
            asked,
            "activity",
            {
                "authenticationInfo": {"principalEmail": by},
                "methodName": "google.cloud.run.v1.Services.ReplaceService",
                "resourceName": f"{prefix}/services/{self.service.name}",
                "request": request | {"@type": "type.googleapis.com/google.cloud.run.v1.ReplaceServiceRequest"},
            },
        )
        took = f" with message: Deploying revision succeeded in {(ready - asked) / SECOND:.2f}s"
        for at, kind, name, more in (
            (ready, "Revision", revision, took),
            (ready + 41 * MILLISECOND, "Service", self.service.name, ""),
        ):
            meta = {"name": name, "namespace": self.service.namespace}
            response = {"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": meta, "spec": body["spec"]}
            self._audit(
                at,
                "system_event",
                {
                    "methodName": "/Services.ReplaceService",
                    "resourceName": f"{prefix}/{kind.lower()}s/{name}",
                    "response": response,
                    "status": {"message": f"Ready condition status changed to True for {kind} {name}{more}."},
                },
            )

    def lines(self) -> dict[str, str]:
        """Return the content of each file, newest entry first."""
        return {
            name: "".join(_line(e) for e in sorted(group, key=lambda e: (e["timestamp"], e["insertId"]), reverse=True))
            for name, group in sorted(self.entries.items())
        }

    def _audit(self, at: int, log: str, payload: Mapping[str, Any]) -> None:
        severity = "NOTICE" if log == "activity" else "INFO"
        entry = self._entry(at, Instance("", ""), f"cloudaudit.googleapis.com%2F{log}", severity)
        entry["insertId"] = self.hex(11)
        entry["resource"]["labels"]["configuration_name"] = ""
        del entry["labels"]
        proto = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "serviceName": "run.googleapis.com"}
        self._add("audit", entry | {"protoPayload": proto | dict(payload)})

    def _entry(self, at: int, instance: Instance, log: str, severity: str | None, end: int | None = None) -> Entry:
        seconds, micros = divmod(at if end is None else end, SECOND)
        labels = {
            "configuration_name": self.service.name,
            "location": self.service.region,
            "project_id": self.service.project,
            "revision_name": instance.revision,
            "service_name": self.service.name,
        }
        received = (at if end is None else end) + self.between(40 * MILLISECOND, 420 * MILLISECOND)
        entry: Entry = {
            "insertId": f"{seconds:08x}{micros:08x}{self.hex(8)}",
            "labels": {"instanceId": instance.id},
            "logName": f"projects/{self.service.project}/logs/{log}",
            "receiveTimestamp": iso(received, 9),
            "resource": {"labels": labels, "type": "cloud_run_revision"},
            "timestamp": iso(at),
        }
        return entry | ({"severity": severity} if severity else {})

    def _add(self, name: str, entry: Entry) -> None:
        self.entries[name].append(entry)


def _line(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"


def _service_body(service: Service, revision: str, image: str, env: Mapping[str, str]) -> dict[str, Any]:
    probe = {"failureThreshold": 1, "periodSeconds": 240, "tcpSocket": {"port": service.port}, "timeoutSeconds": 240}
    container = {
        "env": [{"name": name, "value": value} for name, value in env.items()],
        "image": image,
        "ports": [{"containerPort": service.port, "name": "http1"}],
        "resources": {"limits": {"cpu": "2", "memory": "2Gi"}},
        "startupProbe": probe,
    }
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": service.name, "namespace": service.namespace},
        "spec": {
            "template": {
                "metadata": {"name": revision},
                "spec": {"containerConcurrency": 80, "containers": [container], "timeoutSeconds": 300},
            },
            "traffic": [{"latestRevision": True, "percent": 100}],
        },
    }
