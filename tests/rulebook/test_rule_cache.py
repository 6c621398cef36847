from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Rule
from forensics.rulebook import load, load_rules, rule_cache as kept
from forensics.rulebook.folders import RuleFile, shipped_files
from forensics.rulebook.load import RuleFileResult, read_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Write = Callable[..., Path]
    Diagnostics = Callable[[Path], list[str]]


def test_kept_rules_are_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_place", lambda: tmp_path / "rules.msgpack")
    read, _ = load_rules()
    assert kept.kept_rules(shipped_files()) == read
    again, info = load_rules()
    assert (again, info.count) == (read, len(read))


def test_a_file_that_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_place", lambda: tmp_path / "rules.msgpack")
    source = next(f for f in shipped_files() if f.stem == "container-exit")
    file = tmp_path / "container-exit.yaml"
    file.write_text(source.file.read_text())
    files = [RuleFile("rules/container-exit.yaml", file)]
    rule = read_file(files[0]).rule
    assert isinstance(rule, Rule)
    kept.keep_rules(files, [rule])
    assert kept.kept_rules(files) == (rule,)
    file.write_text(file.read_text() + "# a word more\n")
    assert kept.kept_rules(files) is None


def test_a_broken_store_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_place", lambda: tmp_path / "rules.msgpack")
    (tmp_path / "rules.msgpack").write_bytes(b"\x92\xa1x")
    assert kept.kept_rules(shipped_files()) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(kept, "_place", lambda: tmp_path / "file" / "rules.msgpack")
    kept.keep_rules(shipped_files(), ())
    assert kept.kept_rules(shipped_files()) is None


def test_a_users_rules_go_over_kept_ones_as_over_read_ones(
    write: Write, good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(good)
    read = load_rules([folder])
    load_rules()
    files: list[str] = []

    def noted(file: RuleFile) -> RuleFileResult:
        files.append(file.file.name)
        return read_file(file)

    monkeypatch.setattr(load, "read_file", noted)
    assert load_rules([folder]) == read
    assert files == ["lock-lost.yaml"]


def test_a_fault_of_a_kept_rule_names_its_line(
    shipped: Path, write: Write, other: str, diagnostics: Diagnostics
) -> None:
    gone = other.replace("id: lock-slow", "id: lock-gone").replace("supersedes: []", "supersedes: [lock-slow]")
    (shipped / "run" / "lock-gone.yaml").write_text(gone)
    folder = write(other.replace("supersedes: []", "supersedes: [lock-gone]"), "lock-slow.yaml")
    read = diagnostics(folder)
    load_rules()
    assert kept.kept_rules(shipped_files()) is not None
    assert diagnostics(folder) == read
    assert read[0].startswith("rules/run/lock-gone.yaml:13: ")
