"""The YAML that rule files may hold, and what they may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from forensics.rulebook.yaml_document import DocumentError, parse_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]
    Diagnostics = Callable[[Path], list[str]]

DOCUMENTS = {
    "title: Locks: lost": "1: no valid YAML: mapping values are not allowed in this context; put a text that holds",
    "id: a\nid: b": "2: duplicate key 'id'",
    "a: &x 1\nb: *x": "1: anchors are not allowed here; remove '&x'",
    "a: *x": "1: aliases are not allowed here",
    "a: !!python/object/apply:os.system ['true']": "1: tags are not allowed here",
    "? [a]\n: b": "1: a key must be a word",
    "a: 1\n---\nb: 2": "2: a second document begins; one file holds one rule",
    "a: " + "[" * 100_000: "1: nested more than 50 levels deep",
    "- " * 100_000: "1: nested more than 50 levels deep",
    "a: \x00": "1: no valid YAML: unacceptable character",
    "\udcff: 1": "1: no UTF-8 text (byte 0); save it as UTF-8",
    "": "1: a rule must be a mapping with the keys id,",
    "# nothing yet": "1: a rule must be a mapping with the keys id,",
    "- id: a": "1: a rule must be a mapping with the keys id,",
    "# " + "x" * 300_000: "1: larger than 256 KiB; one file holds one rule",
}


@pytest.mark.parametrize("text", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_a_file_that_is_no_plain_yaml_says_so(text: str, write: Write, diagnostics: Diagnostics) -> None:
    assert f"lock-lost.yaml:{DOCUMENTS[text]}" in "\n".join(diagnostics(write(text)))


def test_every_part_of_a_document_has_its_line() -> None:
    data, lines = parse_document("a:\n  - b: 1\n    c:\n      d\n  - [e,\n     f]\n")
    assert data == {"a": [{"b": 1, "c": "d"}, ["e", "f"]]}
    assert lines[("a",)] == 1
    assert lines[("a", 0, "c")] == 3
    assert lines[("a", 1, 1)] == 6


def test_plain_words_are_read_by_yaml_1_2() -> None:
    data, _ = parse_document("[true, no, 0x1F, 017, 1e3, .5, ~, null, '7', 12:30, 2025-09-16, -3, .inf, <<]")
    assert data == [True, "no", "0x1F", 17, 1000.0, 0.5, None, None, "7", "12:30", "2025-09-16", -3, ".inf", "<<"]


@given(st.text(max_size=60))
def test_any_text_is_a_document_or_a_located_fault(text: str) -> None:
    diagnostic = None
    try:
        parse_document(text.encode("utf-8", "replace").decode())
    except DocumentError as error:
        diagnostic = error
    assert diagnostic is None or (diagnostic.line >= 1 and str(diagnostic))
