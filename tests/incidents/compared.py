"""Check a comparison: every count, ratio, interval, p-value and word must follow from its numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from incidents.documents import Fault
from incidents.figures import uncarried
from incidents.reckoned import Reckoned, places_of, reckon

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
_FIELDS = {
    "requests": "requests",
    "WebSocket sessions": "sessions",
    "instance starts": "starts",
    "instance lives": "lives",
}
_SURE = 0.05
_NEEDED = 3
"""Occurrences that the other side's rate would have shown."""
_SEEN = {"gone": (True, False), "new": (False, True)}


def comparison_faults(report: Json, baseline: Json | None) -> Iterator[Fault]:
    """Yield what the numbers of both sides do not support; the baseline is checked against its own report, if given."""
    compared = report["comparison"]
    if not compared:
        return
    after = _counts(report)
    before = _counts(baseline) if baseline else None
    if compared["exposure"]["after"] != report["exposure"]:
        yield Fault("comparison", f"another exposure than the report's: {compared['exposure']['after']}")
    if baseline and compared["exposure"]["before"] != baseline["exposure"]:
        yield Fault("comparison", f"another exposure than the baseline's: {compared['exposure']['before']}")
    for change in compared["changes"]:
        where = f"comparison, {change['signature'] or change['title']}"
        key = (change["signature"], change["fingerprint"])
        if after[key] != (change["after"], change["entries_after"]):
            yield Fault(where, f"{change['after']} now, counted again: {after[key]}")
        if before is not None and before[key] != (change["before"], change["entries_before"]):
            yield Fault(where, f"{change['before']} before, counted again: {before[key]}")
        yield from _measured(where, change, compared["exposure"], report, baseline)
        yield from _said(where, change)
    yield from _corrected(compared["changes"], report, baseline)
    yield from _tests(compared["tests"])


def _counts(report: Json) -> dict[tuple[str | None, str | None], tuple[int, int]]:
    found: dict[tuple[str | None, str | None], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for cluster in report["clusters"]:
        key = _key(cluster)
        occurrences, entries = found[key]
        found[key] = (occurrences + cluster["occurrences"], entries + cluster["entries"])
    return found


def _clusters(report: Json, change: Json) -> list[Json]:
    return [cluster for cluster in report["clusters"] if _key(cluster) == _key(change)]


def _sizes(change: Json, exposure: Json, report: Json, baseline: Json | None) -> tuple[int | None, int | None]:
    """Return the exposures; of requests those of the routes that failed, else all that count."""
    field = _FIELDS[change["measure"]]
    before, after = exposure["before"], exposure["after"]
    if field != "requests" or not (before["routes"] and after["routes"]):
        return before[field], after[field]
    own = [c["spread"]["routes"] for side in (report, baseline or {"clusters": []}) for c in _clusters(side, change)]
    routes = {str(route) for known in own for route in known} if all(own) else set()
    first, second = (
        sum(side["routes"].get(route, 0) for route in routes)
        if routes
        else side["requests"] - side["probes"] - side["refused"] - side["retries"]
        for side in (before, after)
    )
    return first, second


def _measured(where: str, change: Json, exposure: Json, report: Json, baseline: Json | None) -> Iterator[Fault]:
    """Calculate the ratio of the rates again, its interval, its p-value and its episodes."""
    sizes = _sizes(change, exposure, report, baseline)
    if (change["exposure_before"], change["exposure_after"]) != sizes:
        yield Fault(where, f"{change['measure']} are {sizes}")
    if change["p_value"] is None or not (sizes[0] and sizes[1]):
        return
    before, after = change["before"], change["after"]
    if before and change["ratio"] is not None:
        ratio = (after / sizes[1]) / (before / sizes[0])
        if abs(change["ratio"] - ratio) > 0.001 * ratio:
            yield Fault(where, f"the ratio is {change['ratio']}, reckoned again: {ratio:.4g}")
    if baseline is None or change["ci_low"] is None:
        return
    old, new = (
        places_of(_clusters(side, change), size)
        for side, size in zip((baseline, report), (sizes[0], sizes[1]), strict=True)
    )
    again = reckon((old, new), (sizes[0], sizes[1]))
    yield from _differences(where, change, again)


def _differences(where: str, change: Json, again: Reckoned) -> Iterator[Fault]:
    if abs(change["p_value"] - again.p_value) > 0.01 + 0.15 * again.p_value:
        yield Fault(where, f"p is {change['p_value']}, reckoned again: {again.p_value:.4g}")
    for end, value in (("ci_low", again.low), ("ci_high", again.high)):
        if (change[end] is None) != (value is None):
            yield Fault(where, f"{end} is {change[end]}, reckoned again: {value}")
        elif value is not None and abs(change[end] - value) > 0.001 + 0.001 * value:
            yield Fault(where, f"{end} is {change[end]}, reckoned again: {value:.4g}")
    if (change["episodes_before"], change["episodes_after"]) != again.episodes:
        yield Fault(where, f"episodes are {again.episodes}")


def _said(where: str, change: Json) -> Iterator[Fault]:
    """The word follows the numbers, and so does every figure of the sentence."""
    state, before, after = change["state"], change["before"], change["after"]
    if state in _SEEN and (before > 0, after > 0) != _SEEN[state]:
        yield Fault(where, f"{state}, with {before} before and {after} now")
    if state in {"new", "gone", "worse", "better"} and not (change["p_corrected"] or 0) <= _SURE:
        yield Fault(where, f"{state}, with p = {change['p_corrected']}")
    if f": {state}" not in change["statement"] and not change["statement"].startswith(state):
        yield Fault(where, f"the state is {state}: {change['statement']}")
    # What one baseline cannot show is said in the same words of every change.
    told = change["statement"].partition(" against ")[0]
    left = uncarried(told, _figures(change))
    if left:
        yield Fault(where, f"{', '.join(left)} is no figure of this change: {change['statement']}")


def _figures(change: Json) -> Iterator[object]:
    sizes = (change["exposure_before"], change["exposure_after"])
    counts = (change["before"], change["after"])
    for one, other in (counts, sizes):
        yield from (f"{_shown(one)} → {_shown(other)}", one, other)
    episodes = (change["episodes_before"], change["episodes_after"])
    for count, number in zip(counts, episodes, strict=True):
        if number is not None and number < 0.8 * count:
            yield f"{count:,} {'failure' if count == 1 else 'failures'} in {_episodes(number)}"
    yield from (_episodes(max(filter(None, episodes), default=0)), change["episodes_needed"])
    ends = [f"{change[end]:.2f}" for end in ("ratio", "ci_low", "ci_high") if change[end] is not None]
    yield from ("–".join(ends[-2:]), *ends, str(_NEEDED))
    if change["p_corrected"] is not None:
        yield f"{change['p_corrected']:.2f}"
    if all(sizes):
        yield f"{change['after'] / sizes[1] * sizes[0]:.1f}"
        yield f"{change['before'] / sizes[0] * sizes[1]:.1f}"


def _episodes(number: int) -> str:
    return "1 episode" if number == 1 else f"{number:,} episodes"


def _shown(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _corrected(changes: list[Json], report: Json, baseline: Json | None) -> Iterator[Fault]:
    """Correct p-values again (Holm), each incident by its root; what is no root takes the place of its own."""
    tested = {_key(change): change for change in changes if change["p_value"] is not None}
    roots = _roots([report, *([baseline] if baseline else [])])
    leaders = {key: roots[key] if roots.get(key, key) in tested else key for key in tested if key in roots}
    for key, change in tested.items():
        own, p_value = leaders.get(key, key), change["p_value"]
        others = [c["p_value"] for k, c in tested.items() if leaders.get(k, k) == k and k not in {key, own}]
        family = [p_value, *others]
        again = max(min(1.0, p * sum(other >= p for other in family)) for p in family if p <= p_value)
        if change["p_corrected"] is None or abs(change["p_corrected"] - again) > 1e-9:
            yield Fault("comparison", f"p is {change['p_corrected']}, corrected again: {again:.4g}: {change['title']}")


def _key(change: Json) -> tuple[str | None, str | None]:
    return change["signature"], None if change["signature"] else change["fingerprint"]


def _roots(reports: list[Json]) -> dict[tuple[str | None, str | None], tuple[str | None, str | None]]:
    """Find for each signature the one root of all its incidents, in the first report that shows it; else itself."""
    found: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = {}
    for report in reports:
        keys = {cluster["id"]: _key(cluster) for cluster in report["clusters"]}
        own = {
            cluster: incident["root_cluster"] for incident in report["incidents"] for cluster in incident["clusters"]
        }
        for key in set(keys.values()):
            roots = {keys[own.get(cluster, cluster)] for cluster, name in keys.items() if name == key}
            found.setdefault(key, roots.pop() if len(roots) == 1 else key)
    return {key: root if found.get(root) == root else key for key, root in found.items()}


def _tests(tests: Json | None) -> Iterator[Fault]:
    for row in [tests["total"], tests["modules_passed"], *tests["modules"]] if tests else []:
        counts = (row["passed_before"], row["ran_before"], row["passed_after"], row["ran_after"])
        if counts[0] > counts[1] or counts[2] > counts[3]:
            yield Fault("comparison", f"more passed than ran: {counts}")
        shares = [f"{counts[at]} of {counts[at + 1]}" for at in (0, 2)] + [
            f"{counts[at]}/{counts[at + 1]}" for at in (0, 2)
        ]
        rates = [f"{counts[at] / counts[at + 1]:.0%}" for at in (0, 2) if counts[at + 1]]
        p_value = row["p_value"]
        chance = [] if p_value is None else [f"{p_value:.3g}", f"{p_value:.2g}", f"{p_value:.3f}", f"{p_value:.2f}"]
        left = uncarried(row["statement"], [row["name"], *shares, *rates, *chance, *counts])
        if left:
            yield Fault("comparison", f"{', '.join(left)} is no figure of these tests: {row['statement']}")
