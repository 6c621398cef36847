"""The least that must be known about each entry to name causes, as bare loops.

`search_words` finds which rules might match. `judge` does instead what a document about causes needs beside a table of
errors: the time of each entry, to sort them; for each text that a rule might match, which patterns of the rules it
contains, in the fastest known way (`forensics.classify.pattern_set`), and whether it contains an exception, by one
search; for an error without a pattern, its first line without numbers. `link` also finds what was logged near the end
of each failed request. No messages are joined, no levels or closes are read from texts, and nothing is captured,
counted by life or request, tested against chance, cited or ranked.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import re2
from forensics.classify.conditions import leaves
from forensics.classify.leaves import pattern
from forensics.classify.needed_words import needed_words
from forensics.classify.pattern_set import PatternSet
from forensics.rulebook import load_rules

from floors.bare import PartResult, tell
from floors.loops import SERIOUS, is_claimable, message_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from floors.bare import Look
    from floors.loops import Entry

_MINUTE = len("2026-03-02T00:41:")
_DIGITS = len("13123456789")
_EXCEPTION = re.compile(r"^[\w.$]+(?:Error|Exception)\b", re.MULTILINE)
_NUMBER = re.compile(r"\d+")
_SERVER_ERROR = 500
_BEFORE, _AFTER = 3 * 10**9, 25 * 10**7
"""Nanoseconds around the end of a request."""


def rule_patterns() -> tuple[str, ...]:
    """List the patterns of the shipped rules and of their whys."""
    rules, _ = load_rules()
    conditions = [rule.condition for rule in rules]
    conditions += [why.condition for rule in rules for why in rule.whys if why.condition is not None]
    texts = {text for condition in conditions for leaf in leaves(condition) if (text := pattern(leaf)) is not None}
    return tuple(sorted(texts))


def search_words(patterns: Iterable[str]) -> Look:
    """Prepare the search for words: in each error by itself, since its rule must be known; in the rest at once."""
    match = _words_of(patterns).Match

    def look(entries: list[Entry], result: PartResult) -> None:
        others = []
        for entry in filter(is_claimable, entries):
            result.claimable += 1
            if entry.severity in SERIOUS:
                match(message_of(entry).encode("utf-8", "replace").lower())
            else:
                others.append(message_of(entry))
        match("\n".join(others).encode("utf-8", "replace").lower())

    return look


def judging(patterns: Sequence[str]) -> Look:
    """Prepare what `judge` does with each entry; compiling the patterns counts as start-up."""
    return partial(_judge, PatternSet(patterns), {})


def judge(log: Path, name: bytes, look: Look, out: Path) -> list[tuple[int, int]]:
    """Judge all entries, write the table of errors, and return times and identities of all entries in order."""
    return _ordered(tell(log, name, look, out))


def linking(patterns: Sequence[str]) -> Look:
    """Prepare what `link` does with each entry."""
    return partial(_note, partial(_judge, PatternSet(patterns), {}))


def link(log: Path, name: bytes, look: Look, out: Path) -> int:
    """Judge all entries, and count those near the ends of failed requests on the same instance."""
    results = tell(log, name, look, out)
    _ordered(results)
    logged: dict[str, list[int]] = {}
    for result in results:
        for instance, times in result.logged.items():
            logged.setdefault(instance, []).extend(times)
    for lines in logged.values():
        lines.sort()
    return sum(
        bisect_right(logged[instance], end + _AFTER) - bisect_left(logged[instance], end - _BEFORE)
        for result in results
        for instance, end in result.failed
    )


def _ordered(results: Sequence[PartResult]) -> list[tuple[int, int]]:
    return sorted(chain.from_iterable(zip(result.times, result.identities, strict=True) for result in results))


def _note(judged: Look, entries: list[Entry], result: PartResult) -> None:
    """Judge entries, and record by instance when those that a rule might match were logged, and when failures ended."""
    at = len(result.times)
    judged(entries, result)
    for entry, time in zip(entries, result.times[at:], strict=True):
        if is_claimable(entry):
            instance, request = entry.labels.instanceId, entry.httpRequest
            times = result.logged.get(instance)
            if times is None:
                times = result.logged[instance] = array("q")
            times.append(time)
            if request is not None and request.status >= _SERVER_ERROR:
                result.failed.append((instance, time + int(float(request.latency[:-1] or 0) * 1e9)))


def _judge(patterns: PatternSet, minutes: dict[str, int], entries: list[Entry], result: PartResult) -> None:
    result.times.extend([_time(entry.timestamp, minutes) for entry in entries])
    for entry in filter(is_claimable, entries):
        message = message_of(entry)
        hits = tuple(patterns.find(message.encode("utf-8", "replace")))
        result.hits[hits] += 1
        result.exceptions += _EXCEPTION.search(message) is not None
        if not hits and entry.severity in SERIOUS:
            result.groups[_NUMBER.sub("#", message.partition("\n")[0])] += 1


def _time(text: str, minutes: dict[str, int]) -> int:
    """Return nanoseconds; minutes are cached, since most entries share one."""
    minute = minutes.get(text[:_MINUTE])
    if minute is None:
        minute = int(datetime.fromisoformat(f"{text[:_MINUTE]}00Z").timestamp()) * 10**9
        minutes[text[:_MINUTE]] = minute
    return minute + int((text[_MINUTE : _MINUTE + 2] + text[_MINUTE + 3 : -1]).ljust(_DIGITS, "0"))


def _words_of(patterns: Iterable[str]) -> re2.Set:
    words = sorted({word for text in patterns for word in needed_words(text) or ()})
    options = re2.Options()
    options.literal = options.never_capture = True
    options.max_mem = 32 << 20
    built = re2.Set.SearchSet(options)
    for word in words:
        built.Add(word)
    built.Compile()
    return built
