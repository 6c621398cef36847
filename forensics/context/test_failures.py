"""Match failed tests with the clusters of the server's log that caused them.

WebSocket close codes are seen by the client: a test prints `received 1011 (internal error) Factory SSOT validation
failed`, while the server logs other words and never the code. The two are matched by the close reason, the message, or
the time; a code alone proves nothing, because one code has many causes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.model import Cluster, ClusterId, FailureTie, Role, TestFailure, TestRun
from forensics.text.phrases import holds_any, letters, phrases_of
from forensics.text.timestamps import SECOND, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

AROUND = SECOND
"""Nanoseconds by which the clocks of server and test may differ."""
_TELLING = 12
"""Letters that a shared phrase needs to prove that both are about the same thing."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_SAYS_NOTHING = frozenset(
    (
        *("and", "are", "but", "closed", "connection", "error", "errors", "exception", "fail", "failed", "failure"),
        *("for", "from", "internal", "invalid", "not", "policy", "received", "sent", "server", "the", "then"),
        *("unexpected", "violation", "was", "with", "websocket"),
    )
)
_STEM = 4
"""Letters from which on a word also matches longer words: `auth`, `authentication`."""


def tie(run: TestRun, clusters: Sequence[Cluster], starts: Mapping[ClusterId, Sequence[int]]) -> TestRun:
    """Match each failed test with one cluster, and say by what; with none when several fit.

    `starts` holds the sorted start times of each cluster's occurrences, in nanoseconds.
    """
    notable = [cluster for cluster in clusters if cluster.role is not Role.NOISE]
    words = {cluster.id: _words_of(cluster) for cluster in notable}
    phrases = {cluster.id: [p for p in phrases_of(cluster) if letters(p) >= _TELLING] for cluster in notable}
    return replace(run, failures=tuple(_tied(failure, notable, words, phrases, starts) for failure in run.failures))


def _tied(
    failure: TestFailure,
    clusters: Sequence[Cluster],
    words: Mapping[ClusterId, frozenset[str]],
    phrases: Mapping[ClusterId, Sequence[str]],
    starts: Mapping[ClusterId, Sequence[int]],
) -> TestFailure:
    near = [c for c in clusters if _in_time(failure, starts[c.id])]
    reason_words = telling_words(failure.close_reason or "")
    fitting = (
        (FailureTie.MESSAGE, [c for c in clusters if holds_any(failure.message, phrases[c.id])]),
        (FailureTie.CLOSE_REASON, [c for c in clusters if reason_words and _has_all(words[c.id], reason_words)]),
        (FailureTie.TIME, [c for c in near if c.role.rank <= Role.MECHANISM.rank] if failure.close_code else []),
    )
    for by, candidates in fitting:
        chosen = _one(candidates, near)
        if chosen is not None:
            timed = None if failure.started is None else chosen in near
            return replace(failure, cluster=chosen.id, joined_by=by, in_time=timed)
    return failure


def _one(candidates: Sequence[Cluster], near: Sequence[Cluster]) -> Cluster | None:
    """Choose the cluster nearest to a cause; of several the only one that occurred during the test, else None."""
    best = min((c.role.rank for c in candidates), default=0)
    specific = [c for c in candidates if c.role.rank == best]
    if len(specific) > 1:
        specific = [c for c in specific if c in near]
    return specific[0] if len(specific) == 1 else None


def _in_time(failure: TestFailure, starts: Sequence[int]) -> bool:
    """Tell whether an occurrence began while the test ran."""
    if failure.started is None:
        return False
    began = parse_time(failure.started)
    ended = began + round((failure.seconds or 0.0) * SECOND)
    at = bisect_left(starts, began - AROUND)
    return at < len(starts) and starts[at] <= ended + AROUND


def telling_words(text: str) -> frozenset[str]:
    """Return the specific words of a text, in lower case: `error`, `failed`, `websocket` and the like are left out."""
    return frozenset(_words(text)) - _SAYS_NOTHING


def _words(text: str) -> Iterable[str]:
    return (word.lower() for word in _WORD.findall(text))


def _words_of(cluster: Cluster) -> frozenset[str]:
    texts = [cluster.signature or "", cluster.title, cluster.template, *(x.message for x in cluster.exemplars)]
    return frozenset(word for text in texts for word in _words(text))


def _has_all(words: frozenset[str], wanted: frozenset[str]) -> bool:
    """Tell whether each wanted word is among the words, a longer one as the beginning of a word."""
    return all(any(word.startswith(one) if len(one) >= _STEM else word == one for word in words) for one in wanted)
