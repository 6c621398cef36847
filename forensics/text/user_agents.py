"""Tell from a user agent who sends a request."""

from __future__ import annotations

import re
from functools import lru_cache

from forensics.model import ClientKind
from forensics.text.redact import quote

_ASKS_FOR_HEALTH = re.compile(
    r"GoogleHC/|kube-probe/|GoogleStackdriverMonitoring-UptimeChecks|ELB-HealthChecker|UptimeRobot|Pingdom|"
    r"Better ?(?:Uptime|Stack)|StatusCake|Site24x7|Datadog/?Synthetics|Consul Health Check"
)
_KINDS = (
    (ClientKind.SCHEDULER, re.compile(r"Google-Cloud-Scheduler", re.IGNORECASE)),
    (ClientKind.PUBSUB, re.compile(r"APIs-Google|CloudPubSub-Google|Google-Cloud-Eventarc", re.IGNORECASE)),
    (ClientKind.TASKS, re.compile(r"Google-Cloud-Tasks|AppEngine-Google", re.IGNORECASE)),
    (
        ClientKind.TEST_TOOL,
        re.compile(
            r"(?<![a-z])(?:e2e|tests?)(?![a-z])|HeadlessChrome|Playwright|Cypress|Puppeteer|PostmanRuntime|insomnia"
            r"|^(?:curl|Wget|HTTPie|hey|k6|vegeta|oha|autocannon|bombardier|Artillery)\b|Grafana ?k6|Locust|ApacheBench"
            r"|JMeter|Gatling|Newman",
            re.IGNORECASE,
        ),
    ),
    (ClientKind.PROGRAM, re.compile(r"bot\b|crawler|spider|\(compatible; (?!MSIE)", re.IGNORECASE)),
    (ClientKind.BROWSER, re.compile(r"\A(?:Mozilla/[\d.]{1,10} \(|Opera/)")),
)
_LANGUAGE = re.compile(r"\APython/\S{1,20} (?=\w)")
"""Said before the name of a library: Python/3.12 aiohttp/3.12.15"""
_SAID = 300


def asks_for_health(user_agent: str) -> bool:
    """Tell whether a user agent is a health checker's."""
    return _ASKS_FOR_HEALTH.search(user_agent) is not None


@lru_cache(maxsize=1024)
def client_kind(user_agent: str) -> ClientKind:
    """Tell what kind of client a user agent names."""
    said = user_agent[:_SAID]
    if not said.strip():
        return ClientKind.UNNAMED
    if asks_for_health(said):
        return ClientKind.HEALTH_CHECKER
    return next((kind for kind, pattern in _KINDS if pattern.search(said)), ClientKind.PROGRAM)


@lru_cache(maxsize=1024)
def product(user_agent: str) -> str:
    """Return the product that a user agent names: `python-httpx/0.28.1` is `python-httpx`; "" for a browser."""
    if client_kind(user_agent) is ClientKind.BROWSER:
        return ""
    words = _LANGUAGE.sub("", user_agent[:_SAID], count=1).split()
    return quote(words[0].partition("/")[0].strip(";,()"), 60) if words else ""
