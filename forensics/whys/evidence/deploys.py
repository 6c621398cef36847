"""Evidence `deploys`: who deployed what image when, from the audit log."""

from __future__ import annotations

from forensics.model import Evidence, Verdict, WhyRule
from forensics.whys.scene import Gathered, Scene


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Cite the deployment of the cluster's revision."""
    del why
    deploys = [d for d in scene.stage.deploys if d.revision == scene.cluster.revision]
    if deploys:
        statement = "; ".join(
            f"{d.outcome} at {d.time}" + (f", image `{d.image}`" if d.image else "") for d in deploys[:4]
        )
        evidence = Evidence(kind="deploys", statement=statement, count=len(deploys), of=len(deploys))
        return Gathered(verdict=Verdict.SUPPORTED, evidence=(evidence,), values={"deployed": deploys[0].time})
    logs = scene.stage.coverage.logs
    if not logs.get("audit"):
        return Gathered(
            verdict=Verdict.NOT_OBSERVABLE,
            evidence=(Evidence(kind="deploys", statement="there is no audit log in these entries"),),
            next_step="pull the audit logs too (cloudaudit.googleapis.com activity and system_event)",
        )
    evidence = Evidence(kind="deploys", statement="the audit entries do not speak of this revision", count=0)
    return Gathered(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,))
