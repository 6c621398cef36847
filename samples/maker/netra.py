"""The seed incident: three revisions of netra-backend-staging on one day, each met by a cycle of tests.

00178 and 00179 break WebSocket sessions with 1011 because an enum cannot be turned into JSON; 00180 nearly cures that
and breaks them in the factory of the WebSocket managers instead. Healthy sessions and requests run in between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maker import netra_words as words
from maker.cloud_run import MILLISECOND, MINUTE, SECOND, STARTS, Instance, Recorder, Service, clock, moment
from maker.junit import Result, junit
from maker.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE = Service("netra-staging", "netra-backend-staging", "us-central1", "api.example.com", 8000, "100000000000")

_TESTS = "tests.e2e.staging"
_SESSION, _EVENTS, _CHAT = (
    f"{_TESTS}.test_websocket_session.TestWebsocketSession",
    f"{_TESTS}.test_agent_events.TestAgentEvents",
    f"{_TESTS}.test_chat_flow.TestChatFlow",
)
_CLOSED = "websockets.exceptions.ConnectionClosedError"
_INTERNAL = f"{_CLOSED}: received 1011 (internal error) Internal error; then sent 1011 (internal error) Internal error"
_POLICY = (
    f"{_CLOSED}: received 1008 (policy violation) SSOT Auth failed; then sent 1008 (policy violation) SSOT Auth failed"
)
_FACTORY = (
    f"{_CLOSED}: received 1011 (internal error) Factory SSOT validation failed;"
    " then sent 1011 (internal error) Factory SSOT validation failed"
)
_ERRORS = {"state": _INTERNAL, "agent": _INTERNAL, "auth": _POLICY, "factory": _FACTORY}
_NAMES = (
    (_SESSION, "test_connects"),
    (_SESSION, "test_authenticates"),
    (_SESSION, "test_echoes_a_message"),
    (_SESSION, "test_survives_a_pause"),
    (_SESSION, "test_closes_cleanly"),
    (_EVENTS, "test_agent_starts"),
    (_EVENTS, "test_agent_thinks_aloud"),
    (_EVENTS, "test_tool_events_arrive"),
    (_EVENTS, "test_agent_completes"),
    (_EVENTS, "test_events_keep_their_order"),
    (_CHAT, "test_health"),
    (_CHAT, "test_thread_is_created"),
    (_CHAT, "test_message_is_stored"),
    (_CHAT, "test_two_users_stay_apart"),
    (_CHAT, "test_reply_streams"),
    (_CHAT, "test_history_is_read"),
)


@dataclass(frozen=True)
class Revision:
    """One revision: when it was deployed, what its sessions did, how its cycle of tests went.

    `tests` has one word for each of the sixteen tests: how its session fails, `ok`, or `skip` for one that passes
    without having run (0.000 s).
    """

    name: str
    digest: str
    deployed: str
    until: str
    cycle: str
    sessions: dict[str, int]
    tests: str


REVISIONS = (
    Revision(
        "netra-backend-staging-00178-w4k",
        "1f0c9a",
        "2025-09-08T13:52:10",
        "2025-09-08T14:44:00",
        "2025-09-08T14:10:00",
        {"ok": 10, "state": 21, "state500": 9, "agent": 4, "auth403": 2},
        "state state state ok state  state state state skip agent  ok state state state state ok",
    ),
    Revision(
        "netra-backend-staging-00179-gdb",
        "7be341",
        "2025-09-08T14:46:30",
        "2025-09-08T15:36:00",
        "2025-09-08T15:04:00",
        {"ok": 10, "state": 17, "state500": 8, "agent": 3, "auth403": 3},
        "state state ok state state  state skip state ok state  ok state ok state state ok",
    ),
    Revision(
        "netra-backend-staging-00180-jkl",
        "c25d08",
        "2025-09-08T15:38:20",
        "2025-09-08T16:30:00",
        "2025-09-08T15:55:00",
        {"ok": 12, "factory": 12, "factory500": 17, "auth403": 6, "auth": 6, "state": 3, "state500": 2},
        "factory auth ok factory ok  ok factory ok auth ok  ok ok factory ok state ok",
    ),
)
_WORKER_LOST = ("Worker (pid:14) exited with code 3", "Shutting down: Master", "Reason: Worker failed to boot.")
_LOST_WITH_IT = {"application-startup-failed": 1, "worker-failed-to-boot": len(_WORKER_LOST), "container-exit": 1}
"""Symptoms of a start-up that fails, with their entries."""
_UPTIME_CHECK = "GoogleStackdriverMonitoring-UptimeChecks(https://cloud.google.com/monitoring)"
_IMAGE = "us-central1-docker.pkg.dev/netra-staging/netra/backend-staging"
_ENVIRONMENT = {
    "ENVIRONMENT": "staging",
    "SERVICE_ID": "netra-backend",
    "E2E_TEST_USER": "e2e@example.com",
    "JWT_SECRET_STAGING": "not-a-secret-made-up-for-this-sample",
    "POSTGRES_PASSWORD": "not-a-password-made-up-for-this-sample",
    "DATABASE_URL": "postgresql://app:not-a-password@127.0.0.1:5432/netra_staging",
}
_HANDSHAKE_FAILED = 500
_UPGRADED = 101
_REFUSED = 403


@dataclass
class Incident:
    """The incident, written event by event."""

    log: Recorder = field(default_factory=lambda: Recorder(SERVICE, "netra-backend-staging"))
    truth: Truth = field(default_factory=Truth)
    cycles: list[str] = field(default_factory=list)
    number: int = 0

    def session(self, instance: Instance, end: int, kind: str, user: str, *, tested: bool = False) -> None:
        """Write one WebSocket session that ends, for its application, at `end`; a test's sessions are short."""
        self.number += 1
        status = {"500": _HANDSHAKE_FAILED, "403": _REFUSED}.get(kind[-3:], _UPGRADED)
        kind = kind.removesuffix("500").removesuffix("403")
        upgraded = status == _UPGRADED
        latency = self.log.between(350, 900) * MILLISECOND if upgraded else self.log.between(60, 290) * MILLISECOND
        if kind in {"ok", "agent"} and not tested:
            latency += self.log.between(4, 40) * SECOND
        # Applications log late: the request is over some milliseconds before the application says why.
        over = end - self.log.between(5, 25) * MILLISECOND
        self.log.request(instance, over, latency, "GET /ws", status, agent="Python/3.12 websockets/15.0.1")
        if upgraded:
            text = f'169.254.169.126:{self.log.between(2000, 60000)} - "WebSocket /ws" [accepted]'
            self._server_line(instance, over - latency + 31 * MILLISECOND, text)
        before = self.log.between(150, 400) if kind == "state" else self.log.between(20, 60) * MILLISECOND
        if kind != "agent":
            self.log.record(instance, end - before, "INFO", words.authentication())
        if kind == "auth":
            self.log.record(instance, end - before - 3 * MILLISECOND, "INFO", words.test_context())
        self._failure(instance, end, kind, status, user)

    def _failure(self, instance: Instance, end: int, kind: str, status: int, user: str) -> None:
        lines = {
            "ok": [],
            "state": words.serialization(self.number),
            "agent": words.agent_state(self.log.hex(8)),
            "auth": words.ssot_auth(user),
            "factory": words.factory(self.number, user),
        }[kind]
        for after, severity, payload in lines:
            self.log.record(instance, end + after, severity, payload)
        signature, group = {
            "ok": ("", ""),
            "state": ("websocket-1011-serialization", "WebSocketState"),
            "agent": ("websocket-1011-serialization", "DeepAgentState"),
            "auth": ("websocket-1008-ssot-auth", ""),
            "factory": ("factory-validation", ""),
        }[kind]
        if signature:
            self.truth.saw(instance.revision, signature, str(self.number), entries=len(lines), group=group)
        if status == _HANDSHAKE_FAILED:
            self._symptom(instance, signature, "http-5xx")
        if status == _REFUSED:
            self._symptom(instance, signature, "http-401-403")
            self._symptom(instance, signature, "connection-rejected-403", entries=2)
            at = end + self.log.between(2, 6) * MILLISECOND
            self._server_line(instance, at, f'169.254.169.126:{self.log.between(2000, 60000)} - "WebSocket /ws" 403')
            self._server_line(instance, at + 60, "connection rejected (403 Forbidden)")
            self._server_line(instance, at + 190, "connection closed")

    def _symptom(self, instance: Instance, cause: str, symptom: str, entries: int = 1) -> None:
        self.truth.saw(instance.revision, symptom, str(self.number), entries=entries)
        self.truth.linked(instance.revision, cause, symptom, str(self.number))

    def _server_line(self, instance: Instance, at: int, text: str, level: str = "INFO", pid: int = 14) -> None:
        self.log.text(instance, at, f"[{clock(at)} +0000] [{pid}] [{level}] {text}")

    def start(self, revision: str, at: int, reason: str = "deploy") -> Instance:
        """Write the start of an instance, until its application is loaded."""
        instance = self.log.instance(revision)
        self.log.system(instance, at, STARTS[reason])
        at += self.log.between(1900, 2600) * MILLISECOND
        for after, text in ((0, "Starting gunicorn 23.0.0"), (160, "Listening at: http://0.0.0.0:8000 (13)")):
            self._server_line(instance, at + after, text, pid=13)
        self.log.probe_succeeded(instance, at + 610)
        self._server_line(instance, at + 4000, "Booting worker with pid: 14")
        for gap, (signature, text) in enumerate(words.NOISE.items(), 1):
            payload = words.payload(text, "logging", "callHandlers")
            self.log.record(instance, at + SECOND + gap * 170 * MILLISECOND, "WARNING", payload)
            self.truth.saw(revision, signature, instance.id)
        return instance

    def ready(self, instance: Instance, at: int) -> None:
        """Write that the application is up."""
        text = "Application startup complete."
        self.log.record(instance, at, "INFO", words.payload(text, "uvicorn.error", "startup"))

    def failed_start(self, revision: str, at: int) -> None:
        """Write an instance whose application refuses to start: exit code 3."""
        instance = self.start(revision, at, "load")
        at += 9 * SECOND
        name = "netra_backend.app.smd"
        for after, (severity, text, function) in enumerate(words.STARTUP_FAILURE):
            self.log.record(instance, at + 3 * after * MILLISECOND, severity, words.payload(text, name, function))
            self.truth.saw(revision, "deterministic-startup-failure", instance.id)
        gone = words.payload("Application startup failed. Exiting.", "uvicorn.error", "startup")
        self.log.record(instance, at + 31 * MILLISECOND, "ERROR", gone)
        last = at + 420 * MILLISECOND
        for after, text in enumerate(_WORKER_LOST):
            self._server_line(instance, last + 350 * after, text, "ERROR", 13)
        self.log.exit(instance, last + 93 * MILLISECOND, 3)
        for symptom, entries in _LOST_WITH_IT.items():
            self.truth.saw(revision, symptom, instance.id, entries=entries)
            self.truth.linked(revision, "deterministic-startup-failure", symptom, instance.id)

    def stop(self, instance: Instance, at: int) -> None:
        """Write an orderly stop; its words resemble those of a failed start."""
        self.log.system(instance, at, "Shutting down user disabled instance")
        for after, text in enumerate(("Handling signal: term", "Worker exiting (pid: 14)", "Shutting down: Master")):
            self._server_line(instance, at + (1 + after) * 210 * MILLISECOND, text, pid=13)
        self.log.exit(instance, at + 900 * MILLISECOND, 0)

    def traffic(self, instances: Sequence[Instance], start: int, end: int) -> None:
        """Write uptime checks, API requests, and the usual warnings and 404s."""
        for number, at in enumerate(range(start, end, 47 * SECOND)):
            instance = instances[number % len(instances)]
            at += self.log.between(0, 3 * SECOND)  # noqa: PLW2901 - no clockwork
            self._http(instance, at, "GET /health", 200, _UPTIME_CHECK)
            if number % 3 == 0:
                line = ("GET /api/threads", "GET /api/agents", "POST /api/messages")[number // 3 % 3]
                self._http(instance, at + 7 * SECOND, line, 200)
                self.log.record(instance, at + 7 * SECOND, "INFO", words.missing_field(), "stdout")
            if number % 5 == 2:  # noqa: PLR2004 - now and then
                warning = words.payload(words.SESSION_MIDDLEWARE, "netra_backend.app.middleware", "extract_session")
                self.log.record(instance, at + 11 * SECOND, "WARNING", warning)
                self.truth.saw(instance.revision, "session-middleware-missing", f"{number}")
            if number % 16 == 9:  # noqa: PLR2004 - now and then
                self._http(instance, at + 15 * SECOND, "GET /api/threads/0", 404)
                self.truth.saw(instance.revision, "http-4xx", f"{number}")

    def _http(self, instance: Instance, at: int, line: str, status: int, agent: str = "Mozilla/5.0") -> None:
        self.log.request(instance, at, self.log.between(3, 140) * MILLISECOND, line, status, agent=agent)
        text = f'169.254.169.126:{self.log.between(2000, 60000)} - "{line} HTTP/1.1" {status}'
        self.log.text(instance, at - MILLISECOND, text, "stdout")

    def cycle(self, revision: Revision, instances: Sequence[Instance]) -> tuple[int, int]:
        """Run the tests: sessions on the server's side, a JUnit file on the client's; return when they ran."""
        started = at = moment(revision.cycle)
        results = []
        for number, ((classname, name), outcome) in enumerate(zip(_NAMES, revision.tests.split(), strict=True)):
            if outcome == "skip":
                results.append(Result(classname, name, 0.0))
                continue
            seconds = self.log.between(1100, 2900) / 1000
            at += round(seconds * SECOND)
            self._test_traffic(instances[number % 2], at - 90 * MILLISECOND, name, outcome)
            results.append(Result(classname, name, seconds, _ERRORS.get(outcome, "")))
        self.cycles.append(junit(results, started))
        return started, at

    def _test_traffic(self, instance: Instance, at: int, name: str, outcome: str) -> None:
        if name == "test_health":
            self._http(instance, at, "GET /health", 200, "python-httpx/0.28.1")
        else:
            self.session(instance, at, outcome, "staging-e2e-user-001", tested=True)

    def run(self, revision: Revision, number: int) -> None:
        """Write one revision from its deploy to its end."""
        asked, end = moment(revision.deployed), moment(revision.until)
        ready = asked + 36 * SECOND + self.log.between(0, SECOND)
        image = f"{_IMAGE}@sha256:{revision.digest}{self.log.hex(58)}"
        self.log.deploy(revision.name, asked, ready, image=image, env=_ENVIRONMENT, by="deployer@example.com")
        instances = [self.start(revision.name, asked + gap * SECOND) for gap in (14, 21)]
        for instance in instances:
            self.ready(instance, ready - self.log.between(2, 9) * SECOND)
        tested = self.cycle(revision, instances)
        self._other_sessions(revision, instances, ready + 30 * SECOND, end - MINUTE, tested)
        self.traffic(instances, ready + 10 * SECOND, end - 30 * SECOND)
        if number == len(REVISIONS) - 1:
            self.failed_start(revision.name, moment("2025-09-08T16:12:40"))
        else:
            for gap, instance in enumerate(instances):
                self.stop(instance, end + (200 + gap) * SECOND)

    def _other_sessions(
        self, revision: Revision, instances: Sequence[Instance], start: int, end: int, tested: tuple[int, int]
    ) -> None:
        kinds = [kind for kind, count in revision.sessions.items() for _ in range(count)]
        clear_of_tests = (tested[0] - 10 * SECOND, tested[1] + 10 * SECOND)
        slots = [at for at in range(start, end, 9 * SECOND) if not clear_of_tests[0] < at < clear_of_tests[1]]
        self.log.rng.shuffle(kinds)
        for kind, at in zip(kinds, sorted(self.log.rng.sample(slots, len(kinds))), strict=True):
            user = f"staging-e2e-user-{self.log.between(2, 9):03d}"
            self.session(instances[self.log.between(0, 1)], at + self.log.between(0, 5 * SECOND), kind, user)


def make() -> dict[str, str]:
    """Return the sample's files by their path."""
    incident = Incident()
    for number, revision in enumerate(REVISIONS):
        incident.run(revision, number)
    files = {f"logs/{name}.ndjson": text for name, text in incident.log.lines().items()}
    files |= {f"tests/cycle{number}.xml": text for number, text in enumerate(incident.cycles, 1)}
    return files | {"truth.json": incident.truth.to_json(), "README.md": _readme(incident.truth)}


def _readme(truth: Truth) -> str:
    sessions = ("websocket-1011-serialization", "websocket-1008-ssot-auth", "factory-validation")
    rows = ""
    for revision in REVISIONS:
        counts = [str(truth.count(revision.name, signature)["occurrences"]) for signature in sessions]
        rows += f"| {revision.name} | {' | '.join(counts)} |\n"
    last = REVISIONS[-1].name
    found = {s: truth.count(last, s)["occurrences"] for s in ("http-5xx", "http-401-403", "container-exit")}
    return f"""# netra-backend-staging, 2025-09-08

Three revisions in one afternoon: 00178 and 00179 break WebSocket sessions with 1011 because an enum cannot be turned
into JSON; 00180 nearly cures that and breaks them in the factory of the WebSocket managers instead. Made by
`samples/make_samples.py` after a real incident; ids, hosts, users and secrets are invented.

What must be found, in failed sessions (`truth.json` has all figures, entries and links included):

| revision | 1011 serialization | 1008 authentication | factory validation |
|---|---|---|---|
{rows}
In {last}: {found["http-5xx"]} requests `GET /ws` end with 500 and {found["http-401-403"]} handshakes
are refused with 403, each explained by one of these; {found["container-exit"]} instance ends with exit code 3 because
the deterministic start-up stops it. Nothing in the logs names a close code: those stand in `tests/cycle1.xml` to
`cycle3.xml`, the results of the tests that ran against the revisions in this order.

    forensics analyze --revision netra-backend-staging-00180 --tests samples/netra-backend-staging/tests/cycle3.xml
"""
