"""Clusters, links and everything around them in, findings out: the five whys with their evidence."""

from __future__ import annotations

from forensics.whys.explain import explain
from forensics.whys.scene import Neighbours, Scene, Stage
from forensics.whys.steps import complete

__all__ = ["Neighbours", "Scene", "Stage", "complete", "explain"]
