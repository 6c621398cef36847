"""Plain templates are filled without Jinja, and must come out as Jinja would have filled them."""

from __future__ import annotations

import keyword
from typing import Any

import pytest
from hypothesis import given, strategies as st

from forensics.whys import wording

JINJAS_WORDS = {
    *("true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "elif", "endif"),
    *("for", "recursive", "self", "super", "loop", "caller", "varargs", "kwargs", "range", "dict", "lipsum", "cycler"),
    *("joiner", "namespace", "block", "filter", "set", "call", "import", "include", "macro", "_", "__class__"),
    *("missing", "environment", "context", "undefined", "resolve", "concat", "t_1", "l_0_a", "root"),
}
NAMES = sorted({*JINJAS_WORDS, *keyword.kwlist, "type_name", "frame", "exception", "count", "text", "lines"})
PARTS = ["file", "line", "value", "keys", "items", "get", "upper", "format", "__class__", "_x", "missing"]
VALUES: dict[str, Any] = {
    "type_name": "{{ count }} <b> \r\n'x' ",
    "frame": {"file": "a.py", "line": 3, "keys": 1},
    "exception": {},
    "count": 0,
    "text": None,
    "lines": ["a", "b"],
}
NAMED = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["{{", "{{ ", "{{  ", "{{-", "{{\n", "{{{ "]),
    st.sampled_from(NAMES),
    st.sampled_from(["", "", *(f".{part}" for part in PARTS)]),
    st.sampled_from(["", " ", " | upper", " | default('x')", "\u00a0"]),
    st.sampled_from(["}}", "}}", "}}", "-}}", "}"]),
)
TEXT = st.text("ab {}%#\r\n\\'\"", max_size=6) | st.sampled_from(
    ["{% if count is defined %}", "{% endif %}", "{# x #}", "{% raw %}", "{% endraw %}", "\n", "é…"]
)


def outcome(fill: Any, text: str, values: dict[str, Any]) -> Any:
    try:
        return fill(text, values)
    except Exception as error:  # noqa: BLE001 - whatever Jinja raises, the quick way must raise too
        return type(error), str(error)


@given(
    text=st.lists(NAMED | TEXT, max_size=5).map("".join),
    values=st.sets(st.sampled_from(sorted(VALUES))).map(lambda names: {name: VALUES[name] for name in names}),
)
def test_the_quick_way_says_what_jinja_says(text: str, values: dict[str, Any]) -> None:
    # An address in memory is in the text of a method; it is the same as long as the values are.
    assert outcome(wording.fill, text, values) == outcome(wording._fill_by_jinja, text, values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("values", [{}, VALUES])
def test_every_name_means_what_it_means_to_jinja(name: str, values: dict[str, Any]) -> None:
    for text in (f"x {{{{ {name} }}}}", f"x {{{{ {name}.keys }}}}"):
        assert outcome(wording.fill, text, values) == outcome(wording._fill_by_jinja, text, values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No braces.", "No braces."),
        ("`{{ type_name }}` at {{ frame.file }}:{{frame.line}}\r\n", "`T` at a.py:3"),
        ("{{ type_name }}, {{ host }}", None),
        ("{{ frame.function }}", None),
    ],
)
def test_plain_templates_need_no_jinja(monkeypatch: pytest.MonkeyPatch, text: str, said: str | None) -> None:
    monkeypatch.setattr(wording, "_fill_by_jinja", None)
    assert wording.fill(text, {"type_name": "T", "frame": {"file": "a.py", "line": 3}}) == said
