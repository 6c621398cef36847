"""Every word that a user meets in documents, reports and rule files has its entry in the glossary."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec
import pytest
from support.program import ROOT

from forensics import model
from forensics.model import Coverage, Report, Verdict

TEXT = (ROOT / "docs" / "glossary.md").read_text()
SECTIONS = {title.strip(): body for title, body in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", TEXT, re.MULTILINE)}
ROW = re.compile(r"^\| (?!word |---)(.*) \|$", re.MULTILINE)
ENUMS = sorted(
    (found for found in vars(model).values() if isinstance(found, type) and issubclass(found, StrEnum)),
    key=lambda enum: enum.__name__,
)


def rows(section: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split(" | ")] for row in ROW.findall(SECTIONS[section])]


def words(section: str) -> list[str]:
    return [row[0].strip("`") for row in rows(section)]


def tells_of(name: str) -> bool:
    """Whether the glossary speaks of a key: as it is written, or by its words, in one number or the other."""
    said = name.replace("_", " ")
    forms = {
        name,
        said,
        said.removesuffix("s"),
        said.removesuffix("es"),
        said[:-1] + "y" if said.endswith("s") else said,
    }
    return any(re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", TEXT, re.IGNORECASE) for form in forms)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_word_is_explained_once_in_one_sentence(section: str) -> None:
    found = words(section)
    assert found
    assert len(found) == len(set(found))
    for word, means, *where in rows(section):
        assert re.fullmatch(r"[^a-z].*[^.]\.", means), word
        assert ". " not in means.replace("e.g. ", ""), word
        assert len(where) == (section == "All words"), word


def test_words_are_in_the_order_of_the_alphabet() -> None:
    assert words("All words") == sorted(words("All words"), key=str.casefold)


@pytest.mark.parametrize("record", [Report, Coverage], ids=["report", "coverage"])
def test_every_key_of_a_report_is_told(record: type[msgspec.Struct]) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(record)]
    assert names
    assert [name for name in names if not tells_of(name)] == []


def test_every_key_of_a_rule_is_told() -> None:
    table = (ROOT / "rules" / "README.md").read_text().partition("## The keys")[2].partition("\n## ")[0]
    names = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert "explains" in names
    assert [name for name in names if not tells_of(name)] == []


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.__name__)
def test_every_word_with_fixed_values_is_told(enum: type[StrEnum]) -> None:
    assert [str(value) for value in enum if not tells_of(str(value))] == []


def test_verdicts_roles_and_the_like_are_explained_and_not_just_named() -> None:
    assert words("Verdicts") == [str(verdict) for verdict in Verdict]
    assert set(words("Changes")) == {str(state) for state in model.ChangeState}
    assert set(words("Claims")) == {str(state) for state in model.ClaimState}
    assert set(words("Capabilities")) == {str(state) for state in model.CapabilityState}
    assert set(words("Gate")) == {str(outcome) for outcome in model.Outcome}
    assert words("Classes") == [str(kind) for kind in model.FailureClass]
    assert words("Levels") == [str(level) for level in model.Level]
    assert {str(role) for role in model.Role} <= set(words("All words"))


def test_a_word_that_is_not_there_is_missed() -> None:
    assert not tells_of("phlogiston")
    assert tells_of("root_causes")
