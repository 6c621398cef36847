"""Check the postmortems and the timeline of a report: every figure, time and command needs evidence in the input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incidents.blocks import command_faults
from incidents.circumstances import Circumstances
from incidents.documents import HOLDS, Fault
from incidents.figures import apart, lag, seconds, uncarried
from incidents.lives import is_exit, revision_of
from incidents.recount import moment

from forensics.text.timestamps import SECOND, format_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.recount import Recount
    from incidents.source import Entry, Source

Json = dict[str, Any]
_LOUD = frozenset({"ERROR", "CRITICAL", "ALERT", "EMERGENCY"})
_ENOUGH = 3
"""Times the longest pause: a shorter silence shows nothing."""
_OCCURS = re.compile(r"^(\d[\d,]*)(?: of (\d[\d,]*))? .*?\((\d[\d,]*) entr(?:y|ies)\)")
_KINDS = frozenset({"deploy", "onset", "last", "first exit", "last exit", "tests", "answered"})


class PostmortemContext:
    """Counts again what the postmortems count."""

    def __init__(self, report: Json, source: Source, recount: Recount, analysed: set[tuple[str, str]]) -> None:
        self.report, self.source, self.recount, self.analysed = report, source, recount, analysed
        self.clusters: dict[str, Json] = {cluster["id"]: cluster for cluster in report["clusters"]}
        self.findings: dict[str, Json] = {finding["cluster"]: finding for finding in report["findings"]}
        self.incidents: dict[str, Json] = {incident["id"]: incident for incident in report["incidents"]}
        self.begins = Circumstances(report, source, recount).begins
        self.lasts = max((entry.time for entry in recount.own), default=0)
        self.run: Json = report["tests"] or {}

    def faults(self) -> Iterator[Fault]:
        """Yield every statement after the findings that lacks evidence."""
        if [one["incident"] for one in self.report["postmortems"]] != list(self.incidents):
            yield Fault("postmortems", "not one for each incident")
            return
        for one in self.report["postmortems"]:
            incident = self.incidents[one["incident"]]
            if not {incident["root_cluster"], *incident["clusters"]} <= set(self.clusters):
                continue  # checked with the incidents
            yield from self._bounds(incident)
            yield from self._postmortem(one, incident)
        for event in self.report["timeline"]:
            yield from self._event(event)

    def _bounds(self, incident: Json) -> Iterator[Fault]:
        onset, end = self.recount.bounds(incident["clusters"])
        if (moment(incident["onset"]), moment(incident["end"])) != (onset, end):
            yield Fault(incident["id"], f"from {incident['onset']} to {incident['end']}, counted again: {onset}, {end}")

    def _postmortem(self, one: Json, incident: Json) -> Iterator[Fault]:
        root, where = self.clusters[incident["root_cluster"]], incident["id"]
        yield from self._listed(f"{where}, summary", one["summary"], self._of_summary(incident, root))
        yield from self._impact(f"{where}, impact", one["impact"], incident)
        yield from self._why(f"{where}, since", one["since"], self._of_since(incident))
        yield from self._why(f"{where}, detection", one["detection"], self._of_detection(incident))
        yield from self._recovery(f"{where}, recovery", one["recovery"], incident, root)
        whys = self.findings[root["id"]]["whys"]
        yield from (Fault(where, f"a factor that is no why: {why['ask']}") for why in one["factors"] if why not in whys)
        lessons = self._of_lessons(incident, root, one)
        yield from self._listed(f"{where}, lessons", [*one["went_well"], *one["went_badly"]], lessons)
        for question in one["questions"]:
            yield from self._question(f"{where}, question", question, one, incident)

    def _listed(self, where: str, evidence: list[Json], values: list[object]) -> Iterator[Fault]:
        for one in evidence:
            left = uncarried(one["statement"], values)
            if left:
                yield Fault(where, f"{', '.join(left)} is no figure of this part: {one['statement']}")
            for count in (one["count"], one["of"]):
                if count and count not in values:
                    yield Fault(where, f"{count} was counted by nothing: {one['statement']}")

    def _of_summary(self, incident: Json, root: Json) -> list[object]:
        rhythm, life = self.recount.cadence(root["id"]), self.recount.life(root)
        found: list[object] = [root["occurrences"], root["entries"], incident["onset"], incident["end"]]
        for one in filter(None, (rhythm, life)):
            found += [seconds(one["median"]), lag(one["shortest"], one["longest"])]
        return [*found, life["count"]] if life else found

    def _impact(self, where: str, impact: list[Json], incident: Json) -> Iterator[Fault]:
        """A line for each cluster with its own counts, and one about people."""
        if len(impact) != len(incident["clusters"]) + 1:
            yield Fault(where, f"{len(impact)} lines for {len(incident['clusters'])} clusters")
            return
        for one, about in zip(impact, incident["clusters"], strict=False):
            cluster = self.clusters[about]
            requests = sum(bool(e.http) and e.log_name.endswith("requests") for e in self.recount.own)
            lives = sum(life.ended and life.revision == cluster["revision"] for life in self.recount.lives)
            whole = {"request": requests, "instance life": lives}.get(cluster["unit"])
            said = _OCCURS.match(one["statement"])
            found = [int(part.replace(",", "")) if part else None for part in said.groups()] if said else []
            of = whole if whole and found[1:2] != [None] else None
            if found != [cluster["occurrences"], of, cluster["entries"]] or one["count"] != cluster["occurrences"]:
                yield Fault(where, f"counted again: {cluster['occurrences']} of {whole}: {one['statement']}")
            if one["of"] not in {None, whole}:
                yield Fault(where, f"{one['of']} is not {whole}: {one['statement']}")
            if not one["statement"].endswith(f": {cluster['title']}"):
                yield Fault(where, f"of another cluster than {about}: {one['statement']}")
        told = [self.clusters[c] for c in incident["clusters"]]
        named = [one["affected"][name] for one in told for name in ("users", "naming") if one["affected"][name]]
        named += [one["occurrences"] for one in told]
        named += [len(v) for c in incident["clusters"] for n, v in self.clusters[c]["captures"].items() if "user" in n]
        yield from self._listed(where, impact[-1:], [*named])
        yield from (fault for one in told for fault in self._people(where, one))

    def _people(self, where: str, cluster: Json) -> Iterator[Fault]:
        """No more users than entries that speak of one, and no more failed requests than were sent."""
        found = cluster["affected"]
        words = {text for text in self.recount.payloads(cluster["id"]) if "user" in text.lower()}
        if found["users"] and len(words) < found["users"]:
            yield Fault(where, f"{found['users']} users, but {len(words)} different entries that speak of users")
        if (found["naming"] or 0) > cluster["occurrences"] or (found["test_users"] or 0) > (found["users"] or 0):
            yield Fault(where, f"more occurrences or users than there are: {found}")
        for route in found["routes"]:
            methods = [e.http.get("requestMethod", "") for e in self.recount.own if e.http]
            sent = methods.count(route["method"])
            if not route["requests"] <= (route["of"] or sent) <= sent:
                yield Fault(where, f"{sent} requests were sent that way at most: {route}")

    def _why(self, where: str, why: Json, values: list[object]) -> Iterator[Fault]:
        if (why["answer"] is not None) != (why["verdict"] in HOLDS):
            yield Fault(where, f"{why['verdict']}, answer: {why['answer']}")
        yield from self._listed(where, why["evidence"], values)
        if why["answer"] and uncarried(why["answer"], values):
            yield Fault(where, f"answered by nothing that was counted: {why['answer']}")

    def _of_since(self, incident: Json) -> list[object]:
        onset = moment(incident["onset"])
        deploys = self._deploys(incident)
        return [incident["onset"], apart(onset, self.begins), *(x for d in deploys for x in self._beside(d, onset))]

    def _deploys(self, incident: Json) -> list[Json]:
        revisions = {self.clusters[cluster]["revision"] for cluster in incident["clusters"]}
        return [deploy for deploy in self.report["deploys"] if deploy["revision"] in revisions]

    def _beside(self, deploy: Json, onset: int) -> list[object]:
        time = moment(deploy["time"])
        return [deploy["time"], apart(onset, time), apart(time, onset)]

    def _of_detection(self, incident: Json) -> list[object]:
        onset = moment(incident["onset"])
        found: list[object] = [x for deploy in self._deploys(incident) for x in self._beside(deploy, onset)]
        speaking = [one for one in self.run.get("failures", []) if one["cluster"] in incident["clusters"]]
        certain = [one for one in speaking if one["joined_by"] != "time"]
        found.append(len(certain))
        for one in certain:
            if one["started"]:
                found += [one["started"], apart(moment(one["started"]), onset)]
        for entry in self.recount.own:
            if "monitoring" in entry.log_name or "clouderrorreporting" in entry.log_name:
                found += [entry.timestamp, apart(entry.time, onset)]
        return found

    def _recovery(self, where: str, why: Json, incident: Json, root: Json) -> Iterator[Fault]:
        """The silence after the last entry and the requests answered in it; called over only after a long one."""
        end = moment(incident["end"])
        answered = [entry for entry in self.recount.own if self._is_answered(entry) and entry.time > end]
        silence = max(self.lasts - end, 0) if end else 0
        values: list[object] = [format_seconds(silence), incident["end"], len(answered)]
        longest = self.recount.cadence(root["id"])
        if longest:
            values.append(seconds(longest["longest"]))
        yield from self._why(where, why, values)
        is_long = longest is not None and silence >= _ENOUGH * longest["longest"] * SECOND
        if why["verdict"] in HOLDS and not (is_long and answered):
            yield Fault(where, f"over, and the silence does not show it: {why['answer']}")
        for ref in why["evidence"][0]["refs"]:
            if (ref["insert_id"], ref["timestamp"]) not in {(one.id, one.timestamp) for one in answered}:
                yield Fault(where, f"{ref['insert_id']} is no request that was answered after {incident['end']}")

    def _is_answered(self, entry: Entry) -> bool:
        is_request = entry.http is not None and entry.log_name.endswith("requests")
        notable = str(entry.record.get("severity")) in _LOUD
        return is_request and not notable and (entry.id, entry.timestamp) not in self.analysed

    def _of_lessons(self, incident: Json, root: Json, one: Json) -> list[object]:
        whys = self.findings[root["id"]]["whys"]
        counts = self.recount.severities(incident["clusters"])
        found: list[object] = [len(whys), sum(why["verdict"] == "supported" for why in whys)]
        found += [sum(why["verdict"] not in HOLDS for why in whys), counts["(none)"], sum(counts.values())]
        found += [self.run["not_run"], self.run["total"], "0.000 s"] if self.run else []
        return [
            *found,
            *(e[key] for e in one["detection"]["evidence"] for key in ("statement", "count", "of") if e[key]),
        ]

    def _question(self, where: str, question: Json, one: Json, incident: Json) -> Iterator[Fault]:
        """A question is an open why, its advice that why's, its command made of the report's values."""
        about = question["about"]
        whys = self.findings[about]["whys"] if about else [one["detection"], one["recovery"]]
        asked = [why for why in whys if why["ask"] == question["ask"] and why["verdict"] not in HOLDS]
        advice = {text for why in asked for text in (why["next_step"], *(e["statement"] for e in why["evidence"][:1]))}
        if question["look_at"] not in advice:
            yield Fault(where, f"no open why: {question['ask']} {question['look_at']}")
        query = self.findings[about or incident["root_cluster"]]["query"]
        if question["command"]:
            for fault in command_faults(question["command"], self.report, query, incident["end"]):
                yield Fault(where, fault)

    def _event(self, event: Json) -> Iterator[Fault]:
        """What a line of the timeline tells stands in the entry that it cites, at its time."""
        where, kind = f"timeline, {event['time']}", event["kind"]
        entries = [self.source.find(ref, event["time"]) for ref in event["refs"]]
        if kind not in _KINDS or (kind == "tests") != (not event["refs"]):
            yield Fault(where, f"{kind} without an entry: {event['text']}")
        if kind in {"first exit", "last exit", "deploy", "answered"} and None in entries:
            yield Fault(where, f"{event['refs']} are not of that time: {event['text']}")
        exits = [entry for entry in self.recount.own if is_exit(entry)]
        bounds = {"onset": "onset", "last": "end"}
        if kind in bounds:
            named = [i for i in self.incidents.values() if f" {i['id']}" in event["text"]]
            if event["time"] not in {one[bounds[kind]] for one in named}:
                yield Fault(where, f"not the {bounds[kind]} of an incident: {event['text']}")
        titles = sorted((i["title"] for i in self.incidents.values()), key=len, reverse=True)
        figures = [one[key] for one in self.report["deploys"] for key in ("revision", "traffic", "message")]
        said = [str(e.record.get("textPayload")) for e in exits if e.timestamp == event["time"]]
        counts = [self.run["total"], self.run["failed"] + self.run["errors"], self.run["not_run"]] if self.run else []
        left = uncarried(event["text"], [*titles, *self.incidents, *figures, *said, *counts, f"of {len(exits)}"])
        if left:
            yield Fault(where, f"{', '.join(left)} is no figure of this event: {event['text']}")

    def exposure(self) -> Iterator[Fault]:
        """How often it could have failed, and what was read, counted again."""
        lives = self.recount.lives
        ended = [life for life in lives if life.ended]
        again = {
            "ended": len(ended),
            "cut": sum(not x.ended and not x.failed for x in lives),
            "start_recorded": sum(x.started for x in ended),
        }
        if self.report["lives"] != again:
            yield Fault("lives", f"{self.report['lives']}, counted again: {again}")
        exposure = self.recount.exposure()
        told = self.report["exposure"]
        # Numbers of routes say nothing by themselves; how many requests each has does.
        if told | {"routes": sorted(told["routes"].values())} != exposure:
            yield Fault("exposure", f"{self.report['exposure']}, counted again: {exposure}")
        coverage = self.report["coverage"]
        counted = {
            "entries_selected": len(self.recount.own),
            "no_severity": sum(not entry.record.get("severity") for entry in self.recount.own),
            "entries_read": len(self.source.entries),
            "analysed": sum(cluster["entries"] for cluster in self.clusters.values()),
        }
        for name, count in counted.items():
            if coverage[name] != count:
                yield Fault("coverage", f"{name} is {coverage[name]}, counted again: {count}")
        unknown = {revision_of(entry) for entry in self.recount.own} - {""}
        unknown -= {self.report["revision"]["name"]}
        if unknown and self.report["revision"]["name"] != "all":
            yield Fault("coverage", f"entries of other revisions: {sorted(unknown)}")
