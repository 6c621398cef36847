"""Entries of the audit log for tests: a deployment asked for, and a revision that reports whether it is ready."""

from __future__ import annotations

from typing import Any

from support.builders import REVISION, raw

IMAGE = "europe-docker.pkg.dev/shop/api@sha256:1f0c"
TEMPLATE = {"metadata": {"name": REVISION}, "spec": {"containers": [{"image": IMAGE, "env": [{"value": "hunter2"}]}]}}


def asked(
    at: float, *, by: str = "jane@example.com", traffic: list[Any] | None = None, **fields: Any
) -> dict[str, Any]:
    spec = {
        "template": TEMPLATE,
        "traffic": traffic if traffic is not None else [{"latestRevision": True, "percent": 100}],
    }
    proto = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "methodName": "google.cloud.run.v1.Services.ReplaceService",
        "authenticationInfo": {"principalEmail": by},
        "request": {"service": {"spec": spec}},
        "resourceName": f"namespaces/shop/revisions/{REVISION}",
    }
    return audit(proto, at, "activity", **fields)


def ready(at: float, *, is_true: bool = True) -> dict[str, Any]:
    status: dict[str, Any] = {"message": f"Ready condition status changed to {is_true} for Revision {REVISION}."}
    if not is_true:
        status["code"] = 3
    proto = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "methodName": "/Services.ReplaceService",
        "status": status,
        "resourceName": f"namespaces/shop/revisions/{REVISION}",
        "response": {"kind": "Revision", "spec": {"template": TEMPLATE}},
    }
    return audit(proto, at, "system_event")


def audit(proto: dict[str, Any], at: float, log: str, **fields: Any) -> dict[str, Any]:
    record = raw(at=at, instance="", protoPayload=proto, severity="NOTICE", **fields)
    return record | {"logName": f"projects/shop/logs/cloudaudit.googleapis.com%2F{log}"}
