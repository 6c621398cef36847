"""One question of a rule's chain in, checked: how it is asked, what evidence may answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import DEFAULT_THRESHOLDS, Thresholds, WhyRule
from forensics.rulebook.checked_values import kind, list_of, read_table, read_text, shown
from forensics.rulebook.diagnostics import nearest
from forensics.rulebook.match_conditions import read_condition
from forensics.text.timestamps import parse_duration

if TYPE_CHECKING:
    from forensics.rulebook.checked_values import Reader
    from forensics.rulebook.diagnostics import Diagnostics, Spot

LANGUAGES = ("python", "node")
"""Whose modules `commits` can look for."""
ANY_LINKED = frozenset({"symptoms", "causes"})
"""What `linked` may name instead of a signature: whatever the links found."""


def read_why(value: Any, location: Spot, diagnostics: Diagnostics) -> WhyRule | None:
    """Read one question; None when there is a fault in it."""
    readers: dict[str, Reader] = {
        "ask": read_text,
        "evidence": _read_evidence,
        "answer": read_text,
        "otherwise": read_text,
        "thresholds": _read_thresholds,
    }
    found = read_table(value, location, diagnostics, readers, needed=("ask",))
    if isinstance(value, dict) and "evidence" not in value:
        diagnostics.add(location, f"a why needs evidence that answers it; there are {', '.join(EVIDENCE)}")
    if "ask" not in found or "evidence" not in found:
        return None
    name, argument, condition = found["evidence"]
    return WhyRule(
        ask=found["ask"],
        evidence_kind=name,
        evidence=argument,
        condition=condition,
        answer=found.get("answer"),
        otherwise=found.get("otherwise"),
        thresholds=found.get("thresholds", DEFAULT_THRESHOLDS),
    )


def linked_ids(why: WhyRule) -> tuple[str, ...]:
    """List the signatures that a why's `linked` evidence names."""
    if why.evidence_kind != "linked" or why.evidence in ANY_LINKED:
        return ()
    return (why.evidence,) if isinstance(why.evidence, str) else tuple(why.evidence)


def named_values(why: WhyRule) -> tuple[tuple[Spot, str], ...]:
    """List the captures and fields that a why's evidence names, with their spots inside the why."""
    argument = why.evidence
    if why.evidence_kind == "values":
        return tuple((("evidence", "values", i), name) for i, name in enumerate(argument))
    if why.evidence_kind in {"commits", "tests"} and isinstance(argument, dict):
        named = ((key, name) for key, name in argument.items() if key != "language")
        return tuple((("evidence", why.evidence_kind, key), name) for key, name in named)
    return ()


def read_duration(value: Any, location: Spot, diagnostics: Diagnostics) -> int | None:
    """Read a duration, `250ms`, `2s`, `3m`."""
    try:
        return int(parse_duration(value if isinstance(value, str) else ""))
    except ValueError:
        diagnostics.add(location, f"{location[-1]!r} must be a duration such as 250ms, 2s or 3m, not {shown(value)}")
        return None


def _read_thresholds(value: Any, location: Spot, diagnostics: Diagnostics) -> Thresholds | None:
    """Read `{coverage: 0.5, p_value: 0.01, lift: 3}`; what is not named stays as it is for all."""
    found = read_table(
        value, location, diagnostics, {"coverage": _read_share, "p_value": _read_chance, "lift": _read_lift}
    )
    return Thresholds(**found) if found else None


def _read_share(value: Any, location: Spot, diagnostics: Diagnostics) -> float | None:
    return _read_number(
        value, location, diagnostics, (0, 1), "a share of the occurrences above 0 and up to 1, such as 0.8"
    )


def _read_chance(value: Any, location: Spot, diagnostics: Diagnostics) -> float | None:
    # With more, what is as likely as not to be chance would count as shown; the test itself ends at 1 in 200.
    return _read_number(value, location, diagnostics, (0, 0.5), "a chance above 0 and up to 0.5, such as 0.05")


def _read_lift(value: Any, location: Spot, diagnostics: Diagnostics) -> float | None:
    # At 1 a cause stands before a failure as often as anywhere, and the test reckons up to 201.
    return _read_number(value, location, diagnostics, (1, 200), "a number above 1 and up to 200, such as 2")


def _read_number(
    value: Any, location: Spot, diagnostics: Diagnostics, within: tuple[float, float], meant: str
) -> float | None:
    above, most = within
    if isinstance(value, int | float) and not isinstance(value, bool) and above < value <= most:
        return float(value)
    diagnostics.add(location, f"{location[-1]!r} must be {meant}, not {shown(value)}")
    return None


def _read_evidence(value: Any, location: Spot, diagnostics: Diagnostics) -> tuple[str, Any, Any] | None:
    """Read the one key of `evidence`: its name, its argument and, for entries, the condition in it."""
    if not isinstance(value, dict) or len(value) != 1:
        count = f"a mapping of {len(value)}" if isinstance(value, dict) else kind(value)
        diagnostics.add(location, f"'evidence' must have one key of {', '.join(EVIDENCE)}, not {count}")
        return None
    name, argument = next(iter(value.items()))
    if name not in EVIDENCE:
        words = f"unknown evidence {name!r}{nearest(name, EVIDENCE)}; there are {', '.join(EVIDENCE)}"
        diagnostics.add((*location, name), words)
        return None
    read = EVIDENCE[name](argument, (*location, name), diagnostics)
    if read is None:
        return None
    return (name, argument, read) if name == "entries" and argument else (name, read, None)


def _read_entries(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    """Read `{}`, the cluster's own entries, or a condition on others and how far away they may stand."""
    if value == {}:
        return value
    readers: dict[str, Reader] = {"match": read_condition, "before": read_duration, "after": read_duration}
    found = read_table(value, location, diagnostics, readers, needed=("match",))
    if isinstance(value, dict) and len(value.keys() & {"before", "after"}) != 1:
        diagnostics.add(
            location, "say on which side of the occurrence and how far: either 'before: 60s' or 'after: 60s'"
        )
    return found.get("match")


def _read_linked(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    if isinstance(value, list):
        return list_of(read_text, at_least=1)(value, location, diagnostics)
    return read_text(value, location, diagnostics)


def _read_values(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    return list_of(read_text, at_least=1)(value, location, diagnostics)


def _read_nothing(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    if value == {}:
        return value
    diagnostics.add(location, f"{location[-1]!r} takes no argument: write '{location[-1]}: {{}}'")
    return None


def _read_compare(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    if value == "baseline":
        return value
    diagnostics.add(location, f"'compare' takes the word baseline, not {shown(value)}")
    return None


def _read_key(key: str) -> Reader:
    """Make a reader of `{key: NAME}`."""

    def read(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
        return read_table(value, location, diagnostics, {key: read_text}, needed=(key,)) or None

    return read


def _read_commits(value: Any, location: Spot, diagnostics: Diagnostics) -> Any:
    """Read what commits may touch, and for modules the language that tells how names become files."""
    readers: dict[str, Reader] = dict.fromkeys(("touching", "beside", "defining", "language"), read_text)
    beside = isinstance(value, dict) and "beside" in value
    found = read_table(value, location, diagnostics, readers, needed=("beside" if beside else "touching",))
    if beside and "touching" in value:
        diagnostics.add(location, "'touching' and 'beside' exclude each other: what is beside settles nothing")
        return None
    if found.get("language", LANGUAGES[0]) not in LANGUAGES:
        diagnostics.add(
            (*location, "language"), f"'language' is one of {', '.join(LANGUAGES)}, not {shown(found['language'])}"
        )
        return None
    return found or None


EVIDENCE: dict[str, Reader] = {
    "entries": _read_entries,
    "linked": _read_linked,
    "values": _read_values,
    "frames": _read_nothing,
    "deploys": _read_nothing,
    "compare": _read_compare,
    "commits": _read_commits,
    "tests": _read_key("covering"),
    "seen": _read_nothing,
    "since": _read_nothing,
    "unnoticed": _read_nothing,
}
"""The kinds of evidence with the readers of their arguments."""
