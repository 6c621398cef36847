"""Pull the entries of a revision from Cloud Logging into a case, page by page, as they are received.

`find_revision` (resolve a revision's name, start and predecessor; suggest the nearest names), `pull_groups` (what a
case records of pulls, and which time it lacks), `plan` (which listings a pull needs), `late_entries` (what arrived
after a pull), `neighbourhoods` (time windows around errors), `drawing` (how much there is; requests with which failures
are compared), `known_entries` (which entries a case holds already), `run_pull` (all of these together), `follow_case`
(entries as they arrive), `given_case` (a case as the input of an analysis). A pull of everything is one listing. A pull
of errors is several, recorded in the case under one number, so that a killed pull continues where it stopped: while the
revision is small, everything; else errors, what stands around them, and what stands around requests drawn from those
that went well.
"""

from __future__ import annotations

from forensics.pulling.find_revision import find_previous, find_start, find_target, look_for_target, say_missing
from forensics.pulling.follow_case import Follower, begin
from forensics.pulling.pull_groups import PullRequest, pulled_of
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
