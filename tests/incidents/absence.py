"""Check rivals, steps and statements of absence: their shares, measures and certificates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incidents.documents import Fault
from incidents.figures import lag, seconds, uncarried
from incidents.lives import is_system

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from incidents.recount import Recount
    from incidents.source import Source

    from forensics.model import Rule

Json = dict[str, Any]

_WINDOW = re.compile(r"^the (.+) before (\d+) of (\d+) occurrences? (?:was|were) recorded$")
_LOG = re.compile(r"^the (application's|\w+) log is (?:here \((\d[\d,]*) (?:entry|entries)\)|absent)$")
_MISSED = re.compile(r"^a cause that stands before (\d+)% of them would be missed in all (\d+) with a chance of (\S+)$")
_BEFORE = re.compile(r"(\S+) shows it ([\d,]+) times in ([\d,]+) (.+)")
_TOO_FEW = re.compile(r"^(\d+) occurrences? could have shown it, too few to tell$")
_LOUD = re.compile(r"around (\d+) of (\d+) occurrences? only entries of WARNING and above are here")
_OUTSIDE = re.compile(r"^it stands just outside of the time looked at in (\d+) of (\d+) occurrences?$")
_AMISS = re.compile(r"^(\d[\d,]*) (?:records? could not be read|entr(?:y has|ies have) no payload)$")
_NONE = re.compile(r"stands before none of (\d[\d,]*) .+ \(within (.+)\)$")
_PLAIN = (
    "nothing looks cut, and nothing was unreadable",
    "a gap in the entries falls into the time looked at",
    "only entries of severity WARNING or above are here, and it may be logged with less",
)
_STREAMS = {"requests": "requests", "stdout": "stdout", "stderr": "stderr", "audit": "cloudaudit"}


class Absence:
    """Judges rivals, certificates, and links that are not there."""

    def __init__(self, report: Json, source: Source, recount: Recount, rules: dict[str, Rule]) -> None:
        self.report, self.source, self.recount, self.rules = report, source, recount, rules
        self.clusters: dict[str, Json] = {cluster["id"]: cluster for cluster in report["clusters"]}
        self.links: dict[tuple[str, str], Json] = {(link["symptom"], link["cause"]): link for link in report["links"]}

    def finding(self, finding: Json) -> Iterator[Fault]:
        """Yield what the rivals and the steps of a finding say without evidence."""
        for rival in finding["rivals"]:
            yield from self._rival(f"{finding['cluster']}, rival {rival['signature']}", rival)
        for step in finding["steps"]:
            yield from self._step(f"{finding['cluster']}, step", step)

    def _rival(self, where: str, rival: Json) -> Iterator[Fault]:
        own = [c for c in self.clusters.values() if c["signature"] == rival["signature"]]
        if rival["entries"] != sum(cluster["entries"] for cluster in own):
            yield Fault(where, f"{rival['entries']} entries, and there are {[c['entries'] for c in own]}")
        rule = self.rules.get(rival["signature"])
        if rule is None or rival["title"] != rule.title:
            yield Fault(where, f"no rule has the title {rival['title']}")
        certificate = rival["certificate"]
        is_refuted = rival["verdict"] == "refuted"
        if is_refuted and (own or not certificate or certificate["lacks"]) and not self._is_apart(rival, own):
            yield Fault(where, f"refuted, and it is here or would not have shown: {rival['statement']}")
        if certificate:
            yield from self._certificate(where, certificate)
        titles = sorted((c["title"] for c in self.clusters.values()), key=len, reverse=True)
        left = uncarried(rival["statement"], [*titles, *self._of_rival(rival, own)])
        if left:
            yield Fault(where, f"{', '.join(left)} is no figure of this rival: {rival['statement']}")

    def _is_apart(self, rival: Json, own: list[Json]) -> bool:
        """Tell whether a rival in these entries never precedes the cluster that it is said not to explain."""
        return (
            bool(own) and rival["statement"].startswith("also in these entries") and not rival["certificate"]["lacks"]
        )

    def _of_rival(self, rival: Json, own: list[Json]) -> Iterator[object]:
        ids = {cluster["id"] for cluster in own}
        yield from (cluster["occurrences"] for cluster in own)
        yield sum(cluster["occurrences"] for cluster in own)
        for link in self.report["links"]:
            if link["cause"] in ids:
                yield from self.of_link(link)
        rule = self.rules.get(rival["signature"])
        for window in {*(target.within for target in rule.explains)} if rule else ():
            yield seconds(window / 1_000_000_000)

    def of_link(self, link: Json) -> list[object]:
        """List the figures of a link as a sentence may show them."""
        share = f"{link['explained']} of {link['of']}"
        near = [lag(*link["lag"]), lag(*link["lag"]).removesuffix(" later")] if link["lag"] else []
        lift = [] if link["lift"] is None else [f"lift {link['lift']:g}"]
        chance = [] if link["p_value"] is None else [f"p = {link['p_value']:g}"]
        return [share, *near, *lift, *chance, seconds(link["within"])]

    def _step(self, where: str, step: Json) -> Iterator[Fault]:
        """A step is a link, with its share and its lag; it cites an entry of the cause, then one of the symptom."""
        link = self.links.get((step["symptom"], step["cause"]))
        if link is None or any(step[key] != link[key] for key in ("explained", "of", "lag")):
            yield Fault(where, f"a step that is no link: {step['statement']}")
            return
        titles = [self.clusters[step[end]]["title"] for end in ("cause", "symptom")]
        left = uncarried(step["statement"], [*sorted(titles, key=len, reverse=True), *self.of_link(link)])
        if left or any(title not in step["statement"] for title in titles):
            yield Fault(where, f"{', '.join(left)} is no figure of this step: {step['statement']}")
        for ref, end in zip(step["refs"], ("cause", "symptom"), strict=False):
            if not self.recount.cites([ref], [step[end]]):
                yield Fault(where, f"{ref['insert_id']} is no entry of the {end}")

    def evidence(self, where: str, evidence: Json) -> Iterator[Fault]:
        """Hold the measure and the certificate of a piece of evidence against its link and the entries."""
        if evidence["certificate"]:
            yield from self._certificate(where, evidence["certificate"])
        measure, ends = evidence["measure"], evidence["values"]
        link = self.links.get((ends.get("symptom"), ends.get("cause")))
        if measure and evidence["of"] and abs(measure["coverage"] - evidence["count"] / evidence["of"]) > 0.0001:
            yield Fault(where, f"the coverage {measure['coverage']} is not {evidence['count']} of {evidence['of']}")
        if measure and link and (measure["lift"], measure["p_value"]) != (link["lift"], link["p_value"]):
            yield Fault(where, f"lift {measure['lift']} and p {measure['p_value']} are not those of the link")

    def never_near(self, where: str, evidence: Json) -> Iterator[Fault]:
        """Two clusters that are said never to be near each other are not, in the window that is named."""
        found = _NONE.search(evidence["statement"])
        symptom, cause = evidence["values"]["symptom"], evidence["values"]["cause"]
        rule = self.rules.get(self.clusters[cause]["signature"] or "")
        windows = {seconds(t.within / 1_000_000_000): t.within for t in rule.explains} if rule else {}
        if found is None or found[2] not in windows or evidence["count"] != 0:
            yield Fault(where, f"{evidence['count']} of {evidence['of']} are the figures of no link")
            return
        near, of = self.recount.explained(symptom, cause, windows[found[2]])
        if near or of != evidence["of"] or int(found[1].replace(",", "")) != of:
            yield Fault(where, f"counted again: {near} of {of}: {evidence['statement']}")

    def _certificate(self, where: str, certificate: Json) -> Iterator[Fault]:
        """Each fact of a certificate is one of a few, and its figures are those of the entries."""
        for fact in (*certificate["facts"], *certificate["lacks"]):
            if not any(self._is_so(fact, certificate)) and fact not in _PLAIN:
                yield Fault(where, f"certified, and not so: {fact}")
        coverage = self.report["coverage"]
        if _PLAIN[0] in certificate["facts"] and (coverage["truncated"] is not False or coverage["no_payload"]):
            yield Fault(where, f"certified, and not so: {_PLAIN[0]}")

    def _is_so(self, fact: str, certificate: Json) -> Iterator[bool]:
        windows, coverage = certificate["windows"], self.report["coverage"]
        if window := _WINDOW.match(fact):
            looked_at = {min(cluster["occurrences"], 1_000) for cluster in self.clusters.values()}
            yield int(window[2]) == windows <= int(window[3]) and int(window[3]) in looked_at
            return
        if log := _LOG.match(fact):
            yield int((log[2] or "0").replace(",", "")) == self._logged(log[1])
        elif before := _BEFORE.fullmatch(fact):
            yield self._was_before(*before.groups())
        elif missed := _MISSED.match(fact):
            chance = (1 - int(missed[1]) / 100) ** windows
            yield int(missed[2]) == windows and missed[3] == f"{chance:.1g}"
        elif few := _TOO_FEW.match(fact):
            yield int(few[1]) == windows
        elif outside := _OUTSIDE.match(fact) or _LOUD.fullmatch(fact):
            looked_at = {min(cluster["occurrences"], 1_000) for cluster in self.clusters.values()}
            yield int(outside[1]) <= int(outside[2]) and int(outside[2]) in looked_at
        elif amiss := _AMISS.match(fact):
            yield int(amiss[1].replace(",", "")) in {coverage["unreadable"], coverage["no_payload"]}
        else:
            yield bool(coverage["truncation"]) and fact == f"the entries look cut ({coverage['truncation']})"

    def _was_before(self, baseline: str, times: str, exposure: str, measure: str) -> bool:
        """Tell whether a statement about a baseline agrees with one of the changes."""
        comparison = self.report["comparison"] or {"baseline": None, "changes": []}
        found = {(str(c["before"]), str(c["exposure_before"]), c["measure"]) for c in comparison["changes"]}
        return (
            baseline == comparison["baseline"] and (times.replace(",", ""), exposure.replace(",", ""), measure) in found
        )

    def _logged(self, log: str) -> int:
        """Count the entries of a log of the revision that was asked for."""
        names: Iterable[str] = ("stdout", "stderr") if log == "application's" else (log,)
        if log == "audit":  # entries that name the service alone are among them
            return int(self.report["coverage"]["logs"]["audit"])
        own = self.recount.own
        if log == "system":
            return sum(is_system(entry) for entry in own)
        return sum(any(entry.log_name.endswith(_STREAMS[name]) for name in names) for entry in own)
