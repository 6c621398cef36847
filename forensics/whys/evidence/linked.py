"""Evidence `linked`: that a symptom lies behind this cluster, or a cause before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.citations import cite
from forensics.model import Cluster, EntryRef, Evidence, Link, Occurrence, Verdict, WhyRule
from forensics.timestamps import format_lag
from forensics.whys.scene import SUPPORTED_FROM, Gathered, Scene, judge
from forensics.whys.wording import units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.journal import Journal

PAIRS = 2
"""Pairs of cause and symptom that a document cites; all are in the logs."""


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Look up the links that a why names, the strongest first."""
    links = _links(why.evidence, scene)
    if not links:
        return _nothing(why.evidence, scene)
    best = links[0]
    verdict = judge(best.explained, best.of)
    rivals = _rivals(best, scene) if verdict is Verdict.SUPPORTED else []
    evidence = [_evidence(link, scene) for link in links]
    if rivals:
        verdict = Verdict.CONTESTED
        evidence += [_evidence(rival, scene, rival=True) for rival in rivals]
    other = _other(best, scene)
    values = {"count": best.explained, "of": best.of, "lag": format_lag(best.lag), "linked": other.title}
    return Gathered(verdict=verdict, evidence=tuple(evidence), values=values)


def _links(argument: Any, scene: Scene) -> list[Link]:
    """Return the links to the named signatures; for a list in the order of the list, each once."""
    if argument == "symptoms":
        return _by_strength(scene.as_cause)
    if argument == "causes":
        return _by_strength([link for link in scene.as_symptom if _is_parent(link, scene)] or scene.as_symptom)
    names = [argument] if isinstance(argument, str) else list(argument)
    links = [
        link for name in names for link in _by_strength(scene.as_cause + scene.as_symptom) if _names(link, name, scene)
    ]
    return sorted(links, key=lambda link: judge(link.explained, link.of) is not Verdict.SUPPORTED)


def _by_strength(links: list[Link]) -> list[Link]:
    return sorted(links, key=lambda link: (-link.coverage, -link.of, link.symptom, link.cause))


def _is_parent(link: Link, scene: Scene) -> bool:
    parent = scene.stage.parents.get(link.symptom)
    return parent is not None and parent.cause == link.cause


def _names(link: Link, name: str, scene: Scene) -> bool:
    return _other(link, scene).signature == name


def _other(link: Link, scene: Scene) -> Cluster:
    other = link.symptom if link.cause == scene.cluster.id else link.cause
    return scene.stage.clusters[other]


def _evidence(link: Link, scene: Scene, *, rival: bool = False) -> Evidence:
    symptom, cause = scene.stage.clusters[link.symptom], scene.stage.clusters[link.cause]
    late = link.lag is not None and max(link.lag) < 0
    where = f"{format_lag(link.lag).removesuffix(' later')} {'after the end of' if late else 'before'}"
    what = f"“{cause.title}” stands {where} {link.explained} of {link.of} {units(symptom)} of “{symptom.title}”"
    how = f"joined by {link.by}" + ("" if link.declared else ", by order and place alone")
    return Evidence(
        kind="linked",
        statement=f"{'rival: ' if rival else ''}{what} ({how})",
        count=link.explained,
        of=link.of,
        refs=tuple(_pairs(link, scene)),
        values={"symptom": link.symptom, "cause": link.cause},
    )


def _pairs(link: Link, scene: Scene) -> Iterator[EntryRef]:
    """Cite a cause and the symptom that followed it, for the first occurrences that show it."""
    journal = scene.stage.journal
    causes = scene.stage.members[link.cause].rows
    shown = 0
    for occurrence in scene.stage.members[link.symptom].occurrences:
        near = [row for row in causes if _joined(row, occurrence, link.by, journal)]
        best = min(near, key=lambda row: (abs(journal.times[row] - occurrence.end), row), default=None)
        if best is not None:
            shown += 1
            yield cite(journal.entry(best))
            yield cite(journal.entry(occurrence.rows[0]))
        if shown == PAIRS:
            return


def _joined(cause: int, symptom: Occurrence, by: str, journal: Journal) -> bool:
    if by == "trace":
        return journal.traces[cause] == symptom.trace
    return by == "revision" or journal.instance(cause) == symptom.instance


def _rivals(link: Link, scene: Scene) -> list[Link]:
    """Find other causes that meet the threshold for the same symptom and are no part of the same chain."""
    related = {link.cause, link.symptom}
    related |= {x.symptom for x in scene.stage.links if x.cause == link.cause}
    related |= {x.cause for x in scene.stage.links if x.symptom == link.cause}
    return [
        x
        for x in scene.stage.links
        if x.symptom == link.symptom and x.declared and x.coverage >= SUPPORTED_FROM and x.cause not in related
    ]


def _nothing(argument: Any, scene: Scene) -> Gathered:
    """Say what was looked for and not found, and what would show it."""
    if argument in {"causes", "symptoms"}:
        statement = (
            f"no {'cause before' if argument == 'causes' else 'symptom behind'} this cluster is in these entries"
        )
        return Gathered(
            verdict=Verdict.NO_EVIDENCE,
            evidence=(Evidence(kind="linked", statement=statement, count=0, of=scene.cluster.occurrences),),
            next_step="read the entries of the same instance in the seconds before, of any severity",
        )
    names = [argument] if isinstance(argument, str) else list(argument)
    present = [name for name in names if scene.with_signature(name)]
    listed = ", ".join(f"`{name}`" for name in (present or names))
    fact = "is in these entries, but not in the window" if present else "is not in these entries"
    missing = [stream for stream in ("requests", "system") if not scene.stage.coverage.logs.get(stream)]
    step = f"pull the {' and '.join(missing)} log of this revision too" if missing else None
    evidence = Evidence(kind="linked", statement=f"{listed} {fact}", count=0, of=scene.cluster.occurrences)
    return Gathered(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step=step)
