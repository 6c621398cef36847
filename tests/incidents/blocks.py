"""Check the code blocks of documents against the report.

A graph is read as Mermaid reads it and held against the steps, a query as Cloud Logging reads it and held against the
entries of its cluster, a proposed rule as the rule loader reads it; a command is taken apart as a shell does.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import re2
import yaml

from forensics.rendering.escape import mermaid
from forensics.text.timestamps import format_lag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forensics.model import Cluster, Finding

Json = dict[str, Any]

_NODE = re.compile(r'    (n\d+)\["([^"]*)"\]')
_ARROW = re.compile(r'    (n\d+) -- "([^"]*)" --> (n\d+)')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLACE = re.compile(r'resource\.labels\.(service_name|revision_name)="((?:[^"\\]|\\.)*)"')
_SEVERITY = re.compile(r"severity>=([A-Z]+)")
_STATUS = re.compile(r"httpRequest\.status=\((\d{3}(?: OR \d{3})*)\)")
_LEVELS = ("(none)", "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_WORDS = 4
"""gcloud logging read QUERY"""
_FLAGS = {"--repo": "PATH", "--baseline": "previous", "--tests": "junit.xml"}


def graph_faults(body: str, finding: Finding, clusters: Mapping[Any, Cluster]) -> Iterator[str]:
    """Yield how a graph differs from the steps of a finding: its nodes, its arrows, its labels."""
    first, *lines = body.split("\n")
    nodes = {found[1]: found[2] for line in lines if (found := _NODE.fullmatch(line))}
    arrows = [found.groups() for line in lines if (found := _ARROW.fullmatch(line))]
    if first != "flowchart TD" or len(nodes) + len(arrows) != len(lines):
        yield f"a graph that cannot be read: {body}"
        return
    drawn = [(nodes.get(one), label, nodes.get(other)) for one, label, other in arrows]
    steps = [
        (_label(clusters[step.cause]), _share(step.explained, step.of, step.lag), _label(clusters[step.symptom]))
        for step in finding.steps
    ]
    yield from (f"drawn, and no step of the finding: {arrow}" for arrow in drawn if arrow not in steps)
    yield from (f"a step that is not drawn: {step}" for step in steps if step not in drawn)
    ends = {end for step in finding.steps for end in (step.cause, step.symptom)}
    if sorted(nodes.values()) != sorted(_label(clusters[end]) for end in ends):
        yield f"the nodes are not the clusters of the steps: {sorted(nodes.values())}"


def _label(cluster: Cluster) -> str:
    return mermaid(f"{cluster.role.value}: {cluster.title}")


def _share(explained: int, of: int, lag: tuple[float, float] | None) -> str:
    return mermaid(f"{explained} of {of}" + (f", {format_lag(lag)}" if lag else ""))


def query_faults(query: str, cluster: Json, revision: Json, messages: Sequence[str]) -> Iterator[str]:
    """Yield what a query asks for that the cluster and its revision do not hold."""
    for line in query.split("\n"):
        place, severity, status = _PLACE.fullmatch(line), _SEVERITY.fullmatch(line), _STATUS.fullmatch(line)
        if place:
            wanted = {"service_name": revision["service"], "revision_name": cluster["revision"]}[place[1]]
            if _unquoted(place[2]) != wanted:
                yield f"{place[2]} is not {wanted}"
        elif severity:
            lowest = min(cluster["entries_by_severity"], key=_LEVELS.index)
            if severity[1] != lowest:
                yield f"the lowest severity of its entries is {lowest}, not {severity[1]}"
        elif status:
            said = {message.partition(" ")[0] for message in messages}
            if set(status[1].split(" OR ")) != {one for one in said if one.isdigit()}:
                yield f"{status[1]} are not the statuses of its citations: {sorted(said)}"
        else:
            yield from _phrase_faults(line, messages)


def _phrase_faults(line: str, messages: Sequence[str]) -> Iterator[str]:
    """Every phrase stands in a citation, and every citation that says anything holds one."""
    if _STRING.sub("", line).strip("()").replace(" OR ", "").strip():
        yield f"a query that cannot be read: {line}"
        return
    phrases = [_plain(_unquoted(found)) for found in _STRING.findall(line)]
    said = [_plain(message) for message in messages]
    yield from (f"“{one}” stands in no citation" for one in phrases if not any(one in text for text in said))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def rule_faults(text: str, cluster: Json, known: frozenset[str]) -> Iterator[str]:
    """Yield what a proposed rule says that is not of its cluster, and which of its citations it would not claim."""
    rule = yaml.safe_load(text)
    for key in ("class", "role", "priority"):
        if rule[key] != cluster[key]:
            yield f"the {key} is {cluster[key]}, the proposed rule says {rule[key]}"
    if rule["id"] in known or not rule["id"].endswith(cluster["fingerprint"][:6]):
        yield f"the id {rule['id']} is not that of a new rule"
    messages = [ref["message"] for ref in cluster["exemplars"]]
    pattern = re2.compile(f"(?i){rule['match']['message']['regex']}")
    yield from (f"the proposed rule does not match “{said}”" for said in messages if not pattern.search(said))
    words = re.sub(r"\s*…\s*", "\n", rule["title"]).split("\n")
    everything = _plain("\n".join([*messages, str(cluster["exception"])]))
    yield from (f"“{one}” stands in no citation" for one in words if _plain(one).rstrip(" .") not in everything)
    for example in rule["tests"]["match"]:
        said = example.get("textPayload") or example["jsonPayload"]["message"]
        if said not in messages:
            yield f"an example that is no citation: {said}"


def command_faults(command: str, report: Json, query: str, end: str) -> Iterator[str]:
    """Yield every word of a command that is not of its tool, and no value of the report."""
    words = shlex.split(command)
    if words[:3] == ["forensics", "analyze", "--revision"]:
        yield from _own_command(words[3:], report)
        return
    tail = ["--project", report["revision"]["project"]] if report["revision"]["project"] else []
    if words[:5] == ["gcloud", "alpha", "monitoring", "policies", "list"]:
        found, wanted = words[5:], tail
    elif words[:3] != ["gcloud", "logging", "read"] or len(words) < _WORDS:
        yield f"a command of other words: {command}"
        return
    else:
        found, wanted = words[:3] + words[4:], ["gcloud", "logging", "read", *tail, "--freshness", "7d"]
        wanted += ["--format", "json"]
        service = report["revision"]["service"]
        one_line = query.replace("\n", " ")
        audit = 'logName:"cloudaudit.googleapis.com"'
        audit += f' resource.labels.service_name="{service}"' if service else ""
        if words[3] not in {one_line, audit, f'timestamp>="{end}" {one_line}'}:
            yield f"the query is not that of the cluster: {words[3]}"
    if found != wanted:
        yield f"a command of other words: {command}"


def _own_command(words: list[str], report: Json) -> Iterator[str]:
    named = {report["revision"]["name"]}
    if named == {"all"} and words[-2:-1] == ["--baseline"]:
        named = {cluster["revision"] for cluster in report["clusters"]} - {""}
    case = report["query"]["case"]
    wanted = ["--case", case] if case else [w for path in report["query"]["logs"] for w in ("--logs", path)]
    if words[0] not in named or words[1:-2] != wanted or _FLAGS.get(words[-2]) != words[-1]:
        yield f"a command of other words: {shlex.join(words)}"
