"""The kinds of evidence, one module each: a why and its scene in, what shows it out.

A kind is added by a module with `gather(why, context) -> EvidenceResult` and its line in `EVIDENCE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.whys.evidence import (
    commits,
    compare,
    deploys,
    entries,
    frames,
    linked,
    seen,
    since,
    tests,
    unnoticed,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from forensics.model import WhyRule
    from forensics.whys.contexts import ClusterContext, EvidenceResult

EVIDENCE: Mapping[str, Callable[[WhyRule, ClusterContext], EvidenceResult]] = {
    "entries": entries.gather,
    "linked": linked.gather,
    "values": values.gather,
    "frames": frames.gather,
    "deploys": deploys.gather,
    "compare": compare.gather,
    "commits": commits.gather,
    "tests": tests.gather,
    "seen": seen.gather,
    "since": since.gather,
    "unnoticed": unnoticed.gather,
}

__all__ = ["EVIDENCE"]
