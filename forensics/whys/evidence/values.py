"""Evidence `values`: what the entries name."""

from __future__ import annotations

from collections import Counter

from forensics.exceptions import innermost_frame, root_exception
from forensics.fields import field_fault, read_field
from forensics.model import Classified, Evidence, WhyRule
from forensics.whys.scene import Gathered, Scene, judge
from forensics.whys.wording import plain, units

SHOWN = 3
"""Values that a sentence lists; the cluster's captures have all."""


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Count the occurrences whose entries give every named value, and list the values with their numbers."""
    names = [why.evidence] if isinstance(why.evidence, str) else list(why.evidence)
    by_entry = {id(item.entry): _values(item, names) for item in scene.classified}
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    complete = 0
    for occurrence in scene.occurrences:
        seen = {pair for entry in occurrence.entries for pair in by_entry[id(entry)].items()}
        complete += {name for name, _ in seen}.issuperset(names)
        for name, value in seen:
            counts[name][plain(value)] += 1
    of = scene.cluster.occurrences
    said = "; ".join(_said(name, counter, of) for name, counter in counts.items())
    evidence = Evidence(
        kind="values",
        statement=f"{complete} of {of} {units(scene.cluster)} name {said}",
        count=complete,
        of=of,
        refs=scene.cluster.exemplars[:2],
        values={name: _ordered(counter)[0][0] for name, counter in counts.items() if counter},
    )
    return Gathered(verdict=judge(complete, of), evidence=(evidence,), values={"count": complete, "of": of})


def _said(name: str, counter: Counter[str], of: int) -> str:
    """Write `module `x``, or with several values `reason `a` ×13, `b` ×10 and 4 more`."""
    ordered = _ordered(counter)
    if not ordered:
        return f"no {name}"
    if len(ordered) == 1:
        return f"{name} `{ordered[0][0]}`" + (f" ×{ordered[0][1]}" if ordered[0][1] < of else "")
    rest = f" and {len(ordered) - SHOWN} more" if len(ordered) > SHOWN else ""
    return f"{name} " + ", ".join(f"`{value}` ×{n}" for value, n in ordered[:SHOWN]) + rest


def _ordered(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _values(item: Classified, names: list[str]) -> dict[str, str]:
    captures = item.primary.captures if item.primary else {}
    found = {name: captures.get(name) or _field(item, name) for name in names}
    return {name: value for name, value in found.items() if value}


def _field(item: Classified, name: str) -> str:
    """Read a field; of a chain of exceptions the one where it began speaks."""
    root = root_exception(item.entry)
    if root is not None and name in {"exception.type", "exception.value"}:
        return root.type if name == "exception.type" else root.value
    frame = innermost_frame(item.entry)
    if name == "frame.line":
        return str(frame.line) if frame and frame.line is not None else ""
    return next(iter(read_field(item.entry, name)), "") if field_fault(name) is None else ""
