"""Check documents against their report: find every line that the report does not support."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from incidents.blocks import graph_faults
from incidents.overviews import comparison, index
from incidents.scopes import Scope, appendix, five_whys, postmortem
from incidents.sections import parse
from incidents.tiles import Tiling, Values, fragments

from forensics.model import ClusterId, EntryRef, Verdict
from forensics.rendering import decode_report
from forensics.rendering.document_headers import find_documents
from forensics.rendering.documents import instances
from forensics.rendering.escape import markdown
from forensics.text.redact import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from incidents.sections import Block, Page, Section

    from forensics.model import Finding, Report, Why

HOLDS = frozenset({"supported", "contested", "plausible"})
_HEADING = re.compile(r"## \d+\. ")
_ORDINAL = re.compile(r"^(?:## \d+\. |\d+\. |\| \d+ \|)")
_LINK = re.compile(r"(?<!\\)\]\((?P<to>[^)\s]*)\)")
_CODE = re.compile(r"(`+).*?\1")
_CLAIMS = re.compile(r"\b(caused by|resolved|fixed|gone|refuted)\b", re.IGNORECASE)
_PART = 2
"""Headings above a part of a section."""
_FIGURES = {
    r"Read: ([\d,]+) entries": "entries_read",
    r"([\d,]+) of them twice": "duplicates",
    r"([\d,]+) of them lines that": "passed_over",
    r"([\d,]+) unreadable": "unreadable",
    r"([\d,]+) belong to": "entries_selected",
    r"([\d,]+) entries of level": "errors",
    r"([\d,]+) without a severity": "no_severity",
    r"([\d,]+) without a payload": "no_payload",
    r"([\d,]+) analysed": "analysed",
    r"([\d,]+) of them known": "unclassified",
}


class Fault(NamedTuple):
    """A statement without evidence."""

    where: str
    what: str


def check_documents(report: dict[str, Any], documents: Mapping[str, str]) -> Iterator[Fault]:
    """Yield every line, block, link and word of documents that the report does not support."""
    decoded, values = _decoded(msgspec.json.encode(report))
    lost = {id_ for incident in decoded.incidents for id_ in (incident.root_cluster, *incident.clusters)}
    if lost - {cluster.id for cluster in decoded.clusters}:
        yield Fault("report", "an incident of a cluster that is not in the report")
        return
    yield from _missing(decoded, documents)
    claimable = Claims(decoded)
    ids = {cluster.id for cluster in decoded.clusters}
    templates = _templates(decoded)
    for name, text in documents.items():
        if name not in templates:
            continue
        page = parse(text)
        prose = "\n".join(line for section in page.sections for line in section.lines)
        yield from _links(name, prose, ids)
        yield from claimable.faults(name, prose)
        about = [f for f in decoded.findings if name == f"five-whys/{f.cluster}.md"]
        yield from _open_whys(name, prose, about or decoded.findings)
        yield from _Reader(name, templates[name], decoded, values).faults(page)


@lru_cache(maxsize=8)
def _decoded(report: bytes) -> tuple[Report, Values]:
    """Read a report once, however many documents of it are planted with faults, and remember what it may show."""
    decoded = decode_report(report, "report.json")
    return decoded, Values(decoded)


def _templates(report: Report) -> dict[str, str]:
    """Name the documents of a report, each with its template; a new one is among them by being in the folder."""
    return {name: document.template for document in find_documents(None) for name, _ in instances(document, report)}


def _missing(report: Report, documents: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted(_templates(report).keys() ^ documents.keys()):
        yield Fault(name, "a document without its cluster, or a cluster without its document")


class _Reader:
    """Checks each section of one document against the records that it may be about."""

    def __init__(self, name: str, template: str, report: Report, values: Values) -> None:
        self.name, self.report, self.values = name, report, values
        self.clusters = {cluster.id: cluster for cluster in report.clusters}
        self.findings = {finding.cluster: finding for finding in report.findings}
        self.finding = self.findings.get(ClusterId(name.removeprefix("five-whys/").removesuffix(".md")))
        self.literal = fragments(template)
        self.sections = {"index.md": index, "postmortem.md": postmortem, "comparison.md": comparison}.get(name)

    def faults(self, page: Page) -> Iterator[Fault]:
        """Yield unsupported statements, section by section."""
        listed = [c for incident in self.report.incidents for c in incident.clusters]
        at = 0
        scope: Scope | None
        for section in page.sections:
            if section.path[1:2] == ("## Appendix: evidence and queries",):
                about = listed[at] if len(section.path) > _PART and at < len(listed) else None
                scope = appendix(self.clusters[about], self.findings[about]) if about else Scope([()])
                at += about is not None
            else:
                scope = self._scope(section)
            where = ", ".join([self.name, *(part.lstrip("# ") for part in section.path[1:])])
            if scope is None:
                yield Fault(where, "a section of nothing that the report holds")
                continue
            yield from self._lines(where, section.lines, scope)
            if self.finding or self.sections:
                yield from self._blocks(where, section.blocks, scope)
        yield from self._whys(page)
        refs = {f"[`{ref.insert_id}`]: {ref.url}" for ref in _citations(self.report)}
        yield from (Fault(self.name, f"leads to no citation: {line}") for line in page.addresses if line not in refs)

    def _scope(self, section: Section) -> Scope | None:
        if self.finding:
            return five_whys(self.report, self.clusters[self.finding.cluster], self.finding, section)
        if self.sections:
            return self.sections(self.report, section)
        return Scope([(self.report,)])  # any other document may show what the report holds, wherever it likes

    def _lines(self, where: str, lines: Iterable[str], scope: Scope) -> Iterator[Fault]:
        tilings = [Tiling(self.values.below(*one), self.literal) for one in (*scope.alternatives, ())]
        for line in lines:
            said = _ORDINAL.sub("", line)
            rests = [tiling.rest(said) for tiling in tilings] if said.strip() else [""]
            if "" not in rests:
                rest = min(rests, key=len)
                yield Fault(where, f"not carried by the report, from “{rest[:40]}” on: {line.strip()}")
            yield from self._of_reading(where, said)

    def _of_reading(self, where: str, line: str) -> Iterator[Fault]:
        """Each figure about the reading stands at its own word."""
        if not line.startswith(("Asked: ", "Covered: ")) and "entries of level ERROR or above" not in line:
            return
        for pattern, field in _FIGURES.items():
            wanted = f"{getattr(self.report.coverage, field)}"
            for found in re.findall(pattern, line):
                if found.replace(",", "") != wanted:
                    yield Fault(where, f"{field} is {wanted}: {line}")

    def _blocks(self, where: str, blocks: list[Block], scope: Scope) -> Iterator[Fault]:
        drawn = [scope.graph] if scope.graph and scope.graph.steps else []
        wanted = [("mermaid", "")] * len(drawn) + [("", scope.query)] * bool(scope.query)
        wanted += [("yaml", scope.rule)] * bool(scope.rule)
        if [block.language for block in blocks] != [language for language, _ in wanted]:
            yield Fault(where, f"blocks of code of {[block.language for block in blocks]}, wanted: {wanted}")
            return
        for block, (language, body) in zip(blocks, wanted, strict=True):
            if language == "mermaid":
                yield from (Fault(where, fault) for fault in graph_faults(block.body, drawn[0], self.clusters))
            elif block.body != visible(body).strip("\n"):
                yield Fault(where, f"another {language or 'query'} than the report's: {block.body}")

    def _whys(self, page: Page) -> Iterator[Fault]:
        """Each why has its section, in order, with its question, its verdict and the count that it rests on."""
        if not self.finding:
            return
        headings = [
            section.path[1] for section in page.sections if section.path[1:] and _HEADING.match(section.path[1])
        ]
        if len(headings) != len(self.finding.whys):
            yield Fault(self.name, f"{len(self.finding.whys)} whys in the report, sections: {headings}")
            return
        for number, (line, why) in enumerate(zip(headings, self.finding.whys, strict=True), 1):
            where = f"{self.name}, why {number}"
            if not line.startswith(f"## {number}. "):
                yield Fault(where, f"another number: {line}")
            yield from _heading(where, line, why)


def _citations(report: Report) -> Iterator[EntryRef]:
    """Every citation of a report, wherever it stands."""
    left: list[Any] = [report]
    while left:
        value = left.pop()
        if isinstance(value, EntryRef):
            yield value
        elif isinstance(value, msgspec.Struct):
            left += [getattr(value, field) for field in value.__struct_fields__]
        elif isinstance(value, (tuple, list)):
            left += value
        elif isinstance(value, dict):
            left += value.values()


def _heading(where: str, line: str, why: Why) -> Iterator[Fault]:
    """The heading of a why names its question, its verdict, and the count that the verdict rests on."""
    if markdown(why.ask) not in line:
        yield Fault(where, f"another question: {line}")
    said = line.rpartition("(")[2]
    if not said.startswith(why.verdict.value):
        yield Fault(where, f"the verdict is {why.verdict.value}: {line}")
    counts = re.search(r"([\d,]+) of ([\d,]+)\)$", line)
    best = why.evidence[0] if why.evidence else None
    counted = (str(best.count), str(best.of)) if best and best.count is not None and best.of else None
    if (tuple(part.replace(",", "") for part in counts.groups()) if counts else None) != counted:
        yield Fault(where, f"the counts are those of no evidence: {line}")


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


class Claims:
    """The words that claim a result: which of them a report supports, and where they claim nothing."""

    def __init__(self, report: Report) -> None:
        verdicts = {why.verdict.value for finding in report.findings for why in finding.whys}
        verdicts |= {rival.verdict.value for finding in report.findings for rival in finding.rivals}
        states = {change.state.value for change in report.comparison.changes} if report.comparison else set()
        self._carried = {"refuted": "refuted" in verdicts, "gone": "gone" in states, "resolved": "gone" in states}
        self._quoted = _quotable(report)

    def faults(self, name: str, text: str) -> Iterator[Fault]:
        """Yield claims that no verdict, state, quotation or advice supports."""
        for line in text.split("\n"):
            if not _CLAIMS.search(line):
                continue
            left = line
            for piece in self._quoted:
                left = left.replace(piece, "")
            for found in _CLAIMS.finditer(_CODE.sub("", left)):
                if not self._carried.get(found[1].lower()):
                    yield Fault(name, f"{found[1]!r} is claimed and not shown: {line.strip()}")


def _quotable(report: Report) -> list[str]:
    """Advice, questions and titles of rules, which claim nothing of these logs; and the words of unknown errors."""
    texts: set[str] = {text for text in fragments("comparison.md.j2") if _CLAIMS.search(text)}
    for cluster, finding in zip(report.clusters, report.findings, strict=True):
        texts |= {why.ask for why in finding.whys} | {why.next_step for why in finding.whys if why.next_step}
        texts |= {action.text for action in finding.actions} | {rival.title for rival in finding.rivals}
        texts |= {cluster.title, *finding.references}
        texts |= {str(why.answer) for why in finding.whys if why.verdict is Verdict.REFUTED}
        if cluster.signature is None:
            texts.add(finding.headline)
            texts |= set(finding.chain)
        texts |= {ref.message for ref in cluster.exemplars}
        texts |= {value for values in cluster.captures.values() for value, _ in values}
    escaped = {markdown(text) for text in texts} | texts
    return sorted(escaped, key=len, reverse=True)
