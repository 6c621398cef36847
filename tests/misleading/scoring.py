"""Hold what the front door says of a misleading log against its truth, and count.

A claim is a pair of parts, cause and effect, that a report calls supported anywhere: beside an incident, in a why, or
as another explanation. A report that says a pair twice claims it once.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from misleading.cases import CASES, Case, Pair, Truth
from misleading.stage import Stage

import forensics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from incidents.scenario import Record

SUPPORTED = "supported"
NOTHING = "nothing"
"""The effect of a root that is called supported, and of which no link is drawn."""
STRANGER = "stranger"


@dataclass(frozen=True)
class Reading:
    """A report on a log whose parts are known, as a reader of `report.json` sees it."""

    report: dict[str, Any]
    documents: dict[str, str]
    parts: dict[str, str]

    @cached_property
    def clusters(self) -> dict[str, dict[str, Any]]:
        return {cluster["id"]: cluster for cluster in self.report["clusters"]}

    def part(self, cluster: str) -> str:
        """Return the part that most of a cluster's example entries play."""
        played = Counter(self.parts.get(ref["insert_id"], STRANGER) for ref in self.clusters[cluster]["exemplars"])
        return min(played, key=lambda part: (-played[part], part)) if played else STRANGER

    def links(self, *, cause: str = "", symptom: str = "") -> list[dict[str, Any]]:
        """Return the links from a cluster, or to one."""
        return [x for x in self.report["links"] if cause in ("", x["cause"]) and symptom in ("", x["symptom"])]

    def pair(self, link: dict[str, Any]) -> Pair:
        """Return the parts that a link joins."""
        return self.part(link["cause"]), self.part(link["symptom"])

    def claims(self) -> set[Pair]:
        """Return all pairs that the report calls supported."""
        return {*self._beside_incidents(), *self._in_whys(), *self._of_rivals()}

    def _beside_incidents(self) -> Iterator[Pair]:
        for incident in self.report["incidents"]:
            if incident["verdict"] != SUPPORTED:
                continue
            root, effect = incident["root_cluster"], incident.get("effect") or {}
            drawn = self.links(cause=root)
            if effect.get("cluster"):
                yield self.part(root), self.part(effect["cluster"])
            elif drawn:
                yield self.pair(max(drawn, key=lambda link: link["explained"]))
            else:
                yield self.part(root), NOTHING

    def _in_whys(self) -> Iterator[Pair]:
        for finding in self.report["findings"]:
            for why in finding["whys"]:
                if why["verdict"] == SUPPORTED:
                    yield from self._linked(finding["cluster"], why["evidence"])

    def _linked(self, cluster: str, evidence: Iterable[dict[str, Any]]) -> Iterator[Pair]:
        """Yield the links that a why rests on: what it says first, and what reaches the thresholds by itself."""
        linked = [one for one in evidence if one["kind"] == "linked" and one["count"]]
        for number, one in enumerate(linked):
            if _is_chance(one["measure"]) or (number and _is_rare(one["measure"])):
                continue
            cited = {self.parts.get(ref["insert_id"], STRANGER) for ref in one["refs"]}
            for link in (*self.links(cause=cluster), *self.links(symptom=cluster)):
                if {*self.pair(link)} <= cited:
                    yield self.pair(link)

    def _of_rivals(self) -> Iterator[Pair]:
        for finding in self.report["findings"]:
            here = finding["cluster"]
            effects = {link["symptom"] for link in self.links(cause=here)} | {here}
            named = {rival["signature"] for rival in finding["rivals"] if rival["verdict"] == SUPPORTED}
            for link in self.report["links"]:
                if self.clusters[link["cause"]]["signature"] in named and link["symptom"] in effects:
                    yield self.pair(link)

    def first(self) -> str | None:
        """Return the part of the root of the first incident."""
        incidents = self.report["incidents"]
        return self.part(incidents[0]["root_cluster"]) if incidents else None


@dataclass(frozen=True)
class Score:
    """What a report on one draw of a case got right and wrong."""

    case: Case
    seed: int
    truth: Truth
    claims: set[Pair]
    first: str | None
    leads_effects: bool
    """Whether the first incident holds what was suffered, so that its root is said to have led to it."""
    faults: tuple[str, ...] = field(default=())
    """Untrue words, counts and refutations."""

    @property
    def untrue(self) -> list[Pair]:
        """The claims that are false."""
        return sorted(pair for pair in self.claims if not self.truth.holds(pair))

    @property
    def missed(self) -> list[Pair]:
        """The true links that are not called supported."""
        return sorted(set(self.truth.found) - self.claims)

    @property
    def misleads(self) -> bool:
        """Whether what leads the report is not what happened."""
        if self.first is None or self.first in (*self.truth.cause, *self.truth.effects):
            return False
        if self.first not in self.truth.never and self.truth.causes(self.first):
            return False
        return self.first in self.truth.never or self.leads_effects

    @property
    def is_first(self) -> bool | None:
        """Whether the true cause leads; None where it is not logged."""
        return self.first in self.truth.cause if self.truth.cause else None

    def complaints(self) -> Iterator[tuple[str, str]]:
        """Yield what was expected and what was found, for each thing that is wrong."""
        for pair in self.untrue:
            yield "not supported: " + " → ".join(pair), SUPPORTED
        if self.misleads:
            yield "headline: " + " or ".join((*self.truth.cause, *self.truth.effects)), f"headline: {self.first}"
        elif self.is_first is False:
            yield "first: " + " or ".join(self.truth.cause), f"first: {self.first}"
        for pair in self.missed:
            yield "supported: " + " → ".join(pair), "not supported"
        for fault in self.faults:
            yield "not said", fault


def _is_chance(measure: dict[str, Any] | None) -> bool:
    """Say whether figures beside a piece of evidence rule it out, so that it is not what a why rests on."""
    if measure is None or measure["p_value"] is None:
        return False
    limits = measure["thresholds"]
    return bool(measure["p_value"] > limits["p_value"] or measure["lift"] < limits["lift"])


def _is_rare(measure: dict[str, Any] | None) -> bool:
    return measure is not None and measure["coverage"] < measure["thresholds"]["coverage"]


def made(case: Case, seed: int) -> tuple[list[Record], dict[str, str], Truth, str]:
    """Play a case; return its export, the parts of its entries, its truth, and the revision to ask for."""
    stage = Stage(case.name, seed)
    truth = case.make(stage)
    records = list(stage.newest_first())
    return (case.arrange or list)(records), stage.parts(), truth, case.revision or stage.revision


def read(case: Case, seed: int) -> tuple[Reading, Truth]:
    """Write a case's export to a file, have it analysed, and read the report."""
    records, parts, truth, revision = made(case, seed)
    with TemporaryDirectory() as folder:
        path = Path(folder, "logs.ndjson")
        path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
        report = forensics.analyze(str(path), revision=revision)
        documents = forensics.render(report)
    data = json.loads(documents.pop("report.json"))
    return Reading(data, documents, parts), truth


def score(name: str, seed: int) -> Score:
    """Analyse one draw of a case and judge the report."""
    reading, truth = read(CASES[name], seed)
    return judge(CASES[name], seed, reading, truth)


def judge(case: Case, seed: int, reading: Reading, truth: Truth) -> Score:
    """Hold a report against the truth."""
    leading = reading.report["incidents"][0]["clusters"] if reading.report["incidents"] else ()
    suffered = any(reading.part(cluster) in truth.effects for cluster in leading)
    return Score(case, seed, truth, reading.claims(), reading.first(), suffered, tuple(_faults(reading, truth)))


def _faults(reading: Reading, truth: Truth) -> Iterator[str]:
    for link in reading.report["links"]:
        most = truth.most.get(reading.pair(link))
        if most is not None and link["explained"] > most:
            yield f"{' → '.join(reading.pair(link))} explains {link['explained']}, at most {most}"
    text = "\n".join(reading.documents.values())
    for pattern in truth.words:
        found = re.search(rf".*(?:{pattern}).*", text, re.IGNORECASE)
        if found:
            yield f"said: {found[0].strip()[:160]}"
    if not truth.refutes:
        yield from _refutations(reading)
    if truth.once:
        leads = sum(reading.part(incident["root_cluster"]) == truth.once for incident in reading.report["incidents"])
        if leads > 1:
            yield f"{truth.once} leads {leads} incidents"


def _refutations(reading: Reading) -> Iterator[str]:
    for finding in reading.report["findings"]:
        for why in finding["whys"]:
            if why["verdict"] == "refuted":
                yield f"refuted: {why['ask']}"
        for rival in finding["rivals"]:
            if rival["verdict"] == "refuted":
                yield f"refuted: {rival['signature']}"
