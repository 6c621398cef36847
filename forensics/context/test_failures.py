"""Failures of tests and clusters in, the same failures tied to the cluster whose words they repeat out.

Close codes live on the client's side: a test says `received 1011 (internal error) Factory SSOT validation failed`, the
server says other words, and never the code. What joins the two are the close reason, the message, and the time; a code
alone joins nothing, because one code has many causes.
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
"""A server's clock and a test's may differ by this much."""
_TELLING = 12
"""Letters that a phrase needs so that two who say it speak of the same thing."""
_WORD = re.compile(r"[^\W\d_]{3,}")
_SAYS_NOTHING = frozenset(
    (
        *("and", "are", "but", "closed", "connection", "error", "errors", "exception", "fail", "failed", "failure"),
        *("for", "from", "internal", "invalid", "not", "policy", "received", "sent", "server", "the", "then"),
        *("unexpected", "violation", "was", "with", "websocket"),
    )
)
_STEM = 4
"""Letters of a word that another may begin with: `auth`, `authentication`."""


def tie(run: TestRun, clusters: Sequence[Cluster], starts: Mapping[ClusterId, Sequence[int]]) -> TestRun:
    """Tie each failure to the one cluster that it speaks of, and say by what; where several fit, to none.

    `starts` holds, in order, when each cluster's occurrences began, in nanoseconds.
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
    asked = telling_words(failure.close_reason or "")
    fitting = (
        (FailureTie.MESSAGE, [c for c in clusters if holds_any(failure.message, phrases[c.id])]),
        (FailureTie.CLOSE_REASON, [c for c in clusters if asked and _all_said(asked, words[c.id])]),
        (FailureTie.TIME, [c for c in near if c.role.rank <= Role.MECHANISM.rank] if failure.close_code else []),
    )
    for by, found in fitting:
        chosen = _one(found, near)
        if chosen is not None:
            timed = None if failure.started is None else chosen in near
            return replace(failure, cluster=chosen.id, joined_by=by, in_time=timed)
    return failure


def _one(found: Sequence[Cluster], near: Sequence[Cluster]) -> Cluster | None:
    """Choose the most specific; between equals the one that happened while the test ran; never by chance."""
    best = min((c.role.rank for c in found), default=0)
    specific = [c for c in found if c.role.rank == best]
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
    """Return the words of a text that say what happened, not merely that something did."""
    return frozenset(_words(text)) - _SAYS_NOTHING


def _words(text: str) -> Iterable[str]:
    return (word.lower() for word in _WORD.findall(text))


def _words_of(cluster: Cluster) -> frozenset[str]:
    said = [cluster.signature or "", cluster.title, cluster.template, *(x.message for x in cluster.exemplars)]
    return frozenset(word for text in said for word in _words(text))


def _all_said(asked: frozenset[str], said: frozenset[str]) -> bool:
    return all(any(word.startswith(ask) if len(ask) >= _STEM else word == ask for word in said) for ask in asked)
