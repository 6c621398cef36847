"""Read the `match` of a rule file as a condition.

message: {contains: [a, b]}, not: [{stream: {equals: system}}]
→  AllOf(AnyOf(message contains a, message contains b), NoneOf(stream equals system))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.log.field_paths import DERIVED_FIELDS, LEVEL_FIELDS, ROOTS, field_fault, holds_fields
from forensics.model import AllOf, AnyOf, Condition, Leaf, LeafOp, Level, NoneOf
from forensics.schema.checked_values import kind, shown
from forensics.schema.diagnostics import nearest
from forensics.schema.regex_check import capture_names, check_pattern
from forensics.text.timestamps import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.schema.diagnostics import Diagnostics, Location

_GROUPS: dict[str, type[AllOf | AnyOf | NoneOf]] = {"all": AllOf, "any": AnyOf, "not": NoneOf}
_SEARCHES = frozenset({"regex", "contains", "word"})
_OPS = (*sorted(_SEARCHES), "equals", "in", "at_least", "at_most", "exists")


def read_condition(value: Any, location: Location, diagnostics: Diagnostics) -> Condition | None:
    """Read a mapping of fields and groups that must all be true; None after a fault."""
    if not isinstance(value, dict) or not value:
        diagnostics.add(
            location, f"a condition must be a mapping such as 'message: {{contains: …}}', not {_given(value)}"
        )
        return None
    parts = [_read_part(key, part, (*location, key), diagnostics) for key, part in value.items()]
    whole = [part for part in parts if part is not None]
    return _joined(whole) if len(whole) == len(parts) else None


def read_match(value: Any, location: Location, diagnostics: Diagnostics) -> Condition | None:
    """Read a rule's own condition: it must ask for something, and not only exclude."""
    condition = read_condition(value, location, diagnostics)
    if condition is not None and not _asks(condition):
        diagnostics.add(location, "'match' only excludes and so claims every other entry; add what the entry must have")
        return None
    return condition


def positive_leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the leaves that can make a condition true: all but those under `not`."""
    if isinstance(condition, Leaf):
        yield condition
    elif not isinstance(condition, NoneOf):
        for part in condition.conditions:
            yield from positive_leaves(part)


def captures_of(condition: Condition) -> frozenset[str]:
    """Collect the names that the patterns of a condition capture."""
    patterns = [str(leaf.value) for leaf in positive_leaves(condition) if leaf.op is LeafOp.REGEX]
    return frozenset(name for pattern in patterns for name in capture_names(pattern))


def _asks(condition: Condition) -> bool:
    """Tell whether an entry must have something for the condition to be true."""
    if isinstance(condition, Leaf):
        return condition.op is not LeafOp.EXISTS or bool(condition.value)
    if isinstance(condition, NoneOf):
        return False
    asked = [_asks(part) for part in condition.conditions]
    return any(asked) if isinstance(condition, AllOf) else all(asked)


def _given(value: Any) -> str:
    return "an empty one" if value in ({}, []) else kind(value)


def _joined(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AllOf(conditions=tuple(parts))


def _read_part(key: str, value: Any, location: Location, diagnostics: Diagnostics) -> Condition | None:
    if key in _GROUPS:
        return _read_group(key, value, location, diagnostics)
    diagnostic = field_fault(key)
    if diagnostic is not None:
        diagnostics.add(location, f"{diagnostic}{_meant(key)}")
        return None
    if not isinstance(value, dict):
        diagnostics.add(location, f"{key!r} needs an operation, such as '{key}: {{contains: …}}', not {kind(value)}")
        return None
    return _read_field(key, value, location, diagnostics)


def _meant(path: str) -> str:
    """Guess the field or group that was meant; of a record's own fields only the root can be guessed."""
    root = path.partition(".")[0]
    if root in ROOTS:
        return ""
    return nearest(path, (*DERIVED_FIELDS, *_GROUPS)) or nearest(root, ROOTS)


def _read_group(key: str, value: Any, location: Location, diagnostics: Diagnostics) -> Condition | None:
    if not isinstance(value, list) or not value:
        diagnostics.add(location, f"{key!r} needs a list of conditions, not {_given(value)}")
        return None
    parts = [read_condition(part, (*location, i), diagnostics) for i, part in enumerate(value)]
    whole = tuple(part for part in parts if part is not None)
    return _GROUPS[key](conditions=whole) if len(whole) == len(parts) else None


def _read_field(path: str, value: dict[str, Any], location: Location, diagnostics: Diagnostics) -> Condition | None:
    """Read the operations on one field; all of them must be true."""
    cased = value.get("cased", False)
    if not isinstance(cased, bool):
        diagnostics.add((*location, "cased"), f"'cased' must be true or false, not {shown(cased)}")
    ops = {op: argument for op, argument in value.items() if op != "cased"}
    if not ops:
        diagnostics.add(location, f"{path!r} has no operation; there are {', '.join(_OPS)}")
    parts = [_read_op(path, op, ops[op], (*location, op), diagnostics, cased=cased is True) for op in ops]
    whole = [part for part in parts if part is not None]
    return _joined(whole) if whole and len(whole) == len(parts) else None


def _read_op(
    path: str, op: str, value: Any, location: Location, diagnostics: Diagnostics, *, cased: bool
) -> Condition | None:
    if op not in _OPS:
        diagnostics.add(location, f"unknown operation {op!r}{nearest(op, _OPS)}; there are {', '.join(_OPS)}")
        return None
    if op != "exists" and holds_fields(path):
        diagnostics.add(
            location, f"{path!r} holds other fields and has no text; name one of them, such as '{path}.name'"
        )
        return None
    if op in _SEARCHES:
        return _read_search(path, op, value, location, diagnostics, cased=cased)
    diagnostic = _argument_fault(path, op, value)
    if diagnostic is not None:
        diagnostics.add(location, diagnostic)
        return None
    return Leaf(path=path, op=LeafOp(op), value=tuple(value) if isinstance(value, list) else value, cased=cased)


def _read_search(
    path: str, op: str, value: Any, location: Location, diagnostics: Diagnostics, *, cased: bool
) -> Condition | None:
    """Read one text to look for, or a list with at least one text to be found."""
    if value == []:
        diagnostics.add(location, f"{op!r} has an empty list: nothing could be found")
        return None
    listed = (
        [(text, (*location, i)) for i, text in enumerate(value)] if isinstance(value, list) else [(value, location)]
    )
    checked = [_is_searchable(op, text, place, diagnostics) for text, place in listed]
    if not all(checked):
        return None
    found = tuple(Leaf(path=path, op=LeafOp(op), value=text, cased=cased) for text, _ in listed)
    return found[0] if len(found) == 1 else AnyOf(conditions=found)


def _is_searchable(op: str, text: Any, location: Location, diagnostics: Diagnostics) -> bool:
    if not isinstance(text, str) or not text:
        diagnostics.add(location, f"{op!r} needs a text to look for, not {shown(text)}; write it in single quotes")
        return False
    return op != "regex" or check_pattern(text, location, diagnostics)


def _argument_fault(path: str, op: str, value: Any) -> str | None:
    if op == "exists":
        return None if isinstance(value, bool) else f"'exists' must be true or false, not {shown(value)}"
    if op == "equals":
        return None if isinstance(value, str | int | float) else f"'equals' needs one value, not {kind(value)}"
    if op == "in":
        return _list_fault(value)
    return _bound_fault(path, op, value)


def _list_fault(value: Any) -> str | None:
    if not isinstance(value, list) or not value:
        return f"'in' needs a list of values, not {_given(value)}"
    texts = all(isinstance(item, str) for item in value)
    numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    return None if texts or numbers else "'in' needs a list of texts or a list of numbers, not of both"


def _bound_fault(path: str, op: str, value: Any) -> str | None:
    """Check a bound: a level, a number or a duration, and of a level nothing but a level."""
    if isinstance(value, str) and value.upper() in Level.__members__:
        return None
    if path in LEVEL_FIELDS:
        hint = nearest(value.upper(), Level.__members__) if isinstance(value, str) else ""
        return f"{op!r} of {path!r} needs a level ({', '.join(Level.__members__)}), not {shown(value)}{hint}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None
    try:
        parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        return f"{op!r} needs a number, a level such as WARNING or a duration such as 59s, not {shown(value)}"
    return None
