"""Count the lives of instances and the exposure of a revision again, from the input records."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from incidents.source import Entry

Json = dict[str, Any]
SECOND = 1_000_000_000
_FAILS = 500
_EXIT = re.compile(r"Container called exit\(\d+\)|Container terminated on signal|Uncaught signal: \d+")
_SPOKEN_OF = re.compile(r"/revisions/([^/]+)$")
_ORDERLY = re.compile(r"Container called exit\((?:0|143)\)|(?:Container terminated on signal|Uncaught signal:) 15\b")
_FAILED_PROBE = re.compile(r"STARTUP \w+ probe failed")
_START = re.compile(r"Starting new instance|STARTUP \w+ probe (?:succeeded|failed)")


class Life(NamedTuple):
    """From the first entry of an instance to its exit, or to its last entry."""

    instance: str
    revision: str
    start: int
    end: int
    ended: bool
    started: bool
    is_first: bool
    failed: bool
    answered: bool


def revision_of(entry: Entry) -> str:
    """Return the revision of an entry, or the one that an audit entry is about; "" for none."""
    resource = entry.record.get("resource")
    labels = resource.get("labels") if isinstance(resource, dict) else None
    labelled = str(labels.get("revision_name", "")) if isinstance(labels, dict) else ""
    proto = entry.record.get("protoPayload")
    if labelled or not isinstance(proto, dict):
        return labelled
    spoken_of = _SPOKEN_OF.search(str(proto.get("resourceName", "")))
    response = proto.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    created = status.get("latestCreatedRevisionName", "") if isinstance(status, dict) else ""
    return spoken_of[1] if spoken_of else str(created)


def is_system(entry: Entry) -> bool:
    """Tell whether the platform wrote it."""
    return entry.log_name.endswith("varlog%2Fsystem")


def is_exit(entry: Entry) -> bool:
    """Tell whether a container's process ended here."""
    return is_system(entry) and _EXIT.match(str(entry.record.get("textPayload", ""))) is not None


def is_start(entry: Entry) -> bool:
    """Tell whether an instance was starting here."""
    return is_system(entry) and _START.search(str(entry.record.get("textPayload", ""))) is not None


def is_failed_probe(entry: Entry) -> bool:
    """Tell whether the platform found that a process does not listen."""
    return is_start(entry) and _FAILED_PROBE.search(str(entry.record.get("textPayload", ""))) is not None


def lives_of(entries: Sequence[Entry]) -> list[Life]:
    """Cut the entries of each instance behind its exits."""
    places: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda one: (one.time, one.id)):
        if entry.instance:
            places[revision_of(entry), entry.instance].append(entry)
    return [life for (revision, instance), own in places.items() for life in _cut(revision, instance, own)]


def _cut(revision: str, instance: str, entries: Sequence[Entry]) -> Iterator[Life]:
    pieces: list[list[Entry]] = [[]]
    exited: int | None = None
    for entry in entries:
        is_next = is_exit(entry) or is_start(entry) or (exited is not None and entry.time > exited + SECOND)
        if exited is not None and is_next and not is_failed_probe(entry):
            pieces.append([])
            exited = None
        pieces[-1].append(entry)
        exited = entry.time if is_exit(entry) else exited
    for number, piece in enumerate(pieces):
        exits = [one for one in piece if is_exit(one)]
        end = exits[0] if exits else piece[-1]
        started = any(is_start(one) for one in piece)
        probes = [one for one in piece if is_start(one)]
        failed = bool(exits and not _ORDERLY.match(str(end.record["textPayload"])))
        failed = failed or bool(probes and is_failed_probe(probes[-1]))
        answered = any(one.http and int(one.http.get("status") or 0) < _FAILS for one in piece)
        yield Life(instance, revision, piece[0].time, end.time, bool(exits), started, number == 0, failed, answered)


def exposure_of(entries: Sequence[Entry], lives: Sequence[Life]) -> Json:
    """Count requests, WebSocket sessions, starts and lives; None where no log tells."""
    requests = [entry.http for entry in entries if entry.http and entry.log_name.endswith("requests")]
    opened = {_path(http) for http in requests if str(http.get("status")) == "101"}
    sessions = sum(_is_session(http, opened) for http in requests)
    starts = sum(life.started or not life.is_first for life in lives)
    system = any(is_system(entry) for entry in entries)
    marked = [entry for entry in entries if entry.http and entry.log_name.endswith("requests")]
    probed = _probed(entries)
    if not {_route(entry) for entry in marked} - probed:
        probed = set()
    asked = [entry for entry in marked if not _is_probe(entry.http or {}) and _route(entry) not in probed]
    answered = {_route(entry) for entry in marked if not 400 <= _status(entry) < 500}
    routes = Counter((_route(entry), entry in asked) for entry in marked)
    instances = Counter(entry.instance for entry in asked)
    everywhere = {entry.instance for entry in marked if entry.instance}
    return {
        "requests": len(requests) or None,
        "requests_margin": 0,
        "sessions": sessions if requests else None,
        "starts": starts if starts or system else None,
        "lives": len(lives) or None,
        "failed": sum(_is_failed(entry) for entry in marked),
        "probes": len(marked) - len(asked),
        "refused": sum(400 <= _status(entry) < 500 and _route(entry) not in answered for entry in marked),
        "retries": 0,
        "routes": sorted(routes.values()),
        "instances": [instances[name] for name in sorted(everywhere)],
    }


def _status(entry: Entry) -> int:
    return int((entry.http or {}).get("status") or 0)


def _is_failed(entry: Entry) -> bool:
    """Tell whether a request is of level WARNING or above: by its severity, else by its answer."""
    severity = entry.record.get("severity")
    if severity in {None, "", "DEFAULT"}:
        return _status(entry) >= 400
    return severity in {"WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"}


def _probed(entries: Sequence[Entry]) -> set[str]:
    """Return the routes that lines of the platform call probed."""
    texts = [str(entry.record.get("textPayload")) for entry in entries if is_system(entry)]
    paths = [text.partition(' path "')[2].partition('"')[0] for text in texts if " HTTP probe " in text]
    return {_route_of(path) for path in paths if len(path) > 1}


def _is_probe(http: Json) -> bool:
    agent = str(http.get("userAgent", ""))
    return agent.startswith(("GoogleHC/", "kube-probe/", "GoogleStackdriverMonitoring-UptimeChecks"))


def _route(entry: Entry) -> str:
    """Return the path of a request without the parts that have a digit."""
    return _route_of(_path(entry.http or {}))


def _route_of(path: str) -> str:
    return "/".join("*" if any(map(str.isdigit, part)) else part for part in path.split("/"))


def _path(http: Json) -> str:
    """Return the path of a request's address."""
    return re.sub(r"^\w+://[^/]*", "", str(http.get("requestUrl", ""))).partition("?")[0]


def _is_session(http: Json, opened: set[str]) -> bool:
    status = int(http.get("status") or 0)
    return _path(http) in opened and (status == 101 or status >= 400)
