"""Entries in, the deployments that the audit log tells of out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.log.citations import cite
from forensics.model import Deploy, DeployOutcome, DeployTarget, LogEntry, Principal
from forensics.text.nested_values import text_at, value_at
from forensics.text.redact import first_line, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPLOY_METHODS = re.compile(r"(?:ReplaceService|CreateService|UpdateService|CreateRevision|ReplaceRevision)$")
_TARGETS = 5
"""Revisions of a division of traffic that are listed."""


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
        revision=quote(entry.revision or _named(proto), 120),
        outcome=_outcome(entry, proto),
        image=quote(_image(proto), 200),
        by=_principal(entry, text_at(proto, "authenticationInfo", "principalEmail")),
        message=first_line(text_at(proto, "status", "message"), 200),
        insert_id=quote(entry.insert_id, 64),
        about=_about(proto),
        traffic=_traffic(proto),
        refs=(cite(entry),),
    )


def _principal(entry: LogEntry, address: str) -> Principal:
    """Say what kind of principal it was, never which: a name helps nobody to find the cause."""
    if address.endswith(".gserviceaccount.com"):
        return Principal.SERVICE_ACCOUNT
    if address:
        return Principal.PERSON
    return Principal.CLOUD_RUN if entry.stream == "system_event" else Principal.UNKNOWN


def _about(proto: dict[str, Any]) -> DeployTarget:
    """Tell whether the entry speaks of a service or of one revision."""
    kind = text_at(proto, "response", "kind")
    said = re.search(r"\bfor (Service|Revision)\b", text_at(proto, "status", "message"))
    return DeployTarget(kind if kind in {"Service", "Revision"} else said[1] if said else "")


def _traffic(proto: dict[str, Any]) -> str:
    """Say how a call divides the requests among revisions; "" where it does not say."""
    for path in (("request", "service", "spec"), ("response", "spec"), ("request", "spec")):
        targets = value_at(proto, *path, "traffic")
        if isinstance(targets, list):
            return ", ".join(filter(None, map(_share, targets[:_TARGETS])))
    return ""


def _share(target: object) -> str:
    percent = value_at(target, "percent")
    if not isinstance(percent, int) or not percent:
        return ""
    name = (
        "the latest revision"
        if value_at(target, "latestRevision") is True
        else quote(text_at(target, "revisionName"), 120)
    )
    return f"{percent} % to {name or 'a revision that is not named'}"


def _named(proto: dict[str, Any]) -> str:
    """Return the revision that an answer or a call names, "" when neither does."""
    template = ("spec", "template", "metadata", "name")
    ways = (
        ("response", "status", "latestCreatedRevisionName"),
        ("request", "service", *template),
        ("response", *template),
    )
    return next(filter(None, (text_at(proto, *way) for way in ways)), "")


def _outcome(entry: LogEntry, proto: dict[str, Any]) -> DeployOutcome:
    status = proto.get("status")
    if isinstance(status, dict) and status.get("code"):
        return DeployOutcome.FAILED
    # The user's call goes to `activity`; what came of it is written by the platform to `system_event`.
    is_verdict = entry.stream == "system_event" or text_at(proto, "status", "message")
    return DeployOutcome.READY if is_verdict else DeployOutcome.ASKED


def _image(proto: dict[str, Any]) -> str:
    for top in ("request", "response"):
        for path in (("service", "spec", "template"), ("spec", "template"), ()):
            containers = value_at(proto, top, *path, "spec", "containers")
            if isinstance(containers, list) and containers and isinstance(containers[0], dict):
                return str(containers[0].get("image") or "")
    return ""
