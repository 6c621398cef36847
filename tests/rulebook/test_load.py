"""Folders of rule files become records; a user's are laid over the shipped ones; all faults come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forensics.errors import RuleError
from forensics.model import AllOf, AnyOf, Explains, FailureClass, Leaf, LeafOp, Nanoseconds, NoneOf, Role
from forensics.rulebook import load_rules, rule_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]
    Diagnostics = Callable[[Path], list[str]]


def test_a_file_becomes_a_record(write: Write, good: str) -> None:
    rules, info = load_rules([write(good)])
    assert [rule.id for rule in rules] == ["lock-lost", "lock-slow"]
    rule = rules[0]
    assert (rule.role, rule.failure_class, rule.version) == (Role.CAUSE, FailureClass.OTHER, 1)
    assert rule.condition == AllOf(
        conditions=(
            Leaf(path="level", op=LeafOp.AT_LEAST, value="WARNING"),
            Leaf(path="message", op=LeafOp.REGEX, value=r"lost lock (?P<lock>\w+)"),
            NoneOf(
                conditions=(
                    AnyOf(
                        conditions=(
                            Leaf(path="message", op=LeafOp.CONTAINS, value="rehearsal"),
                            Leaf(path="message", op=LeafOp.CONTAINS, value="drill"),
                        )
                    ),
                )
            ),
        )
    )
    assert rule.explains == (Explains(signature="lock-slow", within=Nanoseconds(1_500_000_000)),)
    assert rule.whys[1].condition == Leaf(path="message", op=LeafOp.CONTAINS, value="renewed")
    assert rule.whys[1].evidence == {"match": {"message": {"contains": "renewed"}}, "before": "60s"}
    assert rule.actions[0].verify == {"count": 0}
    assert rule.source.endswith("/mine/lock-lost.yaml")
    assert (info.count, info.overridden) == (2, ())


def test_shipped_rules_are_named_by_their_place_in_the_project(shipped: Path) -> None:
    rules, info = load_rules()
    assert shipped.is_dir()
    assert [rule.source for rule in rules] == ["rules/run/lock-slow.yaml"]
    assert info.folders == ()


def test_a_users_rule_replaces_a_shipped_one(write: Write, other: str) -> None:
    folder = write(other.replace("version: 1", "version: 7"), "lock-slow.yaml")
    rules, info = load_rules([folder])
    assert [rule.version for rule in rules] == [7]
    assert info.overridden == ("lock-slow",)
    assert info.folders == (str(folder),)
    assert "version: 7" in rule_text(rules[0], [folder])


def test_several_operations_on_one_field_must_all_hold(write: Write, good: str) -> None:
    folder = write(good.replace("{at_least: WARNING}", "{at_least: WARNING, at_most: ERROR}"))
    condition = load_rules([folder])[0][0].condition
    assert isinstance(condition, AllOf)
    assert condition.conditions[0] == AllOf(
        conditions=(
            Leaf(path="level", op=LeafOp.AT_LEAST, value="WARNING"),
            Leaf(path="level", op=LeafOp.AT_MOST, value="ERROR"),
        )
    )


def test_words_that_yaml_1_1_takes_for_something_else_stay_words(write: Write, good: str) -> None:
    folder = write(good.replace("contains: [rehearsal, drill]", "contains: [no, 12:30, 2025-09-16]"))
    condition = load_rules([folder])[0][0].condition
    assert "'no'" in str(condition)
    assert "'12:30'" in str(condition)


def test_hidden_and_other_files_are_passed_over(write: Write, good: str) -> None:
    folder = write(good)
    write("[", ".lock.yaml")
    write("[", "notes.txt")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.yaml").write_text("[")
    assert load_rules([folder])[1].count == 2


def test_all_faults_of_all_files_come_together(
    write: Write, shipped: Path, good: str, other: str, diagnostics: Diagnostics
) -> None:
    (shipped / "run" / "lock-bad.yaml").write_text("[")
    write(good.replace("titl", "tilt").replace("role: cause", "role: root"))
    write("id: x\nid: y", "other.yaml")
    folder = write(other, "lock-slow.yml")
    found = diagnostics(folder)
    assert [line.split(": ")[0] for line in found] == [
        "rules/run/lock-bad.yaml:2",
        "lock-lost.yaml:1",
        "lock-lost.yaml:3",
        "lock-lost.yaml:6",
        "lock-slow.yml:1",
        "other.yaml:2",
    ]
    assert "rename it to lock-slow.yaml" in found[4]


def test_a_rule_that_cannot_be_read_still_exists_for_others(write: Write, good: str, diagnostics: Diagnostics) -> None:
    write(good)
    folder = write("[", "lock-slow.yaml")
    assert [line.split(":")[0] for line in diagnostics(folder)] == ["lock-slow.yaml"]


def test_two_files_of_a_layer_with_one_id_are_an_error(
    write: Write, tmp_path: Path, good: str, diagnostics: Diagnostics
) -> None:
    folder = write(good)
    (folder / "deeper").mkdir()
    (folder / "deeper" / "lock-lost.yaml").write_text(good)
    (line,) = diagnostics(folder)
    first = f"{tmp_path.as_posix()}/mine/deeper/lock-lost.yaml"
    assert line == f"lock-lost.yaml:1: id 'lock-lost' is taken by {first}; ids are unique"


def test_supersedes_must_not_run_in_a_circle(write: Write, good: str, other: str, diagnostics: Diagnostics) -> None:
    write(good)
    folder = write(other.replace("supersedes: []", "supersedes: [lock-lost]"), "lock-slow.yaml")
    assert diagnostics(folder) == [
        "lock-lost.yaml:13: 'supersedes' runs in a circle: lock-lost → lock-slow → lock-lost",
        "lock-slow.yaml:13: 'supersedes' runs in a circle: lock-slow → lock-lost → lock-slow",
    ]


@pytest.mark.parametrize(("make", "words"), [(False, "does not exist"), (True, "holds no rule file")])
def test_a_folder_without_rules_is_named(shipped: Path, tmp_path: Path, words: str, *, make: bool) -> None:
    assert shipped.is_dir()
    folder = tmp_path / "empty"
    if make:
        folder.mkdir()
    with pytest.raises(RuleError, match=words):
        load_rules([folder])


def test_a_file_is_no_folder(write: Write, good: str) -> None:
    with pytest.raises(RuleError, match="is not a folder"):
        load_rules([write(good) / "lock-lost.yaml"])


def test_a_rule_whose_file_went_away_has_no_text(write: Write, good: str) -> None:
    folder = write(good)
    rule = load_rules([folder])[0][0]
    (folder / "lock-lost.yaml").rename(folder / "lock-found.yaml")
    with pytest.raises(RuleError, match="is not there any more"):
        rule_text(rule, [folder])
