"""The classes of failure: each with its phase, and in the list of the rules' readme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forensics.model import FailureClass

README = Path(__file__).parents[2] / "rules" / "README.md"


def test_the_list_of_the_readme_is_complete() -> None:
    row = re.search(r"^\| `class` \| yes \| `(?P<words>[^`]*)`", README.read_text(), re.MULTILINE)
    assert row
    assert sorted(row["words"].split()) == sorted(FailureClass)


@pytest.mark.parametrize(
    ("failure_class", "may_end_start", "is_of_start"),
    [
        (FailureClass.DEPLOY_FAILURE, False, True),
        (FailureClass.IMPORT_ERROR, True, True),
        (FailureClass.DB_CONNECTION, True, False),
        (FailureClass.OOM, False, False),
    ],
)
def test_the_phase_decides(failure_class: FailureClass, *, may_end_start: bool, is_of_start: bool) -> None:
    assert (failure_class.may_end_start, failure_class.is_of_start) == (may_end_start, is_of_start)
