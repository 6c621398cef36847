"""Find the deployments in the audit log: requests to deploy, and how they went."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.log.citations import cite
from forensics.model import Deploy, LogEntry
from forensics.text.redact import first_line, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPLOY_METHODS = re.compile(r"(?:ReplaceService|CreateService|UpdateService|CreateRevision|ReplaceRevision)$")
_TARGETS = 5
"""Revisions that are listed when a deployment splits traffic."""


def find_deploys(entries: Iterable[LogEntry]) -> tuple[Deploy, ...]:
    """List requests to deploy and their outcomes, in order of time; environment variables are never read."""
    audit = sorted((e for e in entries if _is_deploy(e)), key=lambda e: e.sort_key)
    return tuple(_deploy(entry, entry.raw["protoPayload"]) for entry in audit)


def _is_deploy(entry: LogEntry) -> bool:
    proto = entry.raw.get("protoPayload")
    method = proto.get("methodName") if isinstance(proto, dict) else None
    return isinstance(method, str) and _DEPLOY_METHODS.search(method) is not None


def _deploy(entry: LogEntry, proto: dict[str, Any]) -> Deploy:
    return Deploy(
        time=entry.timestamp,
        revision=quote(entry.revision or _named(proto), 120),
        outcome=_outcome(entry, proto),
        image=quote(_image(proto), 200),
        by=_principal(entry, _text(proto, "authenticationInfo", "principalEmail")),
        message=first_line(_text(proto, "status", "message"), 200),
        insert_id=quote(entry.insert_id, 64),
        about=_about(proto),
        traffic=_traffic(proto),
        refs=(cite(entry),),
    )


def _principal(entry: LogEntry, address: str) -> str:
    """Name the kind of principal, never the principal: a name does not help to find the cause."""
    if address.endswith(".gserviceaccount.com"):
        return "a service account"
    if address:
        return "a person"
    return "Cloud Run" if entry.stream == "system_event" else ""


def _about(proto: dict[str, Any]) -> str:
    """Return what the entry is about: `Service`, `Revision` or ""."""
    kind = _text(proto, "response", "kind")
    in_message = re.search(r"\bfor (Service|Revision)\b", _text(proto, "status", "message"))
    return kind if kind in {"Service", "Revision"} else in_message[1] if in_message else ""


def _traffic(proto: dict[str, Any]) -> str:
    """Write how a call splits traffic among revisions; "" when it does not say."""
    for path in (("request", "service", "spec"), ("response", "spec"), ("request", "spec")):
        targets = _at(proto, *path, "traffic")
        if isinstance(targets, list):
            return ", ".join(filter(None, map(_share, targets[:_TARGETS])))
    return ""


def _share(target: object) -> str:
    percent = _at(target, "percent")
    if not isinstance(percent, int) or not percent:
        return ""
    name = "the latest revision" if _at(target, "latestRevision") is True else quote(_text(target, "revisionName"), 120)
    return f"{percent} % to {name or 'a revision that is not named'}"


def _named(proto: dict[str, Any]) -> str:
    """Return the revision that a response or a request names; "" when neither does."""
    template = ("spec", "template", "metadata", "name")
    paths = (
        ("response", "status", "latestCreatedRevisionName"),
        ("request", "service", *template),
        ("response", *template),
    )
    return next(filter(None, (_text(proto, *path) for path in paths)), "")


def _outcome(entry: LogEntry, proto: dict[str, Any]) -> str:
    status = proto.get("status")
    if isinstance(status, dict) and status.get("code"):
        return "failed"
    # The user's call is logged to `activity`; its outcome is logged by the platform to `system_event`.
    return "ready" if entry.stream == "system_event" or _text(proto, "status", "message") else "asked"


def _image(proto: dict[str, Any]) -> str:
    for top in ("request", "response"):
        for path in (("service", "spec", "template"), ("spec", "template"), ()):
            containers = _at(proto, top, *path, "spec", "containers")
            if isinstance(containers, list) and containers and isinstance(containers[0], dict):
                return str(containers[0].get("image") or "")
    return ""


def _text(value: object, *path: str) -> str:
    text = _at(value, *path)
    return text if isinstance(text, str) else ""


def _at(value: object, *path: str) -> object:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value
