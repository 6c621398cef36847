"""The open questions of an incident, each with the command that would answer it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forensics.model import OpenQuestion, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import ClusterId, Incident, Why
    from forensics.report.postmortem.postmortem_context import PostmortemContext

QUESTIONS = 12
"""Most open questions in a postmortem; the documents of clusters list their own."""
_SOURCES = {
    "commits": "--repo PATH",
    "compare": "--baseline previous",
    "tests": "--tests junit.xml",
}
"""Kind of evidence → the option that adds its source."""


def questions(incident: Incident, incident_whys: Sequence[Why], context: PostmortemContext) -> list[OpenQuestion]:
    """List the open questions with their commands, the root's first, each once.

    `incident_whys` holds the whys that belong to the incident instead of a cluster: detection and recovery.
    """
    root = context.findings[incident.root_cluster]
    listed = [_question(why, incident.root_cluster, root.query, context) for why in root.whys if not why.verdict.holds]
    project = f" --project {shlex.quote(context.revision.project)}" if context.revision.project else ""
    commands = (
        f"gcloud alpha monitoring policies list{project}",
        _command(
            "", f'timestamp>="{incident.end}"\n{root.query}' if root.query else "", context, incident.root_cluster
        ),
    )
    listed += [
        OpenQuestion(ask=why.ask, look_at=why.next_step or "", command=command)
        for why, command in zip(incident_whys, commands, strict=True)
        if not why.verdict.holds
    ]
    for cluster in incident.clusters[1:]:
        finding = context.findings[cluster]
        listed += [_question(why, cluster, finding.query, context) for why in finding.whys if not why.verdict.holds]
    unique = {(question.ask, question.command or question.look_at): question for question in reversed(listed)}
    return list(reversed(unique.values()))[:QUESTIONS]


def _question(why: Why, about: ClusterId, query: str, context: PostmortemContext) -> OpenQuestion:
    kind = why.evidence[0].kind if why.evidence else ""
    if kind == "compare" and why.verdict is not Verdict.NOT_OBSERVABLE:
        kind = ""  # it was compared: the same command would give the same answer
    return OpenQuestion(
        ask=why.ask,
        look_at=why.next_step or (why.evidence[0].statement if why.evidence else ""),
        command=_command(kind, query, context, about),
        about=about,
    )


def _command(kind: str, query: str, context: PostmortemContext, about: ClusterId) -> str:
    """Write the command that adds the missing source; everything from a log is quoted for the shell."""
    flag, name = _SOURCES.get(kind), context.revision.name
    if kind == "compare" and name == "all":
        # Only single revisions are compared: use the cluster's.
        name = context.clusters[about].revision
    if flag is not None and not name:
        return ""
    if flag is not None:
        logs = "".join(f" --logs {shlex.quote(path)}" for path in context.query.logs)
        logs = f" --case {shlex.quote(context.query.case)}" if context.query.case else logs
        return f"forensics analyze --revision {shlex.quote(name)}{logs} {flag}"
    project = f" --project {shlex.quote(context.revision.project)}" if context.revision.project else ""
    if kind == "deploys":
        service = context.revision.service
        wanted = 'logName:"cloudaudit.googleapis.com"' + (
            f' resource.labels.service_name="{service}"' if service else ""
        )
        return f"gcloud logging read {shlex.quote(wanted)}{project} --freshness 7d --format json"
    one_line = query.replace("\n", " ")
    return f"gcloud logging read {shlex.quote(one_line)}{project} --freshness 7d --format json" if query else ""
