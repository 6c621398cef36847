"""One document becomes a rule or a list of located faults, whatever stands in it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, strategies as st

from forensics.rulebook.rule_file import read_rule
from forensics.rulebook.yaml_document import parse_document
from forensics.schema.diagnostics import Diagnostics

GOOD = Path(__file__).parent / "lock-lost.yaml"


@given(st.data())
def test_a_rule_with_any_value_anywhere_is_a_rule_or_a_located_fault(data: st.DataObject) -> None:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("lock-lost")
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    )
    document, lines = parse_document(GOOD.read_text(encoding="utf-8"))
    spots = sorted(lines, key=str)
    location = data.draw(st.sampled_from([location for location in spots if location]))
    at = document
    for step in location[:-1]:
        at = at[step]
    at[location[-1]] = data.draw(values)
    found = Diagnostics("x.yaml", lines)
    rule = read_rule(document, "lock-lost", found)
    assert (rule is None) == bool(found)
    assert all(line.startswith("x.yaml:") for line in found.messages())
