"""Clusters, links and everything around them in, findings out: the five whys with their evidence."""

from __future__ import annotations

from forensics.whys.causal_steps import complete
from forensics.whys.contexts import ClusterContext, NearbyEntries, RunContext
from forensics.whys.explain import explain

__all__ = ["ClusterContext", "NearbyEntries", "RunContext", "complete", "explain"]
