"""Encode templates as lines with holes: one for each revision, instance and spelling of JSON.

What differs from entry to entry (insertId, times, a number) is a hole; filling it takes a microsecond, encoding an
entry would take ten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corpus.templates import APPLICATION, ASKED, ERRORS, LONG, OTHERS, PROJECT, REQUESTS, Template

_ERROR_SEVERITIES = {"ERROR", "CRITICAL", "ALERT", "EMERGENCY"}
_INSTANCES = 4
_DIGITS = (6, 6, 6, 6, 9, 6, 3, 0)
"""Fractional digits of timestamps, as exports have them."""
_API_KEYS = ("textPayload", "jsonPayload", "httpRequest", "insertId", "resource", "timestamp", "severity", "labels")
_TEMPLATES = {"requests": REQUESTS, "application": APPLICATION, "errors": (*ERRORS, LONG)}
_SHARES = {ASKED: (0.69, 0.20, 0.11)} | dict.fromkeys(OTHERS, (0.7025, 0.20, 0.0975))
"""Requests, application and errors of each revision: together 70, 20 and 10 %, the asked one's errors 2.2 %."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An encoded line with holes, and the truth about it."""

    number: int
    twin: int
    """The shape that says the same in another spelling."""
    template: Template
    revision: str
    weight: float
    digits: int
    line: bytes
    is_asked: bool
    is_error: bool


def _api(entry: dict[str, Any]) -> str:
    """Spell an entry as the API and the Logs Explorer do, with Go's escapes for markup."""
    first = {key: entry[key] for key in _API_KEYS if key in entry}
    text = json.dumps(first | entry, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _gcloud(entry: dict[str, Any]) -> str:
    """Spell an entry as `gcloud logging read --format=json | jq -c` does."""
    return json.dumps(entry, separators=(",", ":"), sort_keys=True)


def _spaced(entry: dict[str, Any]) -> str:
    """Spell an entry as Python's json does."""
    return json.dumps(entry)


def _escaped(entry: dict[str, Any]) -> str:
    """Spell names and severity with escapes that JSON allows, different ones on each instance."""
    revision, severity = entry["resource"]["labels"]["revision_name"], str(entry.get("severity"))
    ways = (
        (revision, revision.replace("-", "\\u002d")),
        (revision, "\\u006F" + revision[1:]),
        (severity, f"{severity[:-1]}\\u{ord(severity[-1]):04x}"),
        ("revision_name", "revision\\u005fname"),
    )
    plain, written = ways[int(entry["labels"]["instanceId"], 16) % len(ways)]
    return _api(entry).replace(f'"{plain}"', f'"{written}"')


def _indented(entry: dict[str, Any]) -> str:
    """Spell an entry as an element of the array that `gcloud logging read --format=json` prints."""
    text = json.dumps(entry, indent=2, sort_keys=True)
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _indented_escaped(entry: dict[str, Any]) -> str:
    plain = entry["resource"]["labels"]["revision_name"]
    return _indented(entry).replace(f'"{plain}"', f'"{plain}"'.replace("-", "\\u002d"))


Spelling = Callable[[dict[str, Any]], str]
LINES: tuple[tuple[Spelling, float], ...] = ((_api, 0.48), (_gcloud, 0.48), (_spaced, 0.03), (_escaped, 0.01))
ARRAY: tuple[tuple[Spelling, float], ...] = ((_indented, 0.99), (_indented_escaped, 0.01))
"""Ways to spell an entry, and the share of each."""


def make_shapes(spellings: tuple[tuple[Spelling, float], ...], *, only_errors: bool) -> list[Shape]:
    """Encode every template for every revision; `only_errors`: only errors of the revision in question."""
    shapes: list[Shape] = []
    revisions = {ASKED: 20} | ({} if only_errors else OTHERS)
    for revision, percent in revisions.items():
        shares = dict(zip(("requests", "application", "errors"), _SHARES[revision], strict=True))
        for kind in ("errors",) if only_errors else shares:
            total = sum(template.weight for template in _TEMPLATES[kind])
            for template in _TEMPLATES[kind]:
                weight = percent * shares[kind] * template.weight / total
                _add(shapes, template, revision, weight, spellings)
    return shapes


def _add(
    shapes: list[Shape],
    template: Template,
    revision: str,
    weight: float,
    spellings: tuple[tuple[Spelling, float], ...],
) -> None:
    for instance in range(_INSTANCES):
        first = len(shapes)
        digits = _DIGITS[first // len(spellings) % len(_DIGITS)]
        for number, (spell, share) in enumerate(spellings):
            shape = Shape(
                number=first + number,
                twin=first + (number + 1) % len(spellings),
                template=template,
                revision=revision,
                weight=weight * share / _INSTANCES,
                digits=digits,
                line=_with_holes(spell(_entry(template, revision, instance))),
                is_asked=revision == ASKED,
                is_error=template.severity in _ERROR_SEVERITIES,
            )
            shapes.append(shape)


def _entry(template: Template, revision: str, instance: int) -> dict[str, Any]:
    service, _, _ = revision.removesuffix("-canary").rsplit("-", 2)
    entry: dict[str, Any] = dict(template.payload) | {
        "insertId": "@id@",
        "resource": {
            "type": "cloud_run_revision",
            "labels": {
                "location": "europe-west1",
                "revision_name": revision,
                "configuration_name": service,
                "project_id": PROJECT,
                "service_name": service,
            },
        },
        "timestamp": "@time@",
        "labels": _labels(revision, instance),
        "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2F{template.stream}",
        "receiveTimestamp": "@received@",
    }
    if template.severity:
        entry["severity"] = template.severity
    if template.stream == "requests":
        entry |= {"trace": f"projects/{PROJECT}/traces/@id@5eedf00d", "spanId": "@span@", "traceSampled": True}
    return entry


def _labels(revision: str, instance: int) -> dict[str, str]:
    digest = hashlib.sha512(f"{revision}/{instance}".encode()).hexdigest()
    return {
        "instanceId": f"0069c7a988{digest[:85]}{instance:x}",
        "commit-sha": hashlib.sha1(revision.encode(), usedforsecurity=False).hexdigest(),
        "gcb-build-id": f"{digest[:8]}-{digest[8:12]}-4f0e-9a1b-{digest[12:24]}",
        "gcb-trigger-id": f"{digest[24:32]}-{digest[32:36]}-4c1d-8e2f-{digest[36:48]}",
        "gcb-trigger-region": "europe-west1",
        "managed-by": "gcp-cloud-build-deploy-cloud-run",
    }


def _with_holes(text: str) -> bytes:
    text = text.replace("%", "%%").replace("@asked@", ASKED)
    for hole in ("id", "time", "received", "span", "number"):
        text = text.replace(f"@{hole}@", f"%({hole})b")
    return text.encode()
