"""A revision and a span of time in, a case out: what Cloud Logging gives is put away page by page, as it was received.

`finding` (which revision is meant, and since when it serves; the nearest names when there is none), `plan` (what is
asked for, and what a case lacks of it), `around` (where errors stand, so that their neighbourhood can be asked for),
`known` (which entries a case holds already), `running` (all of these together), `following` (entries as they arrive). A
pull of everything is one listing; a pull of errors is several, noted in the case under one number, so that one that was
killed goes on where it stopped.
"""

from __future__ import annotations

from forensics.pulling.find_revision import find_previous, find_start, find_target, look_for_target, say_missing
from forensics.pulling.follow_case import Follower, begin
from forensics.pulling.plan import PullRequest, pulled_of
from forensics.pulling.run_pull import NoObserver, PullObserver, pull

__all__ = [
    "Follower",
    "NoObserver",
    "PullObserver",
    "PullRequest",
    "begin",
    "find_previous",
    "find_start",
    "find_target",
    "look_for_target",
    "pull",
    "pulled_of",
    "say_missing",
]
