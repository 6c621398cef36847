"""Input records, indexed by insertId, with the words that they really contain."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forensics.text.redact import redact, visible
from forensics.text.timestamps import parse_duration, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Record = dict[str, Any]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_PAYLOADS = ("textPayload", "jsonPayload", "protoPayload", "httpRequest")
_NEAR = 2_000_000_000
"""Pieces of one message lie this close together (nanoseconds)."""


def plain_words(text: str) -> str:
    """Make texts comparable: no control codes, blanks collapsed."""
    return " ".join(visible(_ANSI.sub("", text)).split())


def leaves(value: Any) -> Iterator[str]:
    """Yield every text and number of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield value
        if value.lstrip()[:1] in {"{", "["}:
            try:
                yield from leaves(json.loads(value))
            except ValueError:
                return
    elif value is not None:
        yield str(value)


class Entry:
    """One record of the input."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.id = str(record.get("insertId", ""))
        self.timestamp = str(record.get("timestamp", ""))
        self.log_name = str(record.get("logName", ""))
        self.trace = str(record.get("trace", ""))
        labels = record.get("labels")
        self.instance = str(labels.get("instanceId", "")) if isinstance(labels, dict) else ""
        self.http = record.get("httpRequest") if isinstance(record.get("httpRequest"), dict) else None

    @cached_property
    def time(self) -> int:
        """Nanoseconds; 0 where the record has no time that can be read."""
        try:
            return parse_time(self.timestamp)
        except ValueError:
            return 0

    @cached_property
    def end(self) -> int:
        """When a request was answered; of other entries their time."""
        latency = self.http.get("latency") if self.http else None
        try:
            return self.time + (parse_duration(latency) if isinstance(latency, str) else 0)
        except ValueError:
            return self.time

    @cached_property
    def words(self) -> str:
        """Everything that the record says."""
        return plain_words("\n".join(leaves(self.record)))

    @cached_property
    def redacted(self) -> str:
        """The same as it may be quoted."""
        return plain_words(redact("\n".join(leaves(self.record))))

    @cached_property
    def payload(self) -> str:
        """Its contents without identity, time and place."""
        own = {key: self.record.get(key) for key in _PAYLOADS}
        return plain_words("\n".join(leaves(own)))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The texts of a structured payload, one by one, as they may be quoted."""
        texts = {plain_words(redact(text)) for text in leaves(self.record.get("jsonPayload"))}
        return tuple(sorted(texts - {""}))

    def says(self, text: str) -> bool:
        """Tell whether the record holds a text, as received or redacted; of a structured one also field after field."""
        if text in self.redacted or text in self.words:
            return True
        return any(text.startswith(f"{field} ") and self.says(text[len(field) + 1 :]) for field in self.fields)


class Source:
    """All records of a run."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.entries = [Entry(record) for record in records]
        self._by_id: dict[str, list[Entry]] = defaultdict(list)
        self._streams: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self._by_id[entry.id].append(entry)
            self._streams[entry.log_name, entry.instance].append(entry)
        for stream in self._streams.values():
            stream.sort(key=lambda entry: (entry.time, entry.id))

    def find(self, insert_id: str, timestamp: str | None = None) -> Entry | None:
        """Return the record of an insertId (and time); None when the input has none."""
        fits = self._by_id.get(insert_id, [])
        return next((one for one in fits if timestamp in {None, one.timestamp}), None)

    def around(self, entry: Entry) -> Sequence[Entry]:
        """Return what the same stream of the same instance says within two seconds."""
        stream = self._streams[entry.log_name, entry.instance]
        return [one for one in stream if abs(one.time - entry.time) <= _NEAR]

    def holds(self, entry: Entry, text: str) -> bool:
        """Tell whether an entry, or one of the pieces of its message, contains a text."""
        if entry.says(text):
            return True
        near = self.around(entry)
        if any(one.says(text) for one in near):
            return True
        return text in plain_words("".join(_message(one) for one in near)) or text in plain_words(
            redact("\n".join(_message(one) for one in near))
        )


def _message(entry: Entry) -> str:
    text = entry.record.get("textPayload")
    return text if isinstance(text, str) else ""
