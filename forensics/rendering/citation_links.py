"""Write citations of entries: an id as a link, whose address stands at the end of the document.

An address of the console takes three lines of a table; at the end it is out of the way of those who read the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.rendering.escape import code
from forensics.whys.evidence import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forensics.model import EntryRef, Evidence, Finding, Postmortem, Report, Why

_PLAIN_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
"""An id that may be the label of a link."""
SHORT = 150
"""Characters of an entry that a table shows; the rest stands in `report.json`."""


def anchor(ref: EntryRef) -> str:
    """Write an entry's id, as a link where it has an address."""
    name = code(ref.insert_id or ref.timestamp or "(no id, no time)")
    return f"[{name}]" if _is_linked(ref) else name


def addresses(refs: Iterable[EntryRef]) -> list[str]:
    """Write the addresses of links, each id once, for the end of a document."""
    found = {ref.insert_id: ref.url for ref in refs if _is_linked(ref)}
    return [f"[`{name}`]: {url}" for name, url in found.items()]


def in_table(evidence: Evidence) -> bool:
    """Tell whether the citations of a piece of evidence stand in a table below its sentence."""
    kind = EVIDENCE.get(evidence.kind)
    return kind is None or kind.in_table


def short(text: str, limit: int = SHORT) -> str:
    """Shorten a text for a cell of a table."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def cited(finding: Finding) -> list[EntryRef]:
    """List the entries that a finding cites."""
    steps = [ref for step in finding.steps for ref in step.refs]
    return steps + [ref for why in finding.whys for ref in _of_why(why)]


def cited_after(postmortem: Postmortem) -> list[EntryRef]:
    """List the entries that the parts of a postmortem cite."""
    evidence = (*postmortem.summary, *postmortem.impact, *postmortem.went_well, *postmortem.went_badly)
    whys = (postmortem.since, postmortem.detection, postmortem.recovery, *postmortem.factors)
    return [ref for one in evidence for ref in one.refs] + [ref for why in whys for ref in _of_why(why)]


def cited_by(report: Report) -> list[EntryRef]:
    """List the entries that a report's postmortem cites."""
    own = [ref for postmortem in report.postmortems for ref in cited_after(postmortem)]
    in_incidents = {cluster for incident in report.incidents for cluster in incident.clusters}
    return own + [ref for c in report.clusters if c.id in in_incidents for ref in c.exemplars[:2]]


def sources(evidence: Evidence) -> str:
    """Write in brackets what evidence rests on: the first entry and how many more; "" where it cites none."""
    if not evidence.refs:
        return ""
    more = max((evidence.count or 0) - 1, len(evidence.refs) - 1, 0)
    return f"({anchor(evidence.refs[0])}{f' and {more} more' if more else ''})"


def _of_why(why: Why) -> Iterator[EntryRef]:
    return (ref for evidence in why.evidence for ref in evidence.refs)


def _is_linked(ref: EntryRef) -> bool:
    return bool(ref.url) and _PLAIN_ID.fullmatch(ref.insert_id) is not None


FILTERS = {
    "in_table": in_table,
    "anchor": anchor,
    "addresses": addresses,
    "short": short,
    "cited": cited,
    "cited_by": cited_by,
    "sources": sources,
}
