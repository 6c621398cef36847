"""The component that a root cause names: a line of code, an address, a resource, or the service itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forensics.log.entry_table import EntryTable
    from forensics.model import Cluster, FrameRef

_NAMED_BY = (
    "host",
    "upstream",
    "url",
    "instance",
    "api",
    "target",
    "module",
    "missing",
    "library",
    "image",
    "secret",
    "key",
    "network",
    "volume",
    "bucket",
    "table",
    "database",
    "queue",
    "topic",
    "resource",
    "server",
    "container",
    "project",
    "consumer",
    "sender",
    "route",
)
"""Captures that name a thing, the most telling first."""

_NO_FILES = ("Native Method", "Unknown Source")
"""What Java writes in place of a file."""


def component_of(cluster: Cluster, services: Iterable[str]) -> str:
    """Name what failed: the application's own line, what the entries name, a library's line, or the service."""
    frame = cluster.frame
    if frame and frame.in_app is not False and frame.file not in _NO_FILES:
        return _line_of(frame)
    named = next((cluster.captures[name][0][0] for name in _NAMED_BY if cluster.captures.get(name)), "")
    if named:
        return _with_port(named, cluster)
    if frame and frame.file not in _NO_FILES:
        return _line_of(frame)
    found = {service for service in services if service}
    return found.pop() if len(found) == 1 else ""


def services_of(rows: Iterable[int], table: EntryTable) -> set[str]:
    """Return the names of the services or jobs that wrote these entries."""
    return {table.label_sets[label_set].service for label_set in set(map(table.label_ids.__getitem__, rows))}


def _line_of(frame: FrameRef) -> str:
    return f"{frame.file}:{frame.line}" if frame.line else frame.file


def _with_port(name: str, cluster: Cluster) -> str:
    """Add the port of an address that was captured without it."""
    ports = cluster.captures.get("port") or ()
    return f"{name}:{ports[0][0]}" if ports and ":" not in name and "/" not in name else name
