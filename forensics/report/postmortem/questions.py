"""One incident's findings in, the questions that stay open out, each with the command that would answer it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forensics.model import OpenQuestion, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import ClusterId, Incident, Why
    from forensics.report.postmortem.postmortem_context import PostmortemContext

QUESTIONS = 12
"""Open questions that a postmortem lists; each document of a cluster has its own."""
_SOURCES = {
    "commits": "--repo PATH",
    "compare": "--baseline previous",
    "tests": "--tests junit.xml",
}
"""Kinds of evidence with the flag that brings their source."""


def questions(incident: Incident, own: Sequence[Why], given: PostmortemContext) -> list[OpenQuestion]:
    """List what is open, the root's questions first, each once; and the command that would answer it."""
    root = given.findings[incident.root_cluster]
    found = [_question(why, incident.root_cluster, root.query, given) for why in root.whys if not why.verdict.holds]
    project = f" --project {shlex.quote(given.revision.project)}" if given.revision.project else ""
    commands = (
        f"gcloud alpha monitoring policies list{project}",
        _command("", f'timestamp>="{incident.end}"\n{root.query}' if root.query else "", given, incident.root_cluster),
    )
    found += [
        OpenQuestion(ask=why.ask, look_at=why.next_step or "", command=command)
        for why, command in zip(own, commands, strict=True)
        if not why.verdict.holds
    ]
    for cluster in incident.clusters[1:]:
        finding = given.findings[cluster]
        found += [_question(why, cluster, finding.query, given) for why in finding.whys if not why.verdict.holds]
    unique = {(question.ask, question.command or question.look_at): question for question in reversed(found)}
    return list(reversed(unique.values()))[:QUESTIONS]


def _question(why: Why, about: ClusterId, query: str, given: PostmortemContext) -> OpenQuestion:
    kind = why.evidence[0].kind if why.evidence else ""
    if kind == "compare" and why.verdict is not Verdict.NOT_OBSERVABLE:
        kind = ""  # it was compared: the same command would say the same again
    return OpenQuestion(
        ask=why.ask,
        look_at=why.next_step or (why.evidence[0].statement if why.evidence else ""),
        command=_command(kind, query, given, about),
        about=about,
    )


def _command(kind: str, query: str, given: PostmortemContext, about: ClusterId) -> str:
    """Write the command that brings the missing source; everything from a log is quoted for the shell."""
    flag, name = _SOURCES.get(kind), given.revision.name
    if kind == "compare" and name == "all":
        # One revision is compared with one: that of the cluster, where it has one.
        name = given.clusters[about].revision
    if flag is not None and not name:
        return ""
    if flag is not None:
        logs = "".join(f" --logs {shlex.quote(path)}" for path in given.query.logs)
        logs = f" --case {shlex.quote(given.query.case)}" if given.query.case else logs
        return f"forensics analyze --revision {shlex.quote(name)}{logs} {flag}"
    project = f" --project {shlex.quote(given.revision.project)}" if given.revision.project else ""
    if kind == "deploys":
        service = given.revision.service
        wanted = 'logName:"cloudaudit.googleapis.com"' + (
            f' resource.labels.service_name="{service}"' if service else ""
        )
        return f"gcloud logging read {shlex.quote(wanted)}{project} --freshness 7d --format json"
    one_line = query.replace("\n", " ")
    return f"gcloud logging read {shlex.quote(one_line)}{project} --freshness 7d --format json" if query else ""
