"""Find who sent a request and what it delivers, by which attempts are told from new requests, and who only probes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forensics.entries.raw_fields import route_of
from forensics.text.nested_values import dict_at
from forensics.text.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forensics.model import LogEntry

_DEEPEST = 3
_DELIVERIES = frozenset({"messageid", "pubsubmessageid", "taskname", "cloudtaskstaskname", "xcloudtaskstaskname"})
"""Keys of the message of Pub/Sub or the task of Cloud Tasks in payloads, in lower case and as one word."""
_DIGITS = 6
"""Digits that an id has at least: codes of messages, such as ERR_1001, are the same in each failure."""
_MAY_NAME = WordSearch(
    *("essage_id", "essageId", "essageID", "essage-id", "essage id", "ESSAGE_ID"),
    *("ask_name", "askName", "TaskName", "taskname", "ask-name", "ask name", "TASK_NAME"),
)
"""Words without which the pattern, which costs ten times as much, finds nothing."""
_SEARCHED = 4_000
"""Characters of a text in which its message is named, if at all."""
# Processing message 12345678 failed; messageId=12345678; X-CloudTasks-TaskName: 3141592653
_DELIVERY = re.compile(
    r"(?:message[ _-]?id|task[ _-]?name)[\"']?(?: is |\s?[:= ]\s?)[\"']?([\w./-]{6,200})",
    re.IGNORECASE,
)
# STARTUP HTTP probe failed 1 time consecutively for container "app-1" on port 8080 path "/readyz".
_PROBED = re.compile(r" HTTP probe [^\n]{0,300}? path \"(/[^\"\s]{1,200})\"")


def client_of(entry: LogEntry) -> int:
    """Return a number that stands for what was requested and by whom; an unnamed client is one of its own."""
    http, address = entry.http, dict_at(entry.raw, "httpRequest").get("remoteIp")
    if http is None or not isinstance(address, str):
        return hash((entry.trace, "" if entry.trace else entry.insert_id)) or 1
    return hash((http.method, http.path, http.user_agent, address)) or 1


def delivery_of(entry: LogEntry) -> int:
    """Return a number that stands for the message or task that a request delivers, 0 where the entry names none.

    Pub/Sub and Cloud Tasks send again what failed, minutes later and with another trace.
    """
    text = entry.message[:_SEARCHED]
    found = _DELIVERY.search(text) if _MAY_NAME.is_in(text) else None
    in_text = [found[1]] if found else []
    names = (*_named(entry.raw.get("jsonPayload"), _DEEPEST), *_named(entry.raw.get("labels"), 1), *in_text)
    named = next((name for name in names if sum(map(str.isdigit, name)) >= _DIGITS), None)
    return hash(("delivery", named)) if named else 0


def _named(value: Any, depth: int) -> Iterator[str]:
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
    for key, held in fields.items():
        if isinstance(held, dict) and depth > 1:
            yield from _named(held, depth - 1)
        elif isinstance(held, str | int) and held and _is_delivery(key):
            yield str(held)


@lru_cache(maxsize=1024)
def _is_delivery(key: str) -> bool:
    return re.sub(r"[\W_]", "", key).lower() in _DELIVERIES


def probed_route(entry: LogEntry) -> int:
    """Return the route that a line of the platform says it probes, 0 for every other entry.

    The front page is probed too, but most who ask for it want it.
    """
    found = _PROBED.search(entry.message) if entry.stream == "system" else None
    return route_of(found[1]) if found else 0
