"""The journal and the lives of a revision in, how often it could have failed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Exposure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.journal import Journal
    from forensics.model import Life


def measure_exposure(journal: Journal, lives: Sequence[Life], logs: Mapping[str, int]) -> Exposure:
    """Count requests, WebSocket sessions and instance starts; `logs` are the entries by stream.

    No request log and no traffic look alike in the entries of one revision: both are None here, not 0.
    """
    requests = sum(n for code, n in journal.counts.items() if journal.gist_table[code].is_request)
    starts = sum(life.started or life.number > 1 for life in lives)
    return Exposure(
        requests=requests or None,
        sessions=_sessions(journal.handshakes) if requests else None,
        starts=starts if starts or logs.get("system") else None,
        lives=len(lives) or None,
    )


def _sessions(handshakes: Mapping[tuple[int, bool], int]) -> int:
    """Add up what opened a WebSocket, and what failed on the path of one that did open."""
    paths = {path for path, opened in handshakes if opened}
    return sum(n for (path, _), n in handshakes.items() if path in paths)
