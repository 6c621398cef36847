"""The ledger is a folder of JSON files that are committed: the same bytes every time, and errors that can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.cycles import recorded, report

from forensics.cycles import of_series
from forensics.cycles.ledger import encode_cycle, file_name, read_ledger, write_cycle
from forensics.errors import LedgerError
from forensics.model import Query

if TYPE_CHECKING:
    from pathlib import Path


def test_cycles_come_back_as_they_were_written(tmp_path: Path) -> None:
    first = recorded(report(1, {"oom": 30}), (), "oom gone")
    second = recorded(report(2, {"oom": 3}), (first,))
    for cycle in (second, first):
        write_cycle(tmp_path, cycle)
    assert read_ledger(tmp_path) == (first, second)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001-r-00001.json", "0002-r-00002.json"]


def test_no_folder_holds_no_cycles(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "none") == ()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours")
    assert read_ledger(tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no cycle"), ('{"schema": "forensics.cycle/9"}', "forensics.cycle/9"), ("[]", "no cycle")],
)
def test_what_is_no_cycle_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "0001-r.json").write_text(text)
    with pytest.raises(LedgerError, match=r"0001-r\.json") as caught:
        read_ledger(tmp_path)
    assert said in str(caught.value)


def test_two_cycles_of_one_number_are_both_named(tmp_path: Path) -> None:
    write_cycle(tmp_path, recorded(report(1, {}), ()))
    write_cycle(tmp_path, recorded(report(2, {}), ()))
    with pytest.raises(LedgerError, match=r"0001-r-00001.json and 0001-r-00002.json"):
        read_ledger(tmp_path)


def test_a_name_from_a_log_is_no_path() -> None:
    cycle = recorded(report(1, {}), ())
    hostile = replace(cycle, revision=replace(cycle.revision, name="../../etc/passwd\n"))
    assert "/" not in file_name(hostile)


@pytest.mark.parametrize("path", ["/home/jane/logs/x.json", "C:\\Users\\jane\\x.json", "../../jane/x.json"])
def test_a_ledger_names_no_folder_of_one_machine(path: str) -> None:
    found = report(1, {"oom": 3})
    unreadable = replace(found.coverage, first_unreadable=f"{path}:3 (no JSON)")
    cycle = recorded(replace(found, query=Query(revision="r", logs=(path,)), coverage=unreadable), ())
    assert b"jane" not in encode_cycle(cycle)
    assert cycle.query.logs == ("x.json",)
    assert cycle.coverage.first_unreadable == "x.json:3 (no JSON)"


def test_secrets_in_what_a_person_says_are_redacted() -> None:
    cycle = recorded(report(1, {}), (), environment="token=abcdefgh12345678")
    assert b"abcdefgh12345678" not in encode_cycle(cycle)


def test_cycles_of_another_service_or_environment_are_another_series() -> None:
    found = report(1, {})
    staging, production = (recorded(found, (), environment=name) for name in ("staging", "production"))
    other = recorded(report(2, {}, revision=replace(found.revision, service="till")), ())
    cycles = (staging, production, other)
    assert of_series(cycles, found.revision, "staging") == (staging,)
    assert of_series(cycles, found.revision) == (staging, production)
