"""A crash loop: a module that is not in the image, twelve instance lives, and a rollout that counts as ready."""

from __future__ import annotations

from dataclasses import dataclass, field

from maker.cloud_run import MALFORMED, MILLISECOND, MINUTE, SECOND, STARTS, Instance, Recorder, Service, clock, moment
from maker.truth import Truth

SERVICE = Service("acme-staging", "billing-api", "europe-west1", "billing.example.com", 8080, "200000000000")
BEFORE, REVISION = "billing-api-00040-rtx", "billing-api-00041-qhd"
LIVES = 12
_MODULE = "billing.exports.pdf"
_LINES = ("POST /invoices", "GET /invoices/open", "GET /customers/7/statement", "POST /payments/webhook")

_FIRST = f"""Traceback (most recent call last):
  File "/app/billing/startup.py", line 41, in register_exports
    from billing.exports import formats
  File "/app/billing/exports/formats.py", line 7, in <module>
    from billing.exports.pdf import render_invoice
ModuleNotFoundError: No module named '{_MODULE}'"""

_SECOND = f"""Traceback (most recent call last):
  File "/usr/local/lib/python3.12/site-packages/gunicorn/arbiter.py", line 609, in spawn_worker
    worker.init_process()
  File "/usr/local/lib/python3.12/site-packages/gunicorn/workers/base.py", line 134, in init_process
    self.load_wsgi()
  File "/usr/local/lib/python3.12/site-packages/gunicorn/util.py", line 370, in import_app
    mod = importlib.import_module(module)
  File "/app/billing/main.py", line 12, in <module>
    app = create_app()
  File "/app/billing/main.py", line 9, in create_app
    register_exports(app)
  File "/app/billing/startup.py", line 44, in register_exports
    raise RuntimeError(f"exports could not be registered: {{error}}") from error
RuntimeError: exports could not be registered: No module named '{_MODULE}'"""

_CONNECTIVE = "The above exception was the direct cause of the following exception:"


@dataclass
class CrashLoop:
    """The crash loop, written event by event."""

    log: Recorder = field(default_factory=lambda: Recorder(SERVICE, "billing-api"))
    truth: Truth = field(default_factory=Truth)

    def run(self) -> None:
        """Write the healthy revision, the deploy, and the loop."""
        asked = moment("2025-11-03T09:12:05")
        self._healthy(asked - 6 * MINUTE, asked + 40 * SECOND)
        image = f"europe-west1-docker.pkg.dev/acme-staging/billing/api@sha256:{self.log.hex(64)}"
        environment = {"STAGE": "staging", "STRIPE_KEY": "not-a-key-made-up-for-this-sample"}
        ready = asked + 31 * SECOND
        self.log.deploy(REVISION, asked, ready, image=image, env=environment, by="deployer@example.com")
        at = ready - 7 * SECOND
        for life in range(LIVES):
            self._life(life, at)
            at += self.log.between(7600, 8500) * MILLISECOND

    def _healthy(self, start: int, end: int) -> None:
        instance = self.log.instance(BEFORE)
        for number, at in enumerate(range(start, end, 9 * SECOND)):
            at += self.log.between(0, 4 * SECOND)  # noqa: PLW2901 - no clockwork
            self.log.request(instance, at, self.log.between(12, 210) * MILLISECOND, _LINES[number % len(_LINES)], 200)

    def _life(self, life: int, start: int) -> None:
        instance = self.log.instance(REVISION)
        self.log.system(instance, start, STARTS["deploy" if life == 0 else "minimum"])
        up = start + self.log.between(2100, 2500) * MILLISECOND
        for after, text in (
            (0, "Starting gunicorn 23.0.0"),
            (150, "Listening at: http://0.0.0.0:8080 (1)"),
            (160, "Using worker: sync"),
        ):
            self._gunicorn(instance, up + after, text, pid=1)
        self.log.probe_succeeded(instance, up + 590)
        self._gunicorn(instance, up + 4100, "Booting worker with pid: 4", pid=4)
        self.log.text(instance, up + 900 * MILLISECOND, "billing.config: settings read for staging", "stdout")
        crash = up + self.log.between(2400, 2700) * MILLISECOND
        gone = self._crash(instance, crash)
        for number in range(1 + life % 2):
            self._request(instance, gone, life, number)

    def _crash(self, instance: Instance, at: int) -> int:
        """Write the crash as Cloud Run splits it, and return when the container had exited."""
        self._gunicorn(instance, at, "Exception in worker process", "ERROR", 4)
        self.log.text(instance, at + 26, _FIRST, severity="ERROR")
        lines = [_CONNECTIVE, *_SECOND.split("\n")]
        for number, line in enumerate(lines, 1):
            self.log.text(instance, at + 26 + 7 * number, line)
        self.truth.saw(REVISION, "python-module-missing", instance.id, entries=2 + len(lines), group=_MODULE)
        self._gunicorn(instance, at + 900, "Worker exiting (pid: 4)", pid=4)
        master = at + self.log.between(370, 420) * MILLISECOND
        texts = ("Worker (pid:4) exited with code 3", "Shutting down: Master", "Reason: Worker failed to boot.")
        for number, text in enumerate(texts):
            self._gunicorn(instance, master + 240 * number, text, "ERROR", 1)
        gone = master + self.log.between(60, 110) * MILLISECOND
        self.log.exit(instance, gone, 3)
        self._symptom(instance, "worker-failed-to-boot", instance.id, len(texts))
        self._symptom(instance, "container-exit", instance.id)
        return gone

    def _request(self, instance: Instance, gone: int, life: int, number: int) -> None:
        end = gone + self.log.between(8, 90) * MILLISECOND
        line = _LINES[(life + number) % len(_LINES)]
        latency = self.log.between(700, 2300) * MILLISECOND
        self.log.request(instance, end, latency, line, 503, text=MALFORMED)
        self._symptom(instance, "malformed-response-503", f"{life}/{number}")

    def _symptom(self, instance: Instance, symptom: str, occurrence: str, entries: int = 1) -> None:
        self.truth.saw(instance.revision, symptom, occurrence, entries=entries)
        self.truth.linked(instance.revision, "python-module-missing", symptom, occurrence)

    def _gunicorn(self, instance: Instance, at: int, text: str, level: str = "INFO", pid: int = 1) -> None:
        self.log.text(instance, at, f"[{clock(at)} +0000] [{pid}] [{level}] {text}")


def make() -> dict[str, str]:
    """Return the sample's files by their path."""
    loop = CrashLoop()
    loop.run()
    files = {f"logs/{name}.ndjson": text for name, text in loop.log.lines().items()}
    return files | {"truth.json": loop.truth.to_json(), "README.md": _readme(loop.truth)}


def _readme(truth: Truth) -> str:
    lives = truth.count(REVISION, "container-exit")["occurrences"]
    requests = truth.count(REVISION, "malformed-response-503")["occurrences"]
    return f"""# module-missing-crash-loop

Revision {REVISION} of an invented service imports `{_MODULE}`, which is not in its image: every
instance dies at start-up, one about every eight seconds, while the deploy counts as ready because gunicorn's master
listens before the application is loaded. Made by `samples/make_samples.py`.

What must be found: {lives} instance lives that end with exit code 3, all for the missing module, and {requests}
requests that end with 503 within 0.1 s of a crash. The revision before, {BEFORE}, is healthy. `truth.json`
has all figures.

    forensics analyze --revision {REVISION} --logs samples/module-missing-crash-loop/logs
"""
