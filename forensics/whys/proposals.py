"""Propose a rule file for a cluster that no rule knows; YAML is written here, never read.

The file is a start: it says what was seen, not why. A person gives it a better title, its class and its whys.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from forensics.model import Level
from forensics.text.phrases import ENOUGH, fixed_parts, letters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forensics.model import Cluster

_WORD = re.compile(r"[a-z]{2,20}", re.ASCII)
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What has a meaning in a pattern of RE2."""
_IN_ANY_ERROR = frozenset(
    ("traceback (most recent call last)", "exception in worker process", "unhandled exception", "uncaught exception")
)
_TYPE_ALONE = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt|Exit)\w*:?")
"""builtins.KeyError:"""
_BETWEEN = ".*"
_NAME_WORDS = 4
_LOWEST = Level.DEBUG
_QUIET = {"severity": Level.DEBUG.value}


def propose_rule(cluster: Cluster) -> str:
    """Write a rule file that claims the cluster's cited entries; "" where they have no words to know them by.

    The pattern is made of their fixed words, escaped: what a log says is never a pattern.
    """
    parts = _parts(cluster)
    if cluster.signature is not None or not parts:
        return ""
    return "\n".join([*_head(cluster, parts), *_match(cluster, parts), *_tests(cluster, parts), ""])


def escaped(text: str) -> str:
    """Write text as a pattern of RE2 that matches this text alone."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(0), text)


def _parts(cluster: Cluster) -> tuple[str, ...]:
    """Choose the fixed words of the exception, else of the first citation, that all citations share in this order."""
    messages = [exemplar.message for exemplar in cluster.exemplars]
    for text in _sources(cluster, messages):
        parts = fixed_parts(text)
        while parts and not all(_fits(parts, message) for message in messages):
            parts = parts[:-1]
        if sum(map(letters, parts)) >= ENOUGH and not _says_nothing(parts):
            return parts
    return ()


def _sources(cluster: Cluster, messages: Sequence[str]) -> Iterator[str]:
    if cluster.exception is not None:
        yield f"{cluster.exception.type}: {cluster.exception.value}"
        yield cluster.exception.value
    # A shortened traceback joins lines that stand apart in the entry.
    yield from (piece for message in messages[:1] for piece in reversed(message.split(" … ")))
    yield cluster.template


def _says_nothing(parts: Sequence[str]) -> bool:
    """Tell whether these words stand in any error: the first line of a traceback, or the type of an exception alone."""
    return len(parts) == 1 and (
        parts[0].casefold().rstrip(":") in _IN_ANY_ERROR or _TYPE_ALONE.fullmatch(parts[0]) is not None
    )


def _fits(parts: Sequence[str], message: str) -> bool:
    """Tell whether a message holds the parts one behind the other on one line."""
    return any(_in_order(parts, line.casefold()) for line in message.split("\n"))


def _in_order(parts: Sequence[str], line: str) -> bool:
    at = 0
    for part in parts:
        found = line.find(part.casefold(), at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _head(cluster: Cluster, parts: Sequence[str]) -> Iterator[str]:
    name = "-".join(islice(_WORD.findall(" ".join(parts).lower()), _NAME_WORDS)) or "unnamed"
    yield f"id: {name}-{cluster.fingerprint[:6]}"
    yield "version: 1"
    yield f"title: {_string(_title(parts))}"
    yield f"class: {cluster.failure_class.value}"
    yield f"role: {cluster.role.value}"
    yield f"priority: {cluster.priority.value}"


def _title(parts: Sequence[str]) -> str:
    return " … ".join(parts)[:120].rstrip(" .…") or "unnamed"


def _match(cluster: Cluster, parts: Sequence[str]) -> Iterator[str]:
    yield "match:"
    if _level(cluster) is not None:
        yield f"  level: {{at_least: {_level(cluster)}}}"
    yield f"  message: {{regex: {_string(_BETWEEN.join(map(escaped, parts)))}}}"


def _level(cluster: Cluster) -> str | None:
    """Return the lowest level of the citations, None where that is so low that it tells nothing."""
    lowest = min((exemplar.level for exemplar in cluster.exemplars), key=lambda level: level.rank)
    return lowest.value if lowest.rank > _LOWEST.rank else None


def _tests(cluster: Cluster, parts: Sequence[str]) -> Iterator[str]:
    yield "tests:"
    yield "  match:"
    yield from map(_example, _matching(cluster))
    yield "  no_match:"
    yield from map(_example, _near_misses(cluster, parts))


def _matching(cluster: Cluster) -> list[dict[str, object]]:
    """Take two citations that say different things; of one only, make the second by where it stands."""
    shown = {exemplar.message: exemplar for exemplar in reversed(cluster.exemplars)}
    chosen = list(reversed(shown.values()))[:2]
    examples: list[dict[str, object]] = [{"severity": x.level.value, "textPayload": x.message} for x in chosen]
    if len(examples) == 1:
        one = chosen[0]
        examples.append({"severity": one.level.value, "jsonPayload": {"message": one.message}})
    return examples


def _near_misses(cluster: Cluster, parts: Sequence[str]) -> list[dict[str, object]]:
    """Leave words away, and where the level counts say the same more quietly."""
    first = cluster.exemplars[0]
    text = first.message
    notable = {"severity": first.level.value}
    found: list[dict[str, object]] = [{**_QUIET, "textPayload": text}] if _level(cluster) is not None else []
    for shorter in (_without_last_word(parts), parts[0][: max(1, len(parts[0]) // 2)].strip()):
        misses = [example.get("textPayload") for example in found[1:]]
        if shorter and not _fits(parts, shorter) and shorter not in misses:
            found.append({**notable, "textPayload": shorter})
    for filler in ("something else was said", "another thing happened"):
        if len(found) < 2:  # noqa: PLR2004 - a rule has two near misses at least
            found.append({**notable, "textPayload": filler})
    return found[:2]


def _without_last_word(parts: Sequence[str]) -> str:
    words = " ".join(parts).split()
    return " ".join(words[:-1])


def _example(record: Mapping[str, object]) -> str:
    return f"    - {msgspec.json.encode(record).decode()}"


def _string(text: str) -> str:
    """Write text in double quotes as JSON does, which YAML reads alike."""
    return msgspec.json.encode(text).decode()
