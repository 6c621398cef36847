"""A healthy service whose log is full of words that sound like failures."""

from __future__ import annotations

from dataclasses import dataclass, field

from maker.cloud_run import MILLISECOND, MINUTE, SECOND, STARTS, Instance, Recorder, Service, iso, moment
from maker.truth import Truth

SERVICE = Service("orchard-prod", "catalog-api", "us-east4", "catalog.example.com", 8080, "300000000000")
REVISION = "catalog-api-00112-mvz"
_LINES = (
    ("GET /products?page=2", 200),
    ("GET /products/441", 200),
    ("GET /errors/summary", 200),
    ("POST /carts/9/items", 201),
    ("GET /images/441.webp", 304),
    ("GET /search?q=error+proof", 200),
)
_MISSING = ("GET /products/0", "GET /products/99999", "GET /carts/none/items")
_HARMLESS = (
    "import finished: 1200 rows, 0 errors, 0 failed",
    "fetching prices failed once (connection reset), retry 1 of 3 succeeded",
    'Migration skipped: psycopg2.errors.DuplicateColumn, column "weight" exists already',
    "error budget of this month: 99.97 % left",
    "cleaned up 14 expired sessions, none failed",
    "exception list reloaded: 3 customers are exempt from the minimum order",
    "payment provider reports no incident; last outage 40 days ago",
)
_WARNINGS = (
    "cache hit ratio of 61 % is below the target of 70 %",
    "price list is 26 hours old, using it anyway",
)
_USER_WARNING = (
    '/usr/local/lib/python3.12/site-packages/pydantic/_internal/_fields.py:198: UserWarning: Field name "error" in'
    ' "ImportResult" shadows an attribute in parent "BaseModel"'
)


@dataclass
class HealthyService:
    """Half an hour of the service, written event by event."""

    log: Recorder = field(default_factory=lambda: Recorder(SERVICE, "catalog-api"))
    truth: Truth = field(default_factory=Truth)

    def run(self) -> None:
        """Write a deploy, two instances (one of them stops again), and their traffic."""
        asked = moment("2025-10-14T07:58:20")
        image = f"us-east4-docker.pkg.dev/orchard-prod/catalog/api@sha256:{self.log.hex(64)}"
        stage = {"STAGE": "prod"}
        self.log.deploy(REVISION, asked, asked + 24 * SECOND, image=image, env=stage, by="deployer@example.com")
        first = self._start(asked + 9 * SECOND, "deploy")
        second = self._start(asked + 12 * MINUTE, "load")
        end = asked + 32 * MINUTE
        self._traffic(first, asked + 30 * SECOND, end)
        self._traffic(second, asked + 12 * MINUTE + 8 * SECOND, end - 8 * MINUTE)
        self._stop(second, end - 7 * MINUTE)

    def _start(self, at: int, reason: str) -> Instance:
        instance = self.log.instance(REVISION)
        self.log.system(instance, at, STARTS[reason])
        at += self.log.between(2600, 3300) * MILLISECOND
        for number, line in enumerate((_USER_WARNING, "  warnings.warn(")):
            self.log.text(instance, at - 800 * MILLISECOND + 9 * number, line)
            self.truth.saw(REVISION, "python-warning", instance.id)
        for number, line in enumerate(("Started server process [1]", "Waiting for application startup.")):
            self.log.text(instance, at + 300 * number, f"INFO:     {line}")
        self.log.text(instance, at + 420 * MILLISECOND, "INFO:     Application startup complete.")
        self.log.text(
            instance, at + 421 * MILLISECOND, "INFO:     Uvicorn running on http://0.0.0.0:8080 (Press CTRL+C to quit)"
        )
        self.log.probe_succeeded(instance, at + 640 * MILLISECOND)
        return instance

    def _stop(self, instance: Instance, at: int) -> None:
        lines = ("Shutting down", "Waiting for application shutdown.", "Application shutdown complete.")
        for number, line in enumerate((*lines, "Finished server process [1]")):
            self.log.text(instance, at + number * 90 * MILLISECOND, f"INFO:     {line}")
        self.log.exit(instance, at + 600 * MILLISECOND, 0)

    def _traffic(self, instance: Instance, start: int, end: int) -> None:
        for number, at in enumerate(range(start, end, 13 * SECOND)):
            at += self.log.between(0, 6 * SECOND)  # noqa: PLW2901 - no clockwork
            line, status = _LINES[number % len(_LINES)]
            self.log.request(instance, at, self.log.between(4, 260) * MILLISECOND, line, status)
            if number % 9 == 4:  # noqa: PLR2004 - now and then
                self.log.request(instance, at + 4 * SECOND, 3 * MILLISECOND, _MISSING[number // 9 % len(_MISSING)], 404)
                self.truth.saw(REVISION, "http-4xx", f"{instance.id}/{number}")
            if number % 4 == 1:
                self._say(instance, at + SECOND, "INFO", _HARMLESS[number // 4 % len(_HARMLESS)])
            if number % 40 == 21:  # noqa: PLR2004 - now and then
                self._say(instance, at + 2 * SECOND, "WARNING", _WARNINGS[number // 40 % len(_WARNINGS)])

    def _say(self, instance: Instance, at: int, severity: str, text: str) -> None:
        payload: dict[str, object] = {
            "message": text,
            "logger": "catalog",
            "error": None,
            "errors": [],
            "time": iso(at),
        }
        self.log.record(instance, at, severity, payload, "stdout")


def make() -> dict[str, str]:
    """Return the sample's files by their path."""
    service = HealthyService()
    service.run()
    files = {f"logs/{name}.ndjson": text for name, text in service.log.lines().items()}
    return files | {"truth.json": service.truth.to_json(), "README.md": _readme(service.truth)}


def _readme(truth: Truth) -> str:
    missing = truth.count(REVISION, "http-4xx")["entries"]
    return f"""# healthy

Half an hour of an invented service after a deploy: a cold start, an orderly end (exit code 0), two kinds of warnings,
{missing} requests for things that do not exist, and many lines that speak of errors and failures where there are none.
Made by `samples/make_samples.py`.

What must be found: nothing of priority P0 or P1, no cause, no mechanism, no error. `truth.json` has all figures.

    forensics analyze --revision {REVISION} --logs samples/healthy/logs
"""
