"""Clusters, links and everything around them in, findings out: the five whys with their evidence."""

from __future__ import annotations

from forensics.whys.causal_steps import complete
from forensics.whys.contexts import Neighbours, Scene, Stage
from forensics.whys.explain import explain

__all__ = ["Neighbours", "Scene", "Stage", "complete", "explain"]
