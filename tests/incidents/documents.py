"""Documents and the report that they were made from in, every line that the report does not carry out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from incidents.tiles import Tiling, Values

from forensics.render import decode_report
from forensics.render.escape import markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forensics.model import Cluster, Finding, Report, Why

HOLDS = frozenset({"supported", "contested", "plausible"})
_HEADING = re.compile(r"^## (?P<number>\d+)\. ")
_ORDINAL = re.compile(r"^(?:## \d+\. |\d+\. |\| \d+ \|)")
_LINK = re.compile(r"(?<!\\)\]\((?P<to>[^)\s]*)\)")
_READING = re.compile(r"^## (?:How far to trust this|What was read)")
_CODE = re.compile(r"(`+).*?\1")
_CLAIMS = re.compile(r"\b(caused by|resolved|fixed|gone|refuted)\b", re.IGNORECASE)


class Fault(NamedTuple):
    """A statement that the evidence does not carry."""

    where: str
    what: str


def check_documents(report: dict[str, Any], documents: Mapping[str, str]) -> Iterator[Fault]:
    """Yield every line, link and word of documents that the report does not carry."""
    decoded = decode_report(msgspec.json.encode(report), "report.json")
    ids = {cluster.id for cluster in decoded.clusters}
    for name in sorted({f"five-whys/{one}.md" for one in ids} ^ {n for n in documents if n.startswith("five-whys/")}):
        yield Fault(name, "a document without its cluster, or a cluster without its document")
    findings = {finding.cluster: finding for finding in decoded.findings}
    values = Values(decoded)
    everything = Tiling(values.below(decoded))
    for name, text in documents.items():
        yield from _links(name, text, ids)
        yield from _claims(name, text, decoded)
        about = [f for f in decoded.findings if name == f"five-whys/{f.cluster}.md"]
        yield from _open_whys(name, text, about or list(findings.values()))
        if about:
            cluster = next(c for c in decoded.clusters if c.id == about[0].cluster)
            yield from _five_whys(name, text, (cluster, about[0]), decoded, values)
        else:
            about_reading, rest = _parted(text.split("\n"))
            yield from _lines(name, rest, everything)
            yield from _lines(name, about_reading, Tiling(values.below(*_reading(decoded))))


def _five_whys(
    name: str, text: str, subject: tuple[Cluster, Finding], report: Report, values: Values
) -> Iterator[Fault]:
    """Hold each why's section against that why alone, and the rest against the cluster and what it is linked with."""
    cluster, finding = subject
    links = [link for link in report.links if cluster.id in {link.cause, link.symptom}]
    others = {one for link in links for one in (link.cause, link.symptom)}
    linked = [c for c in report.clusters if c.id in others]
    around = [cluster, finding, *links, *(c.title for c in linked), report.coverage, report.revision]
    rest: list[str] = []
    sections: dict[int, list[str]] = {}
    into = rest
    for line in text.split("\n"):
        heading = _HEADING.match(line)
        if heading:
            into = sections.setdefault(int(heading["number"]), [])
        elif line.startswith("## "):
            into = rest
        into.append(line)
    about_reading, rest = _parted(rest)
    yield from _lines(name, rest, Tiling(values.below(*around)))
    yield from _lines(name, about_reading, Tiling(values.below(*_reading(report), *finding.references)))
    if sorted(sections) != list(range(1, len(finding.whys) + 1)):
        yield Fault(name, f"{len(finding.whys)} whys in the report, sections {sorted(sections)}")
        return
    for number, why in enumerate(finding.whys, 1):
        yield from _lines(f"{name}, why {number}", sections[number], Tiling(values.below(why)))
        yield from _heading(f"{name}, why {number}", sections[number][0], why)


def _parted(lines: list[str]) -> tuple[list[str], list[str]]:
    """Part what is said about the reading of the entries from all else: a few figures against many."""
    parts: tuple[list[str], list[str]] = ([], [])
    into = parts[1]
    for line in lines:
        if line.startswith("## "):
            into = parts[0] if _READING.search(line) else parts[1]
        into.append(line)
    return parts


def _reading(report: Report) -> list[Any]:
    """What those lines may speak of, and the names and links at the foot of a page."""
    names = [
        name
        for cluster in report.clusters
        for name in (cluster.id, cluster.signature, cluster.title, cluster.revision, *cluster.group)
    ]
    tests = report.tests.suites if report.tests else ()
    return [
        report.coverage,
        report.case,
        report.rules,
        report.schema,
        report.tool_version,
        report.query,
        *names,
        *tests,
    ]


def _heading(where: str, line: str, why: Why) -> Iterator[Fault]:
    """The heading of a why names its question, its verdict, and the count that the verdict rests on."""
    if markdown(why.ask) not in line:
        yield Fault(where, f"another question: {line}")
    said = line.rpartition("(")[2]
    if not said.startswith(why.verdict.value):
        yield Fault(where, f"the verdict is {why.verdict.value}: {line}")
    counts = re.search(r"([\d,]+) of ([\d,]+)\)", line)
    pairs = {(str(e.count), str(e.of)) for e in why.evidence}
    if counts and tuple(part.replace(",", "") for part in counts.groups()) not in pairs:
        yield Fault(where, f"the counts are those of no evidence: {line}")


def _lines(where: str, lines: Iterable[str], tiling: Tiling) -> Iterator[Fault]:
    for line in lines:
        rest = tiling.rest(_ORDINAL.sub("", line))
        if rest:
            yield Fault(where, f"not carried by the report, from “{rest[:40]}” on: {line.strip()}")


def _links(name: str, text: str, ids: set[Any]) -> Iterator[Fault]:
    for line in text.split("\n"):
        for found in _LINK.finditer(_CODE.sub("`", line)):
            to = found["to"]
            cluster = to.removeprefix("five-whys/").removesuffix(".md")
            if to.endswith(".md") and "/" in to and cluster not in ids:
                yield Fault(name, f"a link to a cluster that is not in the report: {to}")
            elif "://" in to and not to.startswith("https://console.cloud.google.com/"):
                yield Fault(name, f"a link that is not ours: {to}")


def _open_whys(name: str, text: str, findings: Iterable[Finding]) -> Iterator[Fault]:
    """A line or section that asks an open why holds no answer of another one."""
    for finding in findings:
        answers = [markdown(w.answer) for w in finding.whys if w.answer and len(w.answer) > 12]
        for why in finding.whys:
            if why.verdict.value in HOLDS:
                continue
            lines = [line for line in text.split("\n") if markdown(why.ask) in line]
            own = " ".join(markdown(x) for x in (why.next_step, why.ask) if x)
            for line in lines:
                yield from (Fault(name, f"answered, and open: {line}") for a in answers if a in line and a not in own)


def _claims(name: str, text: str, report: Report) -> Iterator[Fault]:
    """Words that claim a result stand where a verdict or a state carries them, or in a quotation or an advice."""
    quoted = _quotable(report)
    verdicts = {why.verdict.value for finding in report.findings for why in finding.whys}
    changes = (report.comparison or {}).get("changes", []) if isinstance(report.comparison, dict) else []
    states = {change.get("state") for change in changes}
    carried = {"refuted": "refuted" in verdicts, "gone": "gone" in states, "resolved": "gone" in states}
    for line in text.split("\n"):
        if not _CLAIMS.search(line):
            continue
        left = line
        for piece in quoted:
            left = left.replace(piece, "")
        left = _CODE.sub("", left)
        for found in _CLAIMS.finditer(left):
            if not carried.get(found[1].lower()):
                yield Fault(name, f"{found[1]!r} is claimed and not shown: {line.strip()}")


def _quotable(report: Report) -> list[str]:
    """Advice, questions and titles of rules, which claim nothing of these logs; and the words of unknown errors."""
    texts: set[str] = set()
    for cluster, finding in zip(report.clusters, report.findings, strict=True):
        texts |= {why.ask for why in finding.whys} | {why.next_step for why in finding.whys if why.next_step}
        texts |= {action.text for action in finding.actions} | {rival.title for rival in finding.rivals}
        texts |= {cluster.title, *finding.references}
        if cluster.signature is None:
            texts.add(finding.headline)
            texts |= set(finding.chain)
        texts |= {ref.message for ref in cluster.exemplars}
        texts |= {value for values in cluster.captures.values() for value, _ in values}
    escaped = {markdown(text) for text in texts} | texts
    return sorted(escaped, key=len, reverse=True)
