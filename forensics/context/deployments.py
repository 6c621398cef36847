"""Find the deployments in the audit log: requests to deploy, and how they went."""

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
        by=_principal(entry, text_at(proto, "authenticationInfo", "principalEmail")),
        message=first_line(text_at(proto, "status", "message"), 200),
        insert_id=quote(entry.insert_id, 64),
        about=_about(proto),
        traffic=_traffic(proto),
        refs=(cite(entry),),
    )


def _principal(entry: LogEntry, address: str) -> Principal:
    """Name the kind of principal, never the principal: a name does not help to find the cause."""
    if address.endswith(".gserviceaccount.com"):
        return Principal.SERVICE_ACCOUNT
    if address:
        return Principal.PERSON
    return Principal.CLOUD_RUN if entry.stream == "system_event" else Principal.UNKNOWN


def _about(proto: dict[str, Any]) -> DeployTarget:
    """Return what the entry is about: a service, a revision, or unknown."""
    kind = text_at(proto, "response", "kind")
    said = re.search(r"\bfor (Service|Revision)\b", text_at(proto, "status", "message"))
    return DeployTarget(kind if kind in {"Service", "Revision"} else said[1] if said else "")


def _traffic(proto: dict[str, Any]) -> str:
    """Write how a call splits traffic among revisions; "" when it does not say."""
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
    """Return the revision that a response or a request names; "" when neither does."""
    template = ("spec", "template", "metadata", "name")
    paths = (
        ("response", "status", "latestCreatedRevisionName"),
        ("request", "service", *template),
        ("response", *template),
    )
    return next(filter(None, (text_at(proto, *path) for path in paths)), "")


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
