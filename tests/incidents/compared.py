"""Check a comparison: every count, ratio, interval, p-value and word must follow from its numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from incidents.documents import Fault
from incidents.figures import uncarried
from scipy.stats import beta, binomtest

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
        yield from _measured(where, change, compared["exposure"])
        yield from _said(where, change)
    yield from _holm(compared["changes"])
    yield from _tests(compared["tests"])


def _counts(report: Json) -> dict[tuple[str | None, str | None], tuple[int, int]]:
    found: dict[tuple[str | None, str | None], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for cluster in report["clusters"]:
        key = (cluster["signature"], None if cluster["signature"] else cluster["fingerprint"])
        occurrences, entries = found[key]
        found[key] = (occurrences + cluster["occurrences"], entries + cluster["entries"])
    return found


def _measured(where: str, change: Json, exposure: Json) -> Iterator[Fault]:
    """Calculate the ratio of the rates again, and for independent occurrences its exact interval and p-value."""
    field = _FIELDS[change["measure"]]
    sizes = (exposure["before"][field], exposure["after"][field])
    if (change["exposure_before"], change["exposure_after"]) != sizes:
        yield Fault(where, f"{change['measure']} are {sizes}")
    if change["p_value"] is None or not all(sizes):
        return
    before, after = change["before"], change["after"]
    if before and change["ratio"] is not None:
        ratio = (after / sizes[1]) / (before / sizes[0])
        if abs(change["ratio"] - ratio) > 0.001 * ratio:
            yield Fault(where, f"the ratio is {change['ratio']}, reckoned again: {ratio:.4g}")
    if change["measure"] in {"instance starts", "instance lives"}:
        return
    p_value = binomtest(after, before + after, sizes[1] / sum(sizes)).pvalue if before + after else 1.0
    if abs(change["p_value"] - p_value) > 0.001 + 0.01 * p_value:
        yield Fault(where, f"p is {change['p_value']}, reckoned again: {p_value:.4g}")
    low = beta.ppf(0.025, after, before + 1) if after else 0.0
    bound = low / (1 - low) * sizes[0] / sizes[1]
    if change["ci_low"] is not None and abs(change["ci_low"] - bound) > 0.001 + 0.001 * bound:
        yield Fault(where, f"the interval begins at {change['ci_low']}, reckoned again: {bound:.4g}")


def _said(where: str, change: Json) -> Iterator[Fault]:
    """The word follows the numbers, and so does every figure of the sentence."""
    state, before, after = change["state"], change["before"], change["after"]
    if state in _SEEN and (before > 0, after > 0) != _SEEN[state]:
        yield Fault(where, f"{state}, with {before} before and {after} now")
    if state in {"new", "gone", "worse", "better"} and not (change["p_corrected"] or 0) <= _SURE:
        yield Fault(where, f"{state}, with p = {change['p_corrected']}")
    if f": {state}" not in change["statement"] and not change["statement"].startswith(state):
        yield Fault(where, f"the state is {state}: {change['statement']}")
    left = uncarried(change["statement"], _figures(change))
    if left:
        yield Fault(where, f"{', '.join(left)} is no figure of this change: {change['statement']}")


def _figures(change: Json) -> Iterator[object]:
    sizes = (change["exposure_before"], change["exposure_after"])
    for one, other in ((change["before"], change["after"]), sizes):
        yield from (f"{_shown(one)} → {_shown(other)}", one, other)
    ends = [f"{change[end]:.2f}" for end in ("ratio", "ci_low", "ci_high") if change[end] is not None]
    yield from ("–".join(ends[-2:]), *ends, str(_NEEDED))
    if all(sizes):
        yield f"{change['after'] / sizes[1] * sizes[0]:.1f}"
        yield f"{change['before'] / sizes[0] * sizes[1]:.1f}"


def _shown(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _holm(changes: list[Json]) -> Iterator[Fault]:
    """Correct the p-values over all signatures once more."""
    tested = sorted((c for c in changes if c["p_value"] is not None), key=lambda change: change["p_value"])
    least = 0.0
    for place, change in enumerate(tested):
        least = max(least, min(1.0, change["p_value"] * (len(tested) - place)))
        if change["p_corrected"] is None or abs(change["p_corrected"] - least) > 0.005 + 0.02 * least:
            yield Fault("comparison", f"p is {change['p_corrected']}, corrected again: {least:.4g}: {change['title']}")


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
