"""The open questions of an incident, each with the command that would answer it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forensics.model import OpenQuestion, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import ClusterId, Incident, Why
    from forensics.report.postmortem.postmortem_context import PostmortemContext, ShownKind

QUESTIONS = 12
"""Most open questions in a postmortem; the documents of clusters list their own."""


def questions(incident: Incident, own: Sequence[Why], context: PostmortemContext) -> list[OpenQuestion]:
    """List the open questions with their commands, the root's first, each once."""
    root = context.findings[incident.root_cluster]
    found = [_question(why, incident.root_cluster, root.query, context) for why in root.whys if not why.verdict.holds]
    project = f" --project {shlex.quote(context.revision.project)}" if context.revision.project else ""
    commands = (
        f"gcloud alpha monitoring policies list{project}",
        _command(f'timestamp>="{incident.end}"\n{root.query}' if root.query else "", context),
    )
    found += [
        OpenQuestion(ask=why.ask, look_at=why.next_step or "", command=command)
        for why, command in zip(own, commands, strict=True)
        if not why.verdict.holds
    ]
    for cluster in incident.clusters[1:]:
        finding = context.findings[cluster]
        found += [_question(why, cluster, finding.query, context) for why in finding.whys if not why.verdict.holds]
    unique = {(question.ask, question.command or question.look_at): question for question in reversed(found)}
    return list(reversed(unique.values()))[:QUESTIONS]


def _question(why: Why, about: ClusterId, query: str, context: PostmortemContext) -> OpenQuestion:
    kind = context.kinds.get(why.evidence[0].kind) if why.evidence else None
    if kind is not None and kind.is_comparison and why.verdict is not Verdict.NOT_OBSERVABLE:
        kind = None  # it was compared: the same command would give the same answer
    return OpenQuestion(
        ask=why.ask,
        look_at=why.next_step or (why.evidence[0].statement if why.evidence else ""),
        command=_command_for(kind, query, context, about),
        about=about,
    )


def _command_for(kind: ShownKind | None, query: str, context: PostmortemContext, about: ClusterId) -> str:
    """Write the command that adds the missing source of a kind of evidence, else the query of the cluster."""
    if kind is None:
        return _command(query, context)
    if kind.flag is not None:
        return _analysis(kind.flag, context, about if kind.is_comparison else None)
    if kind.log_filter is not None:
        service = context.revision.service
        return _command(kind.log_filter + (f' resource.labels.service_name="{service}"' if service else ""), context)
    return _command(query, context)


def _analysis(flag: str, context: PostmortemContext, about: ClusterId | None) -> str:
    """Write the same analysis with one more option; everything from a log is quoted for the shell."""
    name = context.revision.name
    if about is not None and name == "all":
        # One revision is compared with one: that of the cluster, where it has one.
        name = context.clusters[about].revision
    if not name:
        return ""
    logs = "".join(f" --logs {shlex.quote(path)}" for path in context.query.logs)
    logs = f" --case {shlex.quote(context.query.case)}" if context.query.case else logs
    return f"forensics analyze --revision {shlex.quote(name)}{logs} {flag}"


def _command(query: str, context: PostmortemContext) -> str:
    """Write the command that reads a query; everything from a log is quoted for the shell."""
    project = f" --project {shlex.quote(context.revision.project)}" if context.revision.project else ""
    one_line = query.replace("\n", " ")
    return f"gcloud logging read {shlex.quote(one_line)}{project} --freshness 7d --format json" if query else ""
