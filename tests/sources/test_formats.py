"""Every format has what the reader asks of one: mypy does not see modules that are imported by name."""

from __future__ import annotations

import inspect

import pytest

from forensics.sources.formats import INPUT_FORMATS, QUOTATIONS, Format


@pytest.mark.parametrize("module", [*INPUT_FORMATS, *QUOTATIONS], ids=lambda module: module.__name__)
def test_a_format_has_a_name_and_both_functions(module: Format) -> None:
    assert isinstance(module.name, str)
    assert list(inspect.signature(module.accepts).parameters) == ["content"]
    assert list(inspect.signature(module.read).parameters) == ["content"]
