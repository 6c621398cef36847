"""Check every statement of a report against its input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incidents.absence import Absence
from incidents.blocks import query_faults, rule_faults
from incidents.circumstances import KINDS, Circumstances
from incidents.documents import HOLDS, Fault
from incidents.recount import Recount
from incidents.source import plain_words
from incidents.tiles import Tiling, literals

from forensics.text.redact import quote
from forensics.text.timestamps import format_lag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from incidents.source import Entry, Source

    from forensics.model import EntryRow, Rule

Json = dict[str, Any]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_CODE = re.compile(r"`([^`\n]+)`")
_SHARE = re.compile(r"\b(\d[\d,]*) of (\d[\d,]*)\b")
_TITLE = re.compile(r"“([^“”]+)”")
_UNITS_OF = {
    "instance life": "instance lives",
    "request": "requests",
    "session": "sessions",
    "burst": "bursts",
}
_DEFAULTS = (
    "{{ linked }}, {{ lag }} before",
    "It stands beside {{ count }} of {{ of }} occurrences of “{{ linked }}” ({{ lag }}).",
    "A line that returns",
)
"""What is answered where no rule asks: the words of `default_whys`."""
_WEAKEST_FIRST = ("refuted", "no evidence", "not observable", "plausible", "contested", "supported")
_UNCOUNTED = frozenset({"since", "unnoticed"})
"""Evidence that is an order in time, or a trait of the entries."""
_UNNAMED = "<anonymous>"
"""How a function or file is called that a traceback leaves without a name."""
_SHORTENED = 200
"""Longer values are cut in a sentence."""
_MILLISECOND = 1_000_000
_FRAME = re.compile(r"(?P<file>[^ ].*?)?(?::(?P<line>\d+))?(?:(?:^| )in (?P<function>.+))?")
_LAG = re.compile(r"have it (.+) (before|after)$")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)(?: (µs|ms|s|min|h))?")
_UNITS = {"µs": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}


def _is_strong(link: Json) -> bool:
    """Tell whether a link meets what *supported* takes."""
    if link["coverage"] < 0.8 or link["of"] < 3 or link["of_others"] * 2 > link["explained"]:
        return False
    tested = link["p_value"] is None or (link["p_value"] <= 0.05 and (link["lift"] is None or link["lift"] >= 2))
    return tested and (link["by"] == "trace" or (link["order_p"] or 1) <= 0.02)


class Statements:
    """Walks a report: every citation, every why, every figure and every quotation."""

    def __init__(self, report: Json, source: Source, rows: Sequence[EntryRow], rules: dict[str, Rule]) -> None:
        self.report, self.source, self.rules = report, source, rules
        self.clusters: dict[str, Json] = {cluster["id"]: cluster for cluster in report["clusters"]}
        self.links = {(link["symptom"], link["cause"]): link for link in report["links"]}
        self.recount = Recount(source, rows, report["revision"]["name"])
        self.absence = Absence(report, source, self.recount, rules)
        self.circumstances = Circumstances(report, source, self.recount)
        self._words: dict[str, str] = {}

    def faults(self) -> Iterator[Fault]:
        """Yield every statement without evidence."""
        for cluster in self.clusters.values():
            yield from self._cluster(cluster)
        for link in self.report["links"]:
            yield from self.recount.link(link, self.clusters)
        for finding in self.report["findings"]:
            yield from self._finding(finding)
        yield from self.circumstances.deploys()
        known = {cluster["id"] for cluster in self.clusters.values()}
        for incident in self.report["incidents"]:
            if not {incident["root_cluster"], *incident["clusters"]} <= known:
                yield Fault(incident["id"], "a cluster that is not in the report")
                continue
            yield from self._effect(incident)
        for event in [*self.report["timeline"], *self.report["deploys"]]:
            refs = [ref if isinstance(ref, str) else ref["insert_id"] for ref in event["refs"]]
            for insert_id in [*refs, *([event["insert_id"]] if "insert_id" in event else [])]:
                if insert_id and self.source.find(insert_id) is None:
                    yield Fault("timeline", f"no entry has the insertId {insert_id}")

    def _effect(self, incident: Json) -> Iterator[Fault]:
        """What is said of a root's effect stands in its links; without one, nothing is said to have followed."""
        where, effect = incident["id"], incident["effect"]
        if incident["verdict"] != effect["verdict"]:
            yield Fault(where, f"{incident['verdict']}, and of the effect {effect['verdict']}")
        if effect["cluster"] is None:
            is_symptom = self.clusters[incident["root_cluster"]]["role"] == "symptom"
            said = "effect shown, cause unknown" if is_symptom else "seen; what it led to is open"
            if (effect["verdict"], effect["statement"]) != ("no evidence", said):
                yield Fault(where, f"no effect is named, and it says {effect['statement']!r}, {effect['verdict']}")
            return
        way = self._way(incident["root_cluster"], effect["cluster"])
        if not way:
            yield Fault(where, f"no link leads from the root to {effect['cluster']}")
            return
        if effect["verdict"] == "supported" and not all(map(_is_strong, way)):
            yield Fault(where, f"supported by a link that is not: {way}")
        title, unit = (self.clusters[effect["cluster"]][key] for key in ("title", "unit"))
        plural = {"instance life": "instance lives"}.get(unit, f"{unit}s")
        counts = f"{way[0]['explained']:,} of {way[0]['of']:,} {plural}" if len(way) == 1 else f"{len(way)} steps"
        says = {
            "supported": "led to",
            "contested": "it or another cause led to",
            "plausible": "may have led to",
        }[effect["verdict"]]
        if effect["statement"] != f"{effect['verdict']}: {says} “{title}” ({counts})":
            yield Fault(where, f"the links do not say {effect['statement']!r}")

    def _way(self, root: str, effect: str) -> list[Json]:
        """Return the link from a root to its effect, or the shortest way over links where there is none."""
        ways: list[list[Json]] = [[link] for link in self.report["links"] if link["cause"] == root]
        for _ in self.clusters:
            found = next((way for way in ways if way[-1]["symptom"] == effect), None)
            if found is not None:
                return found
            ends = [(way, link) for way in ways for link in self.report["links"] if link["cause"] == way[-1]["symptom"]]
            ways = [[*way, link] for way, link in ends if link["symptom"] not in {one["cause"] for one in way}]
        return []

    def _cluster(self, cluster: Json) -> Iterator[Fault]:
        where = cluster["id"]
        yield from self.recount.cluster(cluster)
        for ref in cluster["exemplars"]:
            yield from self._reference(where, ref)

    def _reference(self, where: str, ref: Json) -> Iterator[Fault]:
        """A citation names an entry of the input, at its time, and quotes what it says."""
        entry = self.source.find(ref["insert_id"], ref["timestamp"])
        if entry is None:
            yield Fault(where, f"no entry has the insertId {ref['insert_id']} and the time {ref['timestamp']}")
            return
        if ref["severity"] != entry.record.get("severity"):
            yield Fault(where, f"{entry.id} has the severity {entry.record.get('severity')}, not {ref['severity']}")
        for part in ref["message"].split(" … "):
            raw = part.removesuffix("…")
            said = plain_words(raw)
            if said and not self._is_said(entry, said, raw):
                yield Fault(where, f"{entry.id} does not say “{said[:120]}”")

    def _is_said(self, entry: Entry, said: str, raw: str) -> bool:
        if said == "(no payload)":
            payloads = ("textPayload", "jsonPayload", "protoPayload")
            return not any(entry.record.get(payload) for payload in payloads)
        if self.source.holds(entry, said):
            return True
        lines = [plain_words(line) for line in raw.split("\n") if line.strip()]
        if len(lines) > 1 and all(self.source.holds(entry, line) for line in lines):
            return True  # joined from pieces, each without the prefix of its logger
        if entry.http or "protoPayload" in entry.record:
            # A request without words of its own is quoted as status, method and address, a call as method and name.
            return all(word in entry.redacted or word in entry.words for word in said.split())
        kind, colon, value = said.partition(": ")
        # A name of PHP stands with its backslashes doubled where a logger writes JSON into a text.
        kinds = (kind, kind.replace("\\", "\\\\"))
        return bool(colon) and any(self.source.holds(entry, one) for one in kinds) and self.source.holds(entry, value)

    def _finding(self, finding: Json) -> Iterator[Fault]:
        where = finding["cluster"]
        if where not in self.clusters:
            yield Fault(where, "a finding about no cluster")
            return
        for number, why in enumerate(finding["whys"], 1):
            yield from self._why(f"{where}, why {number}", why, self.clusters[where])
        yield from self._root(where, finding)
        yield from self.absence.finding(finding)
        cluster = self.clusters[where]
        messages = [ref["message"] for ref in cluster["exemplars"]]
        if finding["query"]:
            found = query_faults(finding["query"], cluster, self.report["revision"], messages)
            yield from (Fault(f"{where}, query", fault) for fault in found)
        if finding["proposed_rule"]:
            for fault in rule_faults(finding["proposed_rule"], cluster, frozenset(self.rules)):
                yield Fault(f"{where}, proposed rule", fault)

    def _root(self, where: str, finding: Json) -> Iterator[Fault]:
        """The root is the answer of a why that holds, and the confidence is no better than it."""
        root, whys = finding["root"], finding["whys"]
        if root is None:
            if finding["confidence"] in HOLDS:
                yield Fault(where, f"no root, and the confidence is {finding['confidence']}")
            return
        why = whys[root["why"] - 1]
        if why["verdict"] not in HOLDS or why["answer"] != root["statement"]:
            yield Fault(where, f"the root is not the answer of why {root['why']}")
        if _WEAKEST_FIRST.index(finding["confidence"]) > _WEAKEST_FIRST.index(why["verdict"]):
            yield Fault(where, f"{finding['confidence']} is more than why {root['why']} shows ({why['verdict']})")

    def _why(self, where: str, why: Json, cluster: Json) -> Iterator[Fault]:
        is_shown = why["verdict"] in HOLDS
        if (why["answer"] is not None) != is_shown:
            yield Fault(where, f"{why['verdict']}, answer: {why['answer']}")
        if (why["kind"] == "open question") == is_shown:
            yield Fault(where, f"{why['verdict']} is printed as {why['kind']}")
        if is_shown and not any(evidence["count"] or evidence["kind"] in _UNCOUNTED for evidence in why["evidence"]):
            yield Fault(where, f"{why['verdict']} without anything counted")
        for evidence in why["evidence"]:
            yield from self._evidence(where, evidence, cluster)
        yield from self._answer(where, why, cluster)
        figures = self._figures(why, cluster)
        pairs = {(evidence["count"], evidence["of"]) for evidence in why["evidence"]}
        apart = [
            e["statement"] for e in why["evidence"] if e["kind"] in KINDS or "stands before none" in e["statement"]
        ]
        for text in (why["answer"], *(evidence["statement"] for evidence in why["evidence"])):
            if text and text not in apart:
                yield from self._text(where, text, figures, cluster)
                for part, whole in _SHARE.findall(_CODE.sub("", self._without_titles(text))):
                    counted = (int(part.replace(",", "")), int(whole.replace(",", ""))) in pairs
                    if not counted and f"{part} of {whole}" not in self._all_words(cluster):
                        yield Fault(where, f"{part} of {whole} was counted by no evidence of this why: {text}")

    def _answer(self, where: str, why: Json, cluster: Json) -> Iterator[Fault]:
        """An answer is a statement of its evidence, or the template of its rule filled with values of this why."""
        answer = why["answer"]
        if answer is None or answer in {evidence["statement"] for evidence in why["evidence"]}:
            return
        rule, said = self.rules.get(cluster["signature"] or ""), answer
        written = [one.answer or "" for one in (rule.whys if rule else ()) if one.ask == why["ask"]] or _DEFAULTS
        own = {key: value for key, value in cluster.items() if key != "id"}
        values = [_UNITS_OF[cluster["unit"]], *_texts([own, why["evidence"]])]
        if cluster["frame"]:
            values.append("the application" if cluster["frame"]["in_app"] else "a library")
        for evidence in why["evidence"]:
            lag = self._link_lag(evidence)
            near = _LAG.search(evidence["statement"])
            values += [near[1]] if near else []
            if lag:
                values += [format_lag(lag), format_lag(lag).removesuffix(" later")]
            if lag and max(lag) < 0:  # a rule's words are for what stands before
                said = said.replace(" after the end of ", " before the end of ")
            ends = [evidence["values"].get(end) for end in ("symptom", "cause")]
            for linked in (self.clusters[end] for end in ends if end in self.clusters):
                values += [linked["title"], _UNITS_OF[linked["unit"]]]
            if evidence["kind"] == "deploys":
                values += _texts(self.report["deploys"])
        literal = frozenset[str]().union(*map(literals, written))
        values = [" ".join(value.split()) for value in values if value.strip()]
        rest = min((Tiling(values, literal).rest(text) for text in (answer, said)), key=len)
        if rest:
            yield Fault(where, f"no evidence and no rule says “{rest[:60]}”: {answer}")

    def _evidence(self, where: str, evidence: Json, cluster: Json) -> Iterator[Fault]:
        for ref in evidence["refs"]:
            yield from self._reference(where, ref)
        count, of = evidence["count"], evidence["of"]
        if count is not None and of is not None and count > of:
            yield Fault(where, f"{count} of {of}")
        yield from self.absence.evidence(where, evidence)
        kind, values = evidence["kind"], evidence["values"]
        if kind in KINDS:
            yield from self.circumstances.evidence(where, evidence, cluster)
        elif kind == "linked" and values:
            yield from self._linked(where, evidence)
        elif kind in {"values", "frames"} and count:
            yield from self._valued(where, evidence, cluster)
        elif kind == "entries" and evidence["refs"]:
            yield from self._near(where, evidence, cluster)

    def _linked(self, where: str, evidence: Json) -> Iterator[Fault]:
        """Linked evidence has the figures of a link, or says that two clusters are never near; it cites both."""
        values, counts = evidence["values"], (evidence["count"], evidence["of"])
        link = self.links.get((values["symptom"], values["cause"]))
        if link is None:
            yield from self.absence.never_near(where, evidence)
        elif counts != (link["explained"], link["of"]):
            yield Fault(where, f"{counts[0]} of {counts[1]} are the figures of no link")
        elif not self.recount.cites(evidence["refs"], values.values()):
            yield Fault(where, "an entry is cited that belongs to neither cluster")

    def _valued(self, where: str, evidence: Json, cluster: Json) -> Iterator[Fault]:
        """A value, or the place of a frame, is in as many occurrences as are counted."""
        kind, values, count, of = (evidence[key] for key in ("kind", "values", "count", "of"))
        place = values.get("file", "")
        if place == _UNNAMED:
            place = (cluster["frame"] or {}).get("function", "").split(" ")[0]
        wanted = [place] if kind == "frames" else self._captured(cluster, values)
        most = self.recount.occurrences_that_say(cluster, wanted)
        if of != cluster["occurrences"] or count > most:
            yield Fault(where, f"{count} of {of} {kind}, counted again: {most} of {cluster['occurrences']}")

    def _captured(self, cluster: Json, values: dict[str, str]) -> list[str]:
        """Any captured value of the first name counts: a sentence lists several."""
        name = next(iter(values), "")
        return [value for value, _ in cluster["captures"].get(name, [])] or list(values.values())[:1]

    def _near(self, where: str, evidence: Json, cluster: Json) -> Iterator[Fault]:
        """An entry that is said to precede an occurrence does so, within the span that is named."""
        said = _LAG.search(evidence["statement"])
        if said is None:
            if evidence["count"] != cluster["occurrences"]:
                yield Fault(where, f"{evidence['count']} are not the {cluster['occurrences']} occurrences")
            return
        low, high = _span(said[1])
        for ref in evidence["refs"]:
            entry = self.source.find(ref["insert_id"], ref["timestamp"])
            lags = self.recount.lags(cluster, entry, before=said[2] == "before") if entry else []
            if not any(low * 0.9 - 1 <= lag / _MILLISECOND <= high * 1.1 + 1 for lag in lags):
                yield Fault(where, f"{ref['insert_id']} does not stand {said[1]} {said[2]} an occurrence")

    def _figures(self, why: Json, cluster: Json) -> set[str]:
        """Every number that a why may name: its counts, its links, its entries' words, its rule's words."""
        texts: list[str] = [format_lag(lag) for e in why["evidence"] if (lag := self._link_lag(e))]
        numbers = {cluster["entries"], cluster["occurrences"], cluster["instances"]}
        for evidence in why["evidence"]:
            numbers |= {n for n in (evidence["count"], evidence["of"]) if n is not None}
            texts += [*evidence["values"].values(), *(ref["message"] for ref in evidence["refs"])]
            said = _LAG.search(evidence["statement"])
            texts += [said[1]] if said else []  # held against the entries in `_near`
            texts += self._of_link(evidence)
            if evidence["kind"] == "deploys":
                texts += [f"{d['time']} {d['image']}" for d in self.report["deploys"]]
            if evidence["kind"] == "values":
                texts += [f"{value} {count}" for pairs in cluster["captures"].values() for value, count in pairs]
                numbers |= {len(pairs) - 3 for pairs in cluster["captures"].values()}
        texts += [c["title"] for c in self.clusters.values()] + self._of_rule(why, cluster)
        frame = cluster["frame"] or {}
        texts += [str(frame.get("file")), str(frame.get("line")), *self.recount.payloads(cluster["id"])]
        tests = self.report.get("tests") or {}
        numbers |= {value for value in tests.values() if isinstance(value, int)}
        return {found.replace(",", "") for text in texts for found in _NUMBER.findall(text)} | set(map(str, numbers))

    def _link_lag(self, evidence: Json) -> tuple[float, float] | None:
        values = evidence["values"]
        link = self.links.get((values.get("symptom"), values.get("cause"))) if evidence["kind"] == "linked" else None
        return (link["lag"][0], link["lag"][1]) if link and link["lag"] else None

    def _of_link(self, evidence: Json) -> list[str]:
        """The figures of a link as a sentence may show them."""
        ends = evidence["values"]
        link = self.links.get((ends.get("symptom"), ends.get("cause"))) or {}
        numbers = [value for value in link.values() if isinstance(value, (int, float)) and not isinstance(value, bool)]
        return [f"{n:g} {n:.1f} {n:.2f} {n:.3f} {n:.2g} {100 * n:.0f} {100 * n:.1f}" for n in numbers]

    def _of_rule(self, why: Json, cluster: Json) -> list[str]:
        rule = self.rules.get(cluster["signature"] or "")
        asked = [one for one in rule.whys if one.ask == why["ask"]] if rule else []
        return [text for one in asked for text in (one.answer or "", str(one.evidence))]

    def _all_words(self, cluster: Json) -> str:
        """Everything that the entries of a cluster say."""
        if cluster["id"] not in self._words:
            self._words[cluster["id"]] = "\n".join(self.recount.words(cluster["id"]))
        return self._words[cluster["id"]]

    def _text(self, where: str, text: str, figures: set[str], cluster: Json) -> Iterator[Fault]:
        """A sentence names no figure, no quotation and no title that is not of this why."""
        for found in _NUMBER.findall(text):
            parts = {found.replace(",", "").rstrip(".")} | set(re.findall(r"\d+", found))
            if not parts & figures:
                yield Fault(where, f"{found} is no figure of this why: {text}")
        # The title of an unknown error is a line of the log, backquotes included.
        for quoted in _CODE.findall(self._without_titles(text)):
            if not self._is_quoted(quoted, cluster):
                yield Fault(where, f"`{quoted}` stands in no entry of the cluster: {text}")
        titles = {one["title"] for one in self.clusters.values()}
        for title in _TITLE.findall(text):
            if title not in titles and not any(title in one for one in titles):
                yield Fault(where, f"“{title}” is no cluster of the report: {text}")

    def _without_titles(self, text: str) -> str:
        for cluster in self.clusters.values():
            text = text.replace(cluster["title"], "")
        return text

    def _is_quoted(self, quoted: str, cluster: Json) -> bool:
        words = self._all_words(cluster).replace("`", "'")
        said = plain_words(quoted.removesuffix("…"))
        images = {deploy["image"] for deploy in self.report["deploys"]}
        if said == _UNNAMED or said in words or said.replace("'", "`") in words or said in self.rules or said in images:
            return True
        # Where values varied, the words around them stand there in order.
        pieces = [piece for piece in said.split("…") if piece.strip()]
        if len(pieces) > 1 and re.search(".*?".join(map(re.escape, pieces)), words):
            return True
        # A frame is put together from three places of a traceback, and a method's name from two fields.
        frame = _FRAME.fullmatch(said.removeprefix("in "))
        parts = [part for part in (frame.groups() if frame else ()) if part]
        parts = [part for part in parts if part != _UNNAMED]
        return all(part in words or all(x in words for x in part.rsplit(".", 1)) for part in parts) and bool(parts)


def _texts(value: Any) -> list[str]:
    """List the texts and numbers of a JSON value, as a sentence shows them."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    if isinstance(value, str):
        shapes = {value, value.replace("`", "'"), value.split("\n", 1)[0]}
        return sorted(shapes | {" ".join(quote(shape, _SHORTENED).split()) for shape in shapes})
    return [] if value is None or isinstance(value, (bool, float)) else [str(value), f"{value:,}"]


def _span(text: str) -> tuple[float, float]:
    """Read `0.06–0.12 s`, `9 ms`, `1 min 47 s–2 min` as milliseconds."""
    ends = []
    unit = "s"
    for end in reversed(text.split("–")):
        amounts = [(float(number), of) for number, of in _AMOUNT.findall(end)]
        unit = next((of for _, of in amounts if of), unit)
        ends.append(sum(number * _UNITS[of or unit] for number, of in amounts))
    return min(ends), max(ends)
