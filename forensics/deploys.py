"""Entries in, the deployments that the audit log tells of out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.model import Deploy, LogEntry
from forensics.redact import first_line, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPLOY_METHODS = re.compile(r"(?:ReplaceService|CreateService|UpdateService|CreateRevision|ReplaceRevision)$")


def find_deploys(entries: Iterable[LogEntry]) -> tuple[Deploy, ...]:
    """List requests to deploy and verdicts on them, in order of time; environment variables are never read."""
    audit = sorted((e for e in entries if _is_deploy(e)), key=lambda e: e.sort_key)
    return tuple(_deploy(entry, entry.raw["protoPayload"]) for entry in audit)


def _is_deploy(entry: LogEntry) -> bool:
    proto = entry.raw.get("protoPayload")
    method = proto.get("methodName") if isinstance(proto, dict) else None
    return isinstance(method, str) and _DEPLOY_METHODS.search(method) is not None


def _deploy(entry: LogEntry, proto: dict[str, Any]) -> Deploy:
    return Deploy(
        time=entry.timestamp,
        revision=quote(entry.revision, 120)
        or quote(_text(proto, "response", "status", "latestCreatedRevisionName"), 120),
        outcome=_outcome(entry, proto),
        image=quote(_image(proto), 200),
        by=quote(_text(proto, "authenticationInfo", "principalEmail"), 120),
        message=first_line(_text(proto, "status", "message"), 200),
        insert_id=quote(entry.insert_id, 64),
        traffic=_traffic(proto),
    )


def _outcome(entry: LogEntry, proto: dict[str, Any]) -> str:
    status = proto.get("status")
    if isinstance(status, dict) and status.get("code"):
        return "failed"
    # The user's call goes to `activity`; what came of it is written by the platform to `system_event`.
    return "ready" if entry.stream == "system_event" or _text(proto, "status", "message") else "asked"


def _image(proto: dict[str, Any]) -> str:
    for top in ("request", "response"):
        for path in (("service", "spec", "template"), ("spec", "template"), ()):
            containers = _at(proto, top, *path, "spec", "containers")
            if isinstance(containers, list) and containers and isinstance(containers[0], dict):
                return str(containers[0].get("image") or "")
    return ""


def _traffic(proto: dict[str, Any]) -> str:
    """Write what a service was told to send where; "" where the entry does not say."""
    for path in (("response", "spec"), ("request", "service", "spec"), ("request", "spec")):
        targets = _at(proto, *path, "traffic")
        if isinstance(targets, list):
            return "; ".join(filter(None, map(_target, targets[:5])))
    return ""


def _target(target: object) -> str:
    percent = _at(target, "percent")
    if isinstance(percent, bool) or not isinstance(percent, int | float):
        return ""
    name = "the latest revision" if _at(target, "latestRevision") is True else quote(_text(target, "revisionName"), 80)
    return f"{percent:g} % to {name or 'a revision that is not named'}"


def _text(value: object, *path: str) -> str:
    found = _at(value, *path)
    return found if isinstance(found, str) else ""


def _at(value: object, *path: str) -> object:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
