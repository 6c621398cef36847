"""Check evidence of deployments, tests, baselines and times by counting it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from incidents.documents import Fault
from incidents.figures import apart, uncarried
from incidents.lives import revision_of
from incidents.recount import moment

from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from incidents.recount import Recount
    from incidents.source import Source

Json = dict[str, Any]
KINDS = frozenset({"since", "deploys", "tests", "compare", "unnoticed"})
_QUOTED = re.compile(r"“[^”]*”|`[^`]*`")
_LOW = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING")
_ALMOST_NONE = "0.000 s"


class Circumstances:
    """Judges what stands beside a failure: nothing here explains it, and every figure is one of these."""

    def __init__(self, report: Json, source: Source, recount: Recount) -> None:
        self.report, self.source, self.recount = report, source, recount
        name = report["revision"]["name"]
        own = [e.time for e in source.entries if e.time and name in {"all", revision_of(e)}]
        self.begins = min(own, default=0)
        self.run: Json = report["tests"] or {}

    def deploys(self) -> Iterator[Fault]:
        """Yield what is said about a deployment without an entry of the audit log."""
        for one in self.report["deploys"]:
            entry = self.source.find(one["insert_id"], one["time"])
            if entry is None or "protoPayload" not in entry.record:
                yield Fault("deploys", f"no audit entry has the insertId {one['insert_id']} and the time {one['time']}")
                continue
            for key in ("revision", "image"):
                if one[key] not in entry.redacted and one[key] not in entry.words:
                    yield Fault("deploys", f"{entry.id} does not name the {key} {one[key]}")
            yield from (
                Fault("deploys", f"{figure} % stands not in {entry.id}")
                for figure in re.findall(r"(\d+) %", one["traffic"])
                if figure not in entry.words
            )

    def evidence(self, where: str, evidence: Json, cluster: Json) -> Iterator[Fault]:
        """Yield the figures and counts of one piece of evidence that nothing supports."""
        kind = evidence["kind"]
        values = {
            "since": self._since,
            "deploys": self._deploys,
            "tests": self._tests,
            "compare": self._compared,
            "unnoticed": self._unnoticed,
        }[kind](cluster)
        said = evidence["statement"]
        if kind == "tests":
            said = _QUOTED.sub("", said)
            yield from self._quoted(where, evidence)
        left = uncarried(said, values)
        if left:
            yield Fault(where, f"{', '.join(left)} is no figure of this {kind} evidence: {evidence['statement']}")
        for count in (evidence["count"], evidence["of"]):
            if count and count not in values:
                yield Fault(where, f"{count} was counted by nothing: {evidence['statement']}")

    def _since(self, cluster: Json) -> list[object]:
        first = moment(cluster["first_seen"])
        own = [one for one in self.report["deploys"] if one["revision"] == cluster["revision"]]
        spans = [apart(first, moment(one["time"])) for one in own]
        begins = (format_time(self.begins), apart(first, self.begins))
        return [cluster["first_seen"], *begins, *spans, *(one["time"] for one in own)]

    def _deploys(self, cluster: Json) -> list[object]:
        first = moment(cluster["first_seen"])
        own = [one for one in self.report["deploys"] if one["revision"] == cluster["revision"]]
        figures = [one[key] for one in own for key in ("time", "image", "traffic", "message")]
        at_once = ["0 s after"] if any(moment(one["time"]) == first for one in own) else []
        return [len(own), *figures, *at_once, *(apart(first, moment(one["time"])) for one in own)]

    def _tests(self, cluster: Json) -> list[object]:
        run = self.run
        if not run:
            return []
        speaking = [one for one in run["failures"] if one["cluster"] == cluster["id"]]
        counts: list[object] = [run["total"], run["failed"] + run["errors"], run["not_run"], len(speaking)]
        counts += [sum(one["in_time"] is True for one in speaking), _ALMOST_NONE]
        return [*counts, run["started"], *self._since_ready(cluster), *self._outcomes(cluster)]

    def _since_ready(self, cluster: Json) -> list[str]:
        own = [d for d in self.report["deploys"] if d["revision"] == cluster["revision"] and d["outcome"] == "ready"]
        return [apart(moment(self.run["started"]), moment(one["time"])) for one in own if self.run["started"]]

    def _outcomes(self, cluster: Json) -> list[object]:
        """Count tests whose name contains the function or file of the cluster, by outcome."""
        frame = cluster["frame"] or {}
        stem = str(frame.get("file", "")).rpartition("/")[2].rpartition(".")[0]
        wanted = {str(frame.get("function", "")).strip("_<>").lower(), stem.strip("_<>").lower()} - {""}
        hits = [what for test, what in self.run["outcomes"].items() if any(name in test.lower() for name in wanted)]
        return [len(hits), max(len(hits) - 4, 0), *(hits.count(what) for what in sorted(set(hits)))]

    def _quoted(self, where: str, evidence: Json) -> Iterator[Fault]:
        """What is quoted of tests stands in their results, or is a name of the cluster's code."""
        texts = " ".join(str(one) for one in (self.run.get("failures") or [])) + " ".join(
            self.run.get("outcomes") or {}
        )
        frames = " ".join(str(cluster["frame"]) for cluster in self.report["clusters"])
        for found in _QUOTED.findall(evidence["statement"]):
            if found[1:-1] not in texts and found[1:-1] not in frames:
                yield Fault(where, f"{found} stands in no result of a test: {evidence['statement']}")

    def _compared(self, cluster: Json) -> list[object]:
        compared = self.report["comparison"]
        if not compared:
            return []
        key = (cluster["signature"], None if cluster["signature"] else cluster["fingerprint"])
        changes = [one for one in compared["changes"] if (one["signature"], one["fingerprint"]) == key]
        said = [f"against {compared['baseline']}: {one['statement']}" for one in changes]
        return [*said, *(one["after"] for one in changes)]

    def _unnoticed(self, cluster: Json) -> list[object]:
        counts = self.recount.severities([cluster["id"]])
        return [counts["(none)"], sum(counts[name] for name in _LOW), sum(counts.values())]
