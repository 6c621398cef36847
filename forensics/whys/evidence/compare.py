"""Evidence `compare`: whether it is new against a baseline."""

from __future__ import annotations

from forensics.model import Evidence, Verdict, WhyRule
from forensics.whys.scene import Gathered, Scene


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Say that a second revision is needed."""
    del why
    statement = "one revision alone does not tell whether it is new"
    step = f"analyze the revision before and look for `{scene.cluster.signature or scene.cluster.fingerprint}` there"
    evidence = Evidence(kind="compare", statement=statement)
    return Gathered(verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step=step)
