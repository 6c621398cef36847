"""Explain clusters: the five whys, each with its evidence and verdict."""

from __future__ import annotations

from forensics.whys.causal_steps import complete
from forensics.whys.contexts import ClusterContext, NearbyEntries, RunContext
from forensics.whys.effects import effect_of
from forensics.whys.evidence import EVIDENCE
from forensics.whys.explain import explain
from forensics.whys.rollbacks import one_rollback

__all__ = [
    "EVIDENCE",
    "ClusterContext",
    "NearbyEntries",
    "RunContext",
    "complete",
    "effect_of",
    "explain",
    "one_rollback",
]
