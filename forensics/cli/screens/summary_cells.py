"""The text of a report's summary screen: its lines, and the cells of its two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.model import Cluster, Comparison, Finding, OccurrenceUnit, Report, Role, Verdict, Why
from forensics.rendering import labels as words
from forensics.rendering.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import Evidence
    from forensics.whys.evidence_kind import EvidenceKind

NAME = 72
"""Characters of a cluster's name on the screen."""
ROWS = 12
"""Clusters on the screen; the rest is counted here and listed in index.md."""
ANSWER = 150
"""Characters of an answer on the screen."""
COLUMNS = ("role", "prio", "signature", "occurrences", "entries", "first", "last", "trend")
NUMBERS = frozenset({"occurrences", "entries"})
"""Right-aligned columns."""


class Mark(NamedTuple):
    """The sign before the headline, and its style."""

    sign: str
    style: str


class WhyRow(NamedTuple):
    """One why as a row of the screen."""

    number: str
    ask: str
    answer: str
    verdict: Verdict
    counts: str


def title(report: Report) -> str:
    """Name revision, place and time."""
    revision, coverage = report.revision, report.coverage
    name = "all revisions" if revision.name == "all" else terminal(revision.name)
    place = "/".join(terminal(part) for part in (revision.project, revision.location) if part)
    length = f"({words.seconds(coverage.covered_seconds)})" if coverage.covered_seconds else ""
    return "  ·  ".join(part for part in (name, place, f"{words.span(coverage.covered)} {length}".strip()) if part)


def mark(report: Report) -> Mark:
    """Choose the sign before the headline."""
    if report.coverage.entries_selected and report.coverage.no_payload == report.coverage.entries_selected:
        return Mark("?", "bold yellow")
    return Mark("✗", "bold red") if report.incidents else Mark("✓", "bold green")


def bullet(sign: str, text: str) -> str:
    """Write a line of the screen that opens with a sign."""
    return f"  {sign} {terminal(text)}"


def as_logged(report: Report) -> str | None:
    """Quote what the first incident's root says in the log, and where it was raised; None where the headline does."""
    if not report.incidents:
        return None
    incident = report.incidents[0]
    said, place = words.as_logged(next(c for c in report.clusters if c.id == incident.root_cluster), incident.title)
    line = "  ".join(part for part in (f"“{said}”" if said else "", place) if part)
    return f"    {terminal(line)}" if line else None


def rhythm(report: Report) -> str | None:
    """Say how often the first incident happened, and its verdict; None without an incident."""
    if not report.incidents:
        return None
    incident = report.incidents[0]
    root = next(c for c in report.clusters if c.id == incident.root_cluster)
    every = f", {words.cadence(root)}" if root.cadence and root.cadence.is_regular else ""
    return f"    {_counted(root, report)}{every}{_cut(root, report)}.   {terminal(words.claimed(incident))}"


def _counted(root: Cluster, report: Report) -> str:
    """Write `15 of 15 instance lives that ended`."""
    ended = report.lives.ended if report.lives and root.unit is OccurrenceUnit.LIFE else 0
    if ended < root.occurrences:
        return words.occurrences(root)
    return f"{root.occurrences:,} of {ended:,} {words.units(root)} that ended"


def _cut(root: Cluster, report: Report) -> str:
    cut = report.lives.cut if report.lives and root.unit is OccurrenceUnit.LIFE else 0
    return f"; {cut:,} more had not ended when the entries do" if cut else ""


def notes(report: Report) -> Iterator[str]:
    """Yield the caveats of the screen: what was not read, and how many entries an alert would miss."""
    yield from report.coverage.warnings
    for evidence in report.postmortems[0].went_badly if report.postmortems else ():
        kind = _kind_of(evidence)
        if kind is not None and kind.is_caveat and evidence.count:
            yield f"First incident: {evidence.statement}"


def _kind_of(evidence: Evidence) -> EvidenceKind | None:
    # Imported here: `--help` of the verbs that show a screen need not know the kinds.
    from forensics.whys.evidence import EVIDENCE  # noqa: PLC0415 - see above

    return EVIDENCE.get(evidence.kind)


def comparison_lines(report: Report) -> Iterator[str]:
    """Yield the number of signatures in each state, and the worst changes; nothing without a comparison."""
    comparison = report.comparison
    if comparison is None:
        return
    yield bullet("→", f"against {comparison.baseline}: {words.states(comparison)}")
    worst = [f"{words.change_name(change)}: {change.statement}" for change in words.worst_changes(comparison)]
    yield "    " + terminal(comparison.reason or "; ".join(worst) or "no signature changed detectably")


def change_lines(comparison: Comparison) -> Iterator[str]:
    """Yield a line for each signature, the worst first, and one for the tests."""
    yield terminal(f"{comparison.baseline} → {comparison.revision}")
    yield ""
    names = [terminal(words.change_name(change))[:NAME] for change in comparison.changes]
    width = max(map(len, names), default=0)
    for name, change in zip(names, comparison.changes, strict=True):
        yield f"  {name:<{width}}  {terminal(change.statement)}"
    if comparison.tests is not None:
        yield f"  {'tests':<{width}}  {terminal(comparison.tests.total.statement)}"


def cluster_rows(report: Report) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the clusters: notable ones, the number of further ones, and one row for noise."""
    notable = [c for c in report.clusters if c.role is not Role.NOISE]
    for cluster in notable[:ROWS]:
        yield _cells(cluster, report)
    blank = ("",) * len(COLUMNS)
    if len(notable) > ROWS:
        yield ("", "", f"… and {len(notable) - ROWS} more, in index.md", *blank[3:])
    noise = [c for c in report.clusters if c.role is Role.NOISE]
    if noise:
        more = f"  (+{len(noise) - 1} more)" if len(noise) > 1 else ""
        total = sum(c.entries for c in noise)
        first = words.clock(min(c.first_seen for c in noise))[:8]
        last = words.clock(max(c.last_seen for c in noise))[:8]
        yield ("noise", "", f"{noise[0].signature}{more}", "", f"{total:,}", first, last, "")


def why_rows(report: Report) -> list[WhyRow]:
    """List the whys of the first incident; none without one."""
    if not report.incidents:
        return []
    finding = next(f for f in report.findings if f.cluster == report.incidents[0].root_cluster)
    return _why_rows(finding)


def _cells(cluster: Cluster, report: Report) -> tuple[str, ...]:
    branch = _branch(cluster, report)
    return (
        branch + cluster.role.value,
        "" if branch else cluster.priority.value,
        terminal(words.name(cluster, report))[:NAME],
        f"{cluster.occurrences:,}",
        f"{cluster.entries:,}",
        words.clock(cluster.first_seen)[:8],
        words.clock(cluster.last_seen)[:8],
        words.spark(cluster.trend),
    )


def _branch(cluster: Cluster, report: Report) -> str:
    """Draw a cluster's branch in its incident: "" for the root, `└ ` for the last cluster below it."""
    incident = next((i for i in report.incidents if cluster.id in i.clusters), None)
    if incident is None or incident.root_cluster == cluster.id:
        return ""
    return "└ " if incident.clusters[-1] == cluster.id else "├ "


def _why_rows(finding: Finding) -> list[WhyRow]:
    rows = []
    for number, why in enumerate(finding.whys, 1):
        best = why.evidence[0] if why.evidence else None
        counts = f"{best.count}/{best.of}" if best and best.count is not None and best.of and why.verdict.holds else ""
        rows.append(WhyRow(str(number), terminal(why.ask), terminal(_answer(why)), why.verdict, counts))
    return rows


def _answer(why: Why) -> str:
    """Return a short answer, or the flag that supplies what is missing; the document has the full text."""
    kind = _kind_of(why.evidence[0]) if why.evidence else None
    if why.answer is None and kind is not None and kind.flag and why.verdict is Verdict.NOT_OBSERVABLE:
        return f"not in these entries: {kind.flag}"
    if why.verdict is Verdict.REFUTED:
        return _short(f"no: {why.evidence[0].statement}".replace("`", ""))
    return _short((why.answer or why.next_step or "open").replace("`", ""))


def _short(text: str) -> str:
    """Keep the first sentences that fit, else the first words."""
    if len(text) <= ANSWER:
        return text
    end = max(text.rfind(mark, 0, ANSWER) for mark in (". ", "; ", ": "))
    return text[:end] if end > ANSWER // 2 else f"{text[:ANSWER].rsplit(' ', 1)[0]} …"
