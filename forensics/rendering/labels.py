"""The filters and variables that templates and the terminal share: records of a report in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import (
    Certificate,
    Change,
    ChangeState,
    ClientKind,
    Cluster,
    ClusterId,
    Comparison,
    Cycle,
    EntryRef,
    FailedRoute,
    Finding,
    FrameRef,
    Incident,
    Link,
    Priority,
    Report,
    Rival,
    Role,
    Span,
    Verdict,
)
from forensics.rendering.escape import code, markdown
from forensics.text.plurals import counted, plural
from forensics.text.timestamps import SECOND, format_lag, format_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOGGED = 240
"""Characters of an entry that stand beside its incident."""
_BARS = "▁▂▃▄▅▆▇█"
_LABELS = {
    Verdict.SUPPORTED: "Answer",
    Verdict.CONTESTED: "Hypothesis",
    Verdict.PLAUSIBLE: "Hypothesis",
    Verdict.REFUTED: "Answer",
    Verdict.NO_EVIDENCE: "Needs investigation",
    Verdict.NOT_OBSERVABLE: "Needs investigation",
}


def lookups(report: Report) -> dict[str, Any]:
    """Return the variables of all templates of a report, each a mapping by id."""
    return {
        "clusters": {c.id: c for c in report.clusters},
        "findings": {f.cluster: f for f in report.findings},
        "postmortems": {p.incident: p for p in report.postmortems},
        "incident_of": {c: incident for incident in report.incidents for c in incident.clusters},
    }


def name(cluster: Cluster, report: Report | Cycle) -> str:
    """Name a cluster: its signature, with what sets it apart from others of the same signature; else its template."""
    if cluster.signature is None:
        return cluster.title
    twins = [c for c in report.clusters if c.signature == cluster.signature]
    apart = [value for value in cluster.group if value] if len(twins) > 1 else []
    if len({c.revision for c in report.clusters}) > 1 and cluster.revision:
        apart.append(cluster.revision)
    return f"{cluster.signature} ({', '.join(apart)})" if apart else cluster.signature


def seconds(value: float | None) -> str:
    """Write a duration: `7.1 s`, `1 min 47 s`."""
    return "unknown" if value is None else format_seconds(round(value * SECOND))


def occurrences(cluster: Cluster) -> str:
    """Write `15 instance lives`."""
    return counted(cluster.occurrences, cluster.unit)


def cadence(cluster: Cluster) -> str | None:
    """Write `one every 7.1 s` where there is a rhythm, else how far apart the occurrences lie; None for one or two."""
    found = cluster.cadence
    if found is None:
        return None
    span = format_lag((found.shortest, found.longest))
    if found.is_regular:
        loop = ": a restart loop" if found.is_loop else ""
        return f"one every {seconds(found.median)} ({span}){loop}"
    return f"no rhythm: {span} apart, half of them within {seconds(found.median)}"


def life(cluster: Cluster) -> str | None:
    """Write `5.5 s from start to exit (5.2–5.8 s; both ends recorded in 14 of 15)`; None where none was recorded."""
    found = cluster.life
    if found is None:
        return None
    span = f"{format_lag((found.shortest, found.longest))}; " if found.count > 1 else ""
    both = f"both ends recorded in {found.count} of {cluster.occurrences}"
    return f"{seconds(found.median)} from start to exit ({span}{both})"


def entries(cluster: Cluster) -> str:
    """Write `120 entries: 5 ERROR and 3 without severity in each`, where all are alike; else the sums."""
    total = counted(cluster.entries, "entry")
    if cluster.entries_each and cluster.entries != cluster.occurrences:
        return f"{total}: {' and '.join(_by_severity(cluster.entries_each))} in each"
    return f"{total}: {severities(cluster)}"


def clocks(cluster: Cluster) -> str:
    """Say in which occurrences clocks may have swapped entries; "" where none."""
    if not cluster.out_of_order:
        return ""
    one = cluster.unit.value.rpartition(" ")[2]
    told = ", ".join(f"{one} {swap.occurrence} ({swap.microseconds:g} µs)" for swap in cluster.out_of_order)
    return f"two entries of one {cluster.unit.value} stand in another order than in most, less than 1 ms apart: {told}"


def affected(cluster: Cluster, report: Report) -> str:
    """Say how many requests, sessions and users were affected, or that the entries do not tell."""
    for incident, postmortem in zip(report.incidents, report.postmortems, strict=False):
        if cluster.id in incident.clusters and postmortem.impact:
            return postmortem.impact[-1].statement
    return "see the clusters of requests" if report.coverage.logs.get("requests") else "cannot be told: no request log"


def failing(cluster: Cluster) -> str:
    """Write `22 of 22 GET /health (503), all from python-httpx`; routes are separated by semicolons."""
    grouped: dict[tuple[str, str, int | None], list[FailedRoute]] = {}
    for route in cluster.affected.routes:
        grouped.setdefault((route.method, route.route, route.of), []).append(route)
    return "; ".join(_failing(method, path, of, own) for (method, path, of), own in grouped.items())


def _failing(method: str, path: str, of: int | None, routes: Sequence[FailedRoute]) -> str:
    count = sum(route.requests for route in routes)
    among = f"{count:,} of {of:,}" if of and of >= count else f"{count:,}"
    statuses = ", ".join(dict.fromkeys(str(route.status) for route in routes if route.status is not None))
    clients: dict[str, int] = {}
    for route in routes:
        name = route.client if route.kind is ClientKind.PROGRAM and route.client else _client(route)
        clients[name] = clients.get(name, 0) + route.requests
    if len(clients) == 1:
        which = f"{'all ' if count > 1 else ''}from {next(iter(clients))}"
    else:
        which = ", ".join(f"{n:,} from {client}" for client, n in clients.items())
    return f"{among} {method} {path}{f' ({statuses})' if statuses else ''}, {which}"


def _client(route: FailedRoute) -> str:
    """Write `curl, a test tool`; a browser or an unnamed client has no name of its own."""
    if route.kind is ClientKind.BROWSER:
        return "browsers"
    if route.kind is ClientKind.UNNAMED:
        return "clients that name nothing"
    return f"{route.client} ({route.kind})" if route.client else str(route.kind)


def requests_of(incident: Incident, clusters: Mapping[ClusterId, Cluster]) -> str:
    """Write which requests of an incident failed, by the cluster that knows most of them; "" where none are known."""
    known = [clusters[one] for one in incident.clusters if one in clusters]
    most = max(known, key=lambda cluster: sum(route.requests for route in cluster.affected.routes), default=None)
    return failing(most) if most else ""


def units(cluster: Cluster) -> str:
    """Write `instance lives`."""
    return plural(cluster.unit)


def severities(cluster: Cluster) -> str:
    """Write `75 ERROR, 45 without severity`, most frequent first."""
    return ", ".join(_by_severity(cluster.entries_by_severity))


def _by_severity(counts: dict[str, int]) -> list[str]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [f"{n:,} {'without severity' if name == '(none)' else name}" for name, n in ordered]


def clock(timestamp: str) -> str:
    """Write the time of day of a timestamp: `00:41:13.081881`."""
    return timestamp.partition("T")[2].removesuffix("Z") or timestamp or "(no time)"


def minute(timestamp: str) -> str:
    """Write date and time to the second: `2025-09-16 00:41:13`."""
    return timestamp[:19].replace("T", " ")


def span(value: Span) -> str:
    """Write `2025-09-16 00:41:13 – 00:42:59 UTC`."""
    first, last = value.from_time, value.to_time
    if not first or not last:
        return "an unknown time"
    end = minute(last)
    return f"{minute(first)} – {end[11:] if first[:10] == last[:10] else end} UTC"


def spark(trend: tuple[int, ...]) -> str:
    """Draw counts as eight bars; nothing is a blank."""
    top = max(trend, default=0)
    return "".join(" " if not n else _BARS[max(0, n * len(_BARS) // top - 1)] for n in trend)


def label(verdict: Verdict) -> str:
    """Name an answer by its verdict: Answer, Hypothesis or Needs investigation."""
    return _LABELS[verdict]


def reference(ref: EntryRef) -> str:
    """Name an entry for a reader: its insertId, or its time where it has none."""
    return ref.insert_id or ref.timestamp or "(no id, no time)"


def severity(ref: EntryRef) -> str:
    """Write the severity as received."""
    return ref.severity or "no severity"


def absent(logs: dict[str, int]) -> str:
    """List the logs of Cloud Run that are missing."""
    return ", ".join(name for name, n in logs.items() if not n)


def present(logs: dict[str, int]) -> str:
    """List the logs that were read, with the number of their entries."""
    return ", ".join(f"{name} {n:,}" for name, n in logs.items() if n)


def worth_a_look(report: Report) -> list[Cluster]:
    """Return the clusters without noise."""
    return [c for c in report.clusters if c.role is not Role.NOISE]


def worst(report: Report) -> Priority | None:
    """Return the highest priority of all clusters but noise, for `--fail-on`."""
    return min((c.priority for c in worth_a_look(report)), default=None)


def change_name(change: Change) -> str:
    """Name what a change speaks of: its signature, else its title."""
    return change.signature or change.title


def states(comparison: Comparison) -> str:
    """Write `1 new, 14 no detectable change`, the worst first."""
    counts = [f"{n} {state}" for state, n in comparison.counts().items()]
    return ", ".join(counts) or "no failure in either"


def worst_changes(comparison: Comparison, limit: int = 3) -> list[Change]:
    """Return the changes that a summary names, without noise: what is new or worse, then what is better or gone."""
    told = (ChangeState.NEW, ChangeState.WORSE, ChangeState.BETTER, ChangeState.GONE)
    notable = [change for change in comparison.changes if change.role is not Role.NOISE]
    return [change for state in told for change in notable if change.state is state][:limit]


def links_of(report: Report, cluster: Cluster) -> list[Link]:
    """Return the links in which a cluster takes part."""
    return [link for link in report.links if cluster.id in {link.cause, link.symptom}]


def suffered(incident: Incident, clusters: Mapping[str, Cluster]) -> str:
    """Write how often the root of an incident occurred, over all its revisions."""
    over = f" on {len(incident.revisions)} revisions" if incident.revisions else ""
    return counted(incident.occurrences, clusters[incident.root_cluster].unit) + over


def as_logged(root: Cluster, title: str) -> tuple[str, str]:
    """Return what an entry of an incident's root says, "" where its title does, and the place where it was raised."""
    said = root.exemplars[0].message.strip().split("\n", 1)[0] if root.exemplars else ""
    frame = root.frame or root.logged_at
    place = "" if frame is None or not frame.file else _place(frame)
    return ("" if said.rstrip("…. ") in title else said[:LOGGED]), place


def _place(frame: FrameRef) -> str:
    where = frame.file + (f":{frame.line}" if frame.line else "")
    return f"{where} in {frame.function}" if frame.function else where


def claimed(incident: Incident) -> str:
    """Say what the root of an incident led to, with the verdict of that; or what is not known of it."""
    return incident.effect.statement if incident.effect else str(incident.verdict)


def answered(finding: Finding) -> str:
    """Say how far the whys of a finding are answered."""
    if finding.root is None:
        return "no why is shown"
    behind = [i for i, why in enumerate(finding.whys, 1) if i > finding.root.why and not why.verdict.holds]
    until = behind[0] - 1 if behind else len(finding.whys)
    return f"answered down to why {until}" + (f"; why {behind[0]} is open" if behind else "")


def titled(text: str, report: Report) -> str:
    """Write a title as prose, or as code if it quotes the log because no rule knows the failure."""
    said = {c.title for c in report.clusters if c.signature is None}
    said |= {f.headline for c, f in zip(report.clusters, report.findings, strict=True) if c.signature is None}
    first = report.incidents[0].title if report.incidents else ""
    if text == report.headline and first in said and text.startswith(first):
        return code(first) + markdown(text.removeprefix(first))
    return code(text) if text in said else markdown(text)


def certified(rivals: Sequence[Rival]) -> list[tuple[list[str], Certificate]]:
    """List certificates of absence, those that say the same once, with the signatures of their rivals."""
    found: dict[tuple[str, ...], tuple[list[str], Certificate]] = {}
    for rival in rivals:
        if rival.certificate is not None:
            said = rival.certificate.lacks or rival.certificate.facts
            found.setdefault(said, ([], rival.certificate))[0].append(rival.signature)
    return list(found.values())


def measure(link: Link) -> str:
    """Write lift and p-value of a link; "" where neither was computed."""
    if link.controls is not None and link.p_value is None:
        return "not measured: too little of the log was pulled whole"
    parts = []
    if link.lift is not None:
        parts.append(f"{link.lift:.3g} × chance")
    if link.p_value is not None:
        parts.append(f"p {'< 0.001' if link.p_value < 0.001 else f'= {link.p_value:.2g}'}")  # noqa: PLR2004 - as printed
    if link.controls is not None:
        parts.append(f"against {counted(link.controls, 'drawn request')}")
    return ", ".join(parts)


FILTERS = {
    "lag": lambda link: format_lag(link.lag),
    "name": name,
    "seconds": seconds,
    "cadence": cadence,
    "life": life,
    "entries": entries,
    "clocks": clocks,
    "affected": affected,
    "failing": failing,
    "requests_of": requests_of,
    "place": lambda frame: frame.file + (f":{frame.line}" if frame.line else ""),
    "measure": measure,
    "occurrences": occurrences,
    "units": units,
    "severities": severities,
    "clock": clock,
    "minute": minute,
    "span": span,
    "spark": spark,
    "label": label,
    "reference": reference,
    "severity": severity,
    "absent": absent,
    "present": present,
    "worth_a_look": worth_a_look,
    "links_of": links_of,
    "change_name": change_name,
    "states": states,
    "worst_changes": worst_changes,
    "certified": certified,
    "titled": titled,
    "as_logged": as_logged,
    "claimed": claimed,
    "counted": counted,
    "suffered": suffered,
    "answered": answered,
}
