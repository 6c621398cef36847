"""Write the query of Cloud Logging that finds the entries of a cluster; words of a log are quoted text in it.

In that language a text in double quotes is looked for in all fields, without regard to case; inside, only the
backslash and the quote have a meaning, and both are escaped here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.model import Level
from forensics.text.phrases import phrases_of
from forensics.text.redact import visible

if TYPE_CHECKING:
    from forensics.model import Cluster

_REQUEST = re.compile(r"(?P<status>[1-5]\d\d) [A-Z]{2,10} ")
"""500 GET /ws"""
_NONE = "(none)"


def cluster_query(cluster: Cluster, service: str | None) -> str:
    """Write a query for the entries of a cluster in whatever revision of its service they may come again.

    Without the service's name the query asks for the cluster's own revision. Each line is ANDed with the others.
    """
    lines = [*_place(cluster, service), *_severity(cluster), *_words(cluster)]
    return "\n".join(lines)


def quoted(text: str) -> str:
    """Write text as a string of the query language: on one line, and nothing in it ends the string."""
    line = visible(text).replace("\n", " ").replace("\t", " ")
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _place(cluster: Cluster, service: str | None) -> list[str]:
    if service:
        return [f"resource.labels.service_name={quoted(service)}"]
    return [f"resource.labels.revision_name={quoted(cluster.revision)}"] if cluster.revision else []


def _severity(cluster: Cluster) -> list[str]:
    """Ask for the lowest severity that its entries have; not at all where one of them has none."""
    names = set(cluster.entries_by_severity)
    if not names or _NONE in names or not names <= {level.value for level in Level}:
        return []
    lowest = min((Level(name) for name in names), key=lambda level: level.rank)
    return [f"severity>={lowest.value}"] if lowest.rank else []


def _words(cluster: Cluster) -> list[str]:
    statuses = sorted({found["status"] for x in cluster.exemplars if (found := _REQUEST.match(x.message))})
    if statuses and all(x.log_name.endswith("requests") for x in cluster.exemplars):
        return [f"httpRequest.status=({' OR '.join(statuses)})"]
    phrases = [quoted(one) for one in phrases_of(cluster)]
    if not phrases:
        return []
    return [phrases[0] if len(phrases) == 1 else f"({' OR '.join(phrases)})"]
