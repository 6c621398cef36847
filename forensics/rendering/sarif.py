"""Write the result of a gate as SARIF 2.1.0: signatures are rules, what became of each is a result."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent_encode

import msgspec

from forensics.model import ChangeState, Cluster, Outcome, Role
from forensics.rendering.escape import terminal
from forensics.rendering.labels import change_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forensics.model import Change, ClusterId, FrameRef, GateReason, GateResult, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Outcome.FAIL: "error", Outcome.NOT_ENOUGH: "warning", Outcome.PASS: "note"}
_IMAGE_ROOT = re.compile(r"^(?:file://)?/(?:app|workspace|usr/src/app|usr/app|srv|code|src|opt/app)/")
"""Where images usually keep what they were built from; what is behind it is a path of the repository."""


def encode_sarif(report: Report, result: GateResult) -> bytes:
    """Write the log file, ending in a line break."""
    changes = report.comparison.changes if report.comparison else ()
    rules = {_rule_id(change): index for index, change in enumerate(changes)}
    decided = {(r.signature, r.fingerprint): r for r in result.reasons if r.signature or r.fingerprint}
    clusters = {cluster.id: cluster for cluster in report.clusters}
    run = {
        "tool": {
            "driver": {
                "name": "forensics",
                "version": result.tool_version,
                "rules": [_rule(change) for change in changes],
            }
        },
        "automationDetails": {"id": f"forensics-gate/{_uri(result.revision)}/"},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": list(_notifications(result))}],
        "results": [
            _result(change, decided.get((change.signature, change.fingerprint)), clusters, report, rules)
            for change in changes
        ],
        "properties": {"outcome": result.outcome, "revision": result.revision, "baseline": result.baseline},
    }
    return msgspec.json.format(msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})) + b"\n"


def _rule_id(change: Change) -> str:
    return change.signature or f"unmatched-{change.fingerprint}"


def _rule(change: Change) -> dict[str, Any]:
    return {
        "id": _rule_id(change),
        "shortDescription": _text(change.title),
        "properties": {"priority": change.priority, "role": change.role},
    }


def _result(
    change: Change,
    reason: GateReason | None,
    clusters: Mapping[ClusterId, Cluster],
    report: Report,
    rules: Mapping[str, int],
) -> dict[str, Any]:
    speakers = [clusters[name] for name in change.clusters if name in clusters]
    locations = [_location(cluster, report) for cluster in speakers] or [_location(None, report)]
    said = reason.statement if reason else change.statement
    return {
        "ruleId": _rule_id(change),
        "ruleIndex": rules[_rule_id(change)],
        **_level(change, reason),
        "message": _text(f"{change_name(change)}: {said}"),
        "locations": locations,
        "partialFingerprints": {"forensicsSignature/v1": _rule_id(change)},
        "properties": {
            "state": change.state,
            "priority": change.priority,
            "before": change.before,
            "after": change.after,
            "ratio": change.ratio,
            "evidence": list(reason.evidence) if reason else [],
        },
    }


def _level(change: Change, reason: GateReason | None) -> dict[str, str]:
    """Choose kind and level: a level other than `none` is allowed of the kind `fail` alone."""
    if reason is not None and reason.outcome is not Outcome.PASS:
        return {"kind": "fail", "level": _LEVELS[reason.outcome]}
    if not change.after and change.state is not ChangeState.NOT_COMPARABLE:
        return {"kind": "pass", "level": "none"}
    if change.role is Role.NOISE:
        return {"kind": "informational", "level": "none"}
    return {"kind": "fail", "level": "note"}


def _location(cluster: Cluster | None, report: Report) -> dict[str, Any]:
    """Name the revision and the function that failed, and its file where that is the application's own."""
    revision = report.revision
    whole = "/".join(part for part in (revision.project, revision.location, revision.service, revision.name) if part)
    logical = [{"name": terminal(revision.name), "fullyQualifiedName": terminal(whole), "kind": "resource"}]
    frame = cluster.frame if cluster else None
    if frame is None:
        return {"logicalLocations": logical}
    if frame.function:
        logical.append({"name": terminal(frame.function), "kind": "function"})
    path = _path(frame)
    if path is None:
        return {"logicalLocations": logical}
    place: dict[str, Any] = {"artifactLocation": {"uri": path}}
    if frame.line is not None and frame.line > 0:
        place["region"] = {"startLine": frame.line}
    return {"physicalLocation": place, "logicalLocations": logical}


def _path(frame: FrameRef) -> str | None:
    """Return the file of a frame as a path within the repository, None where that cannot be told."""
    if not frame.in_app:
        return None
    file = _IMAGE_ROOT.sub("", frame.file.replace("\\", "/")).removeprefix("./")
    is_within = file and not file.startswith(("/", "<", "../")) and posixpath.normpath(file) == file
    # A drive, a scheme or an ellipsis of a path that was shortened is no place in a repository.
    return _uri(file) if is_within and ":" not in file and "…" not in file else None


def _uri(text: str) -> str:
    return percent_encode(text.encode("utf-8", "replace"), safe="/")


def _text(text: str) -> dict[str, str]:
    """Write a message in which nothing is a link or a placeholder."""
    plain = terminal(text).replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": plain.replace("{", "{{").replace("}", "}}") or "unknown"}


def _notifications(result: GateResult) -> Iterator[dict[str, Any]]:
    """Yield what speaks of no signature: too little traffic, nothing to compare, caveats."""
    for reason in result.reasons:
        if not (reason.signature or reason.fingerprint):
            yield {"level": _LEVELS[reason.outcome], "message": _text(f"{reason.title}: {reason.statement}")}
    for caveat in result.caveats:
        yield {"level": "note", "message": _text(caveat)}
