"""Make records of table rows: columns such as `resource.labels.project_id` are nested, empty cells left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.sources.api_keys import ANY_KEYS, API_NAMES, OTHER_PAYLOADS, PAYLOADS
from forensics.sources.json.json_values import NotJsonError, decode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    Path = tuple[str, ...]

# labels."compute.googleapis.com/resource_id" has two parts, jsonPayload.@type too.
_STRICT_PART = r'"(?:[^"\\]|\\.)*"|[^."]+'
_PATH = re.compile(rf"(?:{_STRICT_PART})(?:\.(?:{_STRICT_PART}))*")
# Of a name that is no path, what is quoted and not closed is one part, up to the end.
_PART = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)|([^."]+)', re.DOTALL)
# gcloud heads a column with the last part of its path.
_LAST_PARTS: dict[str, Path] = {
    "message": ("jsonPayload", "message"),
    "msg": ("jsonPayload", "msg"),
    "status": ("httpRequest", "status"),
    "latency": ("httpRequest", "latency"),
    "request_method": ("httpRequest", "requestMethod"),
    "request_url": ("httpRequest", "requestUrl"),
    "user_agent": ("httpRequest", "userAgent"),
    "service_name": ("resource", "labels", "service_name"),
    "revision_name": ("resource", "labels", "revision_name"),
    "configuration_name": ("resource", "labels", "configuration_name"),
    "project_id": ("resource", "labels", "project_id"),
    "location": ("resource", "labels", "location"),
    "instance_id": ("labels", "instanceId"),
}
_ANY_PAYLOADS = PAYLOADS | OTHER_PAYLOADS
# Other tables have times, severities, messages and resources, too.
_LOG_KEYS = _ANY_PAYLOADS | {"logName", "log_name", "receiveTimestamp", "receive_timestamp"}


def path_of(name: str) -> Path | None:
    """Return the path of a column in a record; None when the column's name is no known field."""
    return _api_path(name.strip()) or _LAST_PARTS.get(name.strip())


def _api_path(name: str) -> Path | None:
    parts = tuple(quoted or plain for quoted, plain in _PART.findall(name))
    if not parts or parts[0] not in ANY_KEYS or not _PATH.fullmatch(name):
        return None
    # The keys of labels hold dots themselves, and are not always quoted: labels.x, resource.labels.x
    place = parts.index("labels") if "labels" in parts[:2] else len(parts)
    return parts if place >= len(parts) - 1 else (*parts[: place + 1], ".".join(parts[place + 1 :]))


def is_log_header(names: Sequence[str]) -> bool:
    """Tell whether these are the column names of a table of log entries."""
    paths = [path for name in names if (path := path_of(name))]
    if len(names) == 1:
        return any(path[0] in _ANY_PAYLOADS for path in paths)
    if any(_tells(path) for name in names if (path := _api_path(name.strip()))):
        return len(paths) > 1
    # `timestamp,severity,message` and nothing else
    return len(paths) == len(names) and any(path[0] in _ANY_PAYLOADS for path in paths)


def _tells(path: Path) -> bool:
    return path[0] in _LOG_KEYS or (path[0] == "resource" and len(path) > 1)


def record_of(paths: Sequence[Path], cells: Sequence[str]) -> dict[str, Any]:
    """Make a record of the cells of a row; a cell with a whole object (`jsonPayload`, `labels`) is decoded."""
    record: dict[str, Any] = {}
    for path, cell in zip(paths, cells, strict=False):
        if cell:
            _put(record, path, _whole(cell) if _is_object(path) else cell)
    return record


def _is_object(path: Path) -> bool:
    name = API_NAMES.get(path[0], path[0])
    return (len(path) == 1 and name not in {"textPayload", "severity", "trace"}) or path == ("resource", "labels")


def _whole(cell: str) -> Any:
    if cell[0] not in "{[":
        return cell
    try:
        return decode_json(cell.encode())
    except NotJsonError:
        return cell


def _put(record: dict[str, Any], path: Path, value: Any) -> None:
    inner: Any = record
    for part in path[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):  # a column `a` and another `a.b`
            record[".".join(path)] = value
            return
    beside = inner.setdefault(path[-1], value)
    if isinstance(beside, dict) and isinstance(value, dict):
        inner[path[-1]] = value | beside
