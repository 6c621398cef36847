"""Pull the entries of a revision from Cloud Logging into a case, page by page, as they are received.

`find_revision` (resolve a revision's name, start and predecessor; suggest the nearest names), `plan` (which listings a
case still needs), `neighbourhoods` (time windows around errors), `known_entries` (which entries a case holds already),
`run_pull` (all of these together), `follow_case` (entries as they arrive), `given_case` (a case as the input of an
analysis). A pull of everything is one listing. A pull of errors is several, recorded in the case under one number, so
that a killed pull continues where it stopped.
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
