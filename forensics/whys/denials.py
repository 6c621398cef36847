"""Decide whether a sentence may say that something is not there.

A denial is printed only where the logs that would hold the thing are here whole, and nothing of its kind is near. Who
reads an untrue one looks in the wrong place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.whys.evidence import EVIDENCE
from forensics.whys.recording import APPLICATION, absent, is_kept, is_whole

if TYPE_CHECKING:
    from forensics.model import WhyRule
    from forensics.whys.contexts import ClusterContext

_NAMES = {
    APPLICATION: "stdout and stderr",
    "requests": "the requests log",
    "system": "the system log (run.googleapis.com/varlog/system)",
    "audit": "the audit log (cloudaudit.googleapis.com)",
}


def may_deny(why: WhyRule, context: ClusterContext) -> bool:
    """Tell whether what a why looked for in vain would have been recorded, and nothing of its kind is near."""
    kind, run = EVIDENCE[why.evidence_kind], context.run
    logs = kind.looks_in(why, context)
    is_recorded = bool(logs) and is_whole(run.coverage) and all(is_kept(log, run) for log in logs)
    return is_recorded and not kind.is_near(why, context)


def step_to_pull(why: WhyRule, context: ClusterContext) -> str | None:
    """Name the logs that would hold what a why looks for and that are not here."""
    lacking = absent(EVIDENCE[why.evidence_kind].looks_in(why, context), context.run.coverage)
    names = [_NAMES[log] for log in lacking if log in _NAMES]
    return f"pull {' and '.join(names)} of the same minutes" if names else None
