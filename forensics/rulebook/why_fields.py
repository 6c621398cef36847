"""Read one question of a rule's chain: how it is asked, and what evidence may answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import DEFAULT_THRESHOLDS, Thresholds, WhyRule
from forensics.schema.checked_values import kind, read_table, read_text, shown
from forensics.schema.diagnostics import nearest
from forensics.whys.evidence import EVIDENCE

if TYPE_CHECKING:
    from forensics.schema.checked_values import Reader
    from forensics.schema.diagnostics import Diagnostics, Location


def read_why(value: Any, location: Location, diagnostics: Diagnostics) -> WhyRule | None:
    """Read one question; None after a fault."""
    readers: dict[str, Reader] = {
        "ask": read_text,
        "evidence": _read_evidence,
        "answer": read_text,
        "absent": read_text,
        "otherwise": read_text,
        "thresholds": _read_thresholds,
    }
    found = read_table(value, location, diagnostics, readers, needed=("ask",))
    if isinstance(value, dict) and "evidence" not in value:
        diagnostics.add(location, f"a why needs evidence that answers it; there are {', '.join(EVIDENCE)}")
    if "ask" not in found or "evidence" not in found:
        return None
    name, argument, condition = found["evidence"]
    if "absent" in found and not EVIDENCE[name].denies:
        diagnostics.add((*location, "absent"), _never_denies(name))
        return None
    return WhyRule(
        ask=found["ask"],
        evidence_kind=name,
        evidence=argument,
        condition=condition,
        answer=found.get("answer"),
        absent=found.get("absent"),
        otherwise=found.get("otherwise"),
        thresholds=found.get("thresholds", DEFAULT_THRESHOLDS),
    )


def _never_denies(name: str) -> str:
    those = ", ".join(other for other, declared in EVIDENCE.items() if declared.denies)
    return f"'absent' is for evidence that logs would hold ({those}), not for {name!r}"


def linked_ids(why: WhyRule) -> tuple[str, ...]:
    """List the signatures that a why's evidence names."""
    return tuple(EVIDENCE[why.evidence_kind].signatures_in(why.evidence))


def named_values(why: WhyRule) -> tuple[tuple[Location, str], ...]:
    """List the captures and fields that a why's evidence names, with their locations inside the why."""
    named = EVIDENCE[why.evidence_kind].names_in(why.evidence)
    return tuple((("evidence", why.evidence_kind, *location), name) for location, name in named)


def provided_by(why: WhyRule) -> tuple[str, ...]:
    """List the names that a why's evidence gives to its answers."""
    return EVIDENCE[why.evidence_kind].provides


def _read_thresholds(value: Any, location: Location, diagnostics: Diagnostics) -> Thresholds | None:
    """Read `{coverage: 0.5, p_value: 0.01, lift: 3}`; what is not named stays as it is for all."""
    found = read_table(
        value, location, diagnostics, {"coverage": _read_share, "p_value": _read_chance, "lift": _read_lift}
    )
    return Thresholds(**found) if found else None


def _read_share(value: Any, location: Location, diagnostics: Diagnostics) -> float | None:
    return _read_number(
        value, location, diagnostics, (0, 1), "a share of the occurrences above 0 and up to 1, such as 0.8"
    )


def _read_chance(value: Any, location: Location, diagnostics: Diagnostics) -> float | None:
    # With more, what is as likely as not to be chance would count as shown; the test itself ends at 1 in 200.
    return _read_number(value, location, diagnostics, (0, 0.5), "a chance above 0 and up to 0.5, such as 0.05")


def _read_lift(value: Any, location: Location, diagnostics: Diagnostics) -> float | None:
    # At 1 a cause stands before a failure as often as anywhere, and the test reckons up to 201.
    return _read_number(value, location, diagnostics, (1, 200), "a number above 1 and up to 200, such as 2")


def _read_number(
    value: Any, location: Location, diagnostics: Diagnostics, within: tuple[float, float], meant: str
) -> float | None:
    above, most = within
    if isinstance(value, int | float) and not isinstance(value, bool) and above < value <= most:
        return float(value)
    diagnostics.add(location, f"{location[-1]!r} must be {meant}, not {shown(value)}")
    return None


def _read_evidence(value: Any, location: Location, diagnostics: Diagnostics) -> tuple[str, Any, Any] | None:
    """Read the one key of `evidence` as its name, its argument and the condition in it, if there is one."""
    if not isinstance(value, dict) or len(value) != 1:
        count = f"a mapping of {len(value)}" if isinstance(value, dict) else kind(value)
        diagnostics.add(location, f"'evidence' must have one key of {', '.join(EVIDENCE)}, not {count}")
        return None
    name, argument = next(iter(value.items()))
    if name not in EVIDENCE:
        words = f"unknown evidence {name!r}{nearest(name, EVIDENCE)}; there are {', '.join(EVIDENCE)}"
        diagnostics.add((*location, name), words)
        return None
    found = EVIDENCE[name].read_argument(argument, (*location, name), diagnostics)
    return None if found is None else (name, found.value, found.condition)
