"""Evidence `deploys`: which kind of principal deployed which image when, and how long before the failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Deploy, DeployOutcome, Evidence, Verdict, WhyRule
from forensics.text.timestamps import SECOND, format_seconds, parse_time
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import EvidenceKind, always

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forensics.model import Cluster

_WORDS = {
    DeployOutcome.ASKED: "asked for",
    DeployOutcome.READY: "reported ready",
    DeployOutcome.FAILED: "reported not ready",
}


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Cite the deployment of the cluster's revision, and put the cluster's first entry beside it."""
    del why
    deploys = [d for d in context.run.deploys if d.revision == context.cluster.revision]
    if deploys:
        evidence = (_told(deploys), *_first_seen(deploys, context.cluster))
        return EvidenceResult(verdict=Verdict.SUPPORTED, evidence=evidence, values={"deployed": deploys[0].time})
    if not context.run.coverage.logs.get("audit"):
        return EvidenceResult(
            verdict=Verdict.NOT_OBSERVABLE,
            evidence=(Evidence(kind="deploys", statement="there is no audit log in these entries"),),
            next_step="pull the audit logs too (cloudaudit.googleapis.com activity and system_event)",
        )
    evidence_ = Evidence(kind="deploys", statement="the audit entries do not speak of this revision", count=0)
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence_,))


def _told(deploys: Sequence[Deploy]) -> Evidence:
    statement = "; ".join(_sentence(deploy) for deploy in _each_once(deploys))
    images = {deploy.image for deploy in deploys if deploy.image}
    image = f"; image `{min(images)}`" if len(images) == 1 else ""
    return Evidence(
        kind="deploys",
        statement=f"{statement}{image}",
        count=len(deploys),
        of=len(deploys),
        refs=tuple(ref for deploy in deploys for ref in deploy.refs)[:4],
    )


def _each_once(deploys: Sequence[Deploy]) -> Iterator[Deploy]:
    """Pass over a later entry that says of the same thing what one before has said."""
    said: set[tuple[str, str]] = set()
    for deploy in deploys:
        if (deploy.outcome, deploy.about) not in said:
            said.add((deploy.outcome, deploy.about))
            yield deploy


def _sentence(deploy: Deploy) -> str:
    who = f" by {deploy.by}" if deploy.by and deploy.outcome is DeployOutcome.ASKED else ""
    what = f" ({deploy.about.lower()})" if deploy.about and deploy.outcome is not DeployOutcome.ASKED else ""
    traffic = f", {deploy.traffic}" if deploy.traffic and deploy.outcome is DeployOutcome.ASKED else ""
    return f"{_WORDS[deploy.outcome]}{what}{who} at {deploy.time}{traffic}"


def _first_seen(deploys: Sequence[Deploy], cluster: Cluster) -> list[Evidence]:
    """Say how long after the deployment the cluster was first seen; order only, which alone explains nothing."""
    try:
        first = parse_time(cluster.first_seen)
        asked = parse_time(deploys[0].time)
    except ValueError:
        return []
    if first // SECOND == asked // SECOND:
        when = "in the same second in which"
    else:
        when = f"{format_seconds(abs(first - asked))} {'after' if first >= asked else 'before'}"
    statement = f"its first entry stands {when} the deployment was {_WORDS[deploys[0].outcome]}"
    return [Evidence(kind="deploys", statement=statement, refs=(*deploys[0].refs[:1], *cluster.exemplars[:1]))]


KIND = EvidenceKind(
    name="deploys",
    gather=gather,
    is_own_fact=always,
    in_table=False,
    is_factor=False,
    is_safeguard=True,
    log_filter='logName:"cloudaudit.googleapis.com"',
)
