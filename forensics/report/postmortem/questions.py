"""One incident's findings in, the questions that stay open out, each with the command that would answer it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forensics.model import OpenQuestion, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import ClusterId, Incident, Why
    from forensics.report.postmortem.postmortem_context import PostmortemContext, ShownKind

QUESTIONS = 12
"""Open questions that a postmortem lists; each document of a cluster has its own."""


def questions(incident: Incident, own: Sequence[Why], given: PostmortemContext) -> list[OpenQuestion]:
    """List what is open, the root's questions first, each once; and the command that would answer it."""
    root = given.findings[incident.root_cluster]
    found = [_question(why, incident.root_cluster, root.query, given) for why in root.whys if not why.verdict.holds]
    project = f" --project {shlex.quote(given.revision.project)}" if given.revision.project else ""
    commands = (
        f"gcloud alpha monitoring policies list{project}",
        _command(f'timestamp>="{incident.end}"\n{root.query}' if root.query else "", given),
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
    kind = given.kinds.get(why.evidence[0].kind) if why.evidence else None
    if kind is not None and kind.is_comparison and why.verdict is not Verdict.NOT_OBSERVABLE:
        kind = None  # it was compared: the same command would say the same again
    return OpenQuestion(
        ask=why.ask,
        look_at=why.next_step or (why.evidence[0].statement if why.evidence else ""),
        command=_command_for(kind, query, given, about),
        about=about,
    )


def _command_for(kind: ShownKind | None, query: str, given: PostmortemContext, about: ClusterId) -> str:
    """Write the command that brings the missing source of a kind of evidence, else the query of the cluster."""
    if kind is None:
        return _command(query, given)
    if kind.flag is not None:
        return _analysis(kind.flag, given, about if kind.is_comparison else None)
    if kind.log_filter is not None:
        service = given.revision.service
        return _command(kind.log_filter + (f' resource.labels.service_name="{service}"' if service else ""), given)
    return _command(query, given)


def _analysis(flag: str, given: PostmortemContext, about: ClusterId | None) -> str:
    """Write the same analysis with one more option; everything from a log is quoted for the shell."""
    name = given.revision.name
    if about is not None and name == "all":
        # One revision is compared with one: that of the cluster, where it has one.
        name = given.clusters[about].revision
    if not name:
        return ""
    logs = "".join(f" --logs {shlex.quote(path)}" for path in given.query.logs)
    logs = f" --case {shlex.quote(given.query.case)}" if given.query.case else logs
    return f"forensics analyze --revision {shlex.quote(name)}{logs} {flag}"


def _command(query: str, given: PostmortemContext) -> str:
    """Write the command that reads a query; everything from a log is quoted for the shell."""
    project = f" --project {shlex.quote(given.revision.project)}" if given.revision.project else ""
    one_line = query.replace("\n", " ")
    return f"gcloud logging read {shlex.quote(one_line)}{project} --freshness 7d --format json" if query else ""
