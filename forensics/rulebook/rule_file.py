"""Check the data of one rule file, and make the Rule of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.log.field_paths import DERIVED_FIELDS, field_fault
from forensics.model import (
    ActionKind,
    ActionRule,
    Explains,
    FailureClass,
    Nanoseconds,
    OccurrenceUnit,
    Priority,
    Role,
    Rule,
    RuleTests,
)
from forensics.rulebook.why_fields import named_values, provided_by, read_why
from forensics.schema.checked_values import (
    list_of,
    one_of,
    read_duration,
    read_mapping,
    read_table,
    read_text,
    read_version,
    shown,
)
from forensics.schema.diagnostics import nearest
from forensics.schema.match_conditions import captures_of, read_match
from forensics.schema.template_check import check_template

if TYPE_CHECKING:
    from collections.abc import Collection

    from forensics.schema.checked_values import Reader
    from forensics.schema.diagnostics import Diagnostics, Location

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_NEEDED = ("id", "version", "title", "class", "role", "priority", "match", "tests")
_MIN_EXAMPLES = 2
_EXTRA_NAMES = frozenset({"frame.line"})
"""Names that evidence may give although no field of a `match` has them."""


def read_rule(data: Any, stem: str, diagnostics: Diagnostics) -> Rule | None:
    """Read one rule; None after a fault. `stem` is the file's name without `.yaml`, which the id must repeat."""
    found = read_table(data, (), diagnostics, _READERS, needed=_NEEDED)
    if "id" in found and found["id"] != stem:
        diagnostics.add(("id",), f"id {found['id']!r} is not the file's name; rename the file to {found['id']}.yaml")
    if "match" in found:
        _check_names(found, captures_of(found["match"]), diagnostics)
    return None if diagnostics else _build(found, diagnostics.source)


def _build(found: dict[str, Any], source: str) -> Rule:
    renamed = {"class": "failure_class", "match": "condition"}
    return Rule(source=source, **{renamed.get(key, key): value for key, value in found.items()})


def _check_names(found: dict[str, Any], captures: Collection[str], diagnostics: Diagnostics) -> None:
    """Check that each capture or field named by the rule exists, in templates and elsewhere."""
    for i, name in enumerate(found.get("group_by", ())):
        _check_name(name, captures, ("group_by", i), diagnostics)
    if "headline" in found:
        check_template(found["headline"], captures, ("headline",), diagnostics)
    for i, action in enumerate(found.get("actions", ())):
        if action is not None:
            check_template(action.text, captures, ("actions", i, "text"), diagnostics)
            if action.rests_on is not None and action.rests_on not in found.get("rivals", ()):
                diagnostics.add(("actions", i, "rests_on"), f"{action.rests_on!r} is none of the rule's 'rivals'")
    for i, why in enumerate(found.get("whys", ())):
        if why is not None:
            for location, name in named_values(why):
                _check_name(name, captures, ("whys", i, *location), diagnostics)
            values = {*captures, *provided_by(why)}
            for key in ("ask", "answer", "absent", "otherwise"):
                check_template(getattr(why, key) or "", values, ("whys", i, key), diagnostics)


def _check_name(name: str | None, captures: Collection[str], location: Location, diagnostics: Diagnostics) -> None:
    if name is None or name in captures or name in _EXTRA_NAMES or field_fault(name) is None:
        return
    diagnostics.add(
        location, f"{name!r} is neither a capture of this rule nor a field{nearest(name, (*captures, *DERIVED_FIELDS))}"
    )


def _read_id(value: Any, location: Location, diagnostics: Diagnostics) -> str | None:
    text = read_text(value, location, diagnostics)
    if text is not None and not _KEBAB.fullmatch(text):
        diagnostics.add(location, f"{text!r} must be kebab-case: lower case letters, digits and single hyphens")
        return None
    return text


def _read_title(value: Any, location: Location, diagnostics: Diagnostics) -> str | None:
    text = read_text(value, location, diagnostics)
    if text is not None and text.rstrip().endswith("."):
        diagnostics.add(location, "'title' ends in a full stop; documents put it into sentences of their own")
    return text


def _read_explains(value: Any, location: Location, diagnostics: Diagnostics) -> Explains | None:
    readers: dict[str, Reader] = {"signature": _read_id, "within": read_duration}
    found = read_table(value, location, diagnostics, readers, needed=("signature", "within"))
    if len(found) < len(readers):
        return None
    return Explains(signature=found["signature"], within=Nanoseconds(found["within"]))


def _read_action(value: Any, location: Location, diagnostics: Diagnostics) -> ActionRule | None:
    readers = {"kind": one_of(ActionKind), "text": read_text, "verify": _read_verify, "priority": one_of(Priority)}
    readers["rests_on"] = _read_id
    found = read_table(value, location, diagnostics, readers, needed=("kind", "text"))
    if not {"kind", "text"} <= found.keys():
        return None
    return ActionRule(**found)


def _read_verify(value: Any, location: Location, diagnostics: Diagnostics) -> dict[str, Any] | None:
    return read_table(value, location, diagnostics, {"count": _read_count}, needed=("count",)) or None


def _read_count(value: Any, location: Location, diagnostics: Diagnostics) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    diagnostics.add(location, f"'count' must be a whole number from 0, not {shown(value)}")
    return None


def _read_tests(value: Any, location: Location, diagnostics: Diagnostics) -> RuleTests | None:
    examples = list_of(read_mapping, at_least=_MIN_EXAMPLES)
    found = read_table(
        value, location, diagnostics, dict(match=examples, no_match=examples), needed=("match", "no_match")
    )
    return RuleTests(**found) if len(found) == len(("match", "no_match")) else None


_READERS: dict[str, Reader] = {
    "id": _read_id,
    "version": read_version,
    "title": _read_title,
    "headline": read_text,
    "class": one_of(FailureClass),
    "role": one_of(Role),
    "priority": one_of(Priority),
    "match": read_match,
    "group_by": list_of(read_text),
    "occurs_per": one_of(OccurrenceUnit),
    "supersedes": list_of(_read_id),
    "explains": list_of(_read_explains),
    "rivals": list_of(_read_id),
    "whys": list_of(read_why),
    "actions": list_of(_read_action),
    "references": list_of(read_text),
    "tests": _read_tests,
}
"""The keys of a rule file, in the order in which they are usually written."""
