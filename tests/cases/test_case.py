"""What goes into a case comes out byte for byte; a kill, a second writer or a full disk does it no harm."""

from __future__ import annotations

import errno
import json
import os
import random
import subprocess
import sys
import time as clock
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings, strategies as st
from support.platforms import locks

from forensics.cases import Case, Checkpoint, PullRecord, segments, verify
from forensics.errors import CaseError
from forensics.model import UnreadSpan
from forensics.text.timestamps import parse_time

PULL = PullRecord(filter="f", project="p", started="2025-09-08T14:00:00Z")
FRACTION = st.from_regex(r"2025-09-08T14:00:[0-5][0-9]\.[0-9]{9}Z", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(9007199254740993) | st.floats() | st.text() | FRACTION,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ENTRIES = st.builds(
    lambda rest, at: {**rest, "timestamp": at}, st.dictionaries(st.text(), VALUES, max_size=3), FRACTION
)


def encode(value: Any, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


LINES = st.builds(encode, VALUES | ENTRIES, ascii_only=st.booleans())


@pytest.mark.slow
@given(pages=st.lists(st.lists(LINES, max_size=4), max_size=5), finished=st.booleans())
def test_lines_come_back_byte_for_byte(pages: list[list[bytes]], *, finished: bool) -> None:
    with TemporaryDirectory() as folder:
        with Case.create(Path(folder, "case")) as case:
            pull = case.begin(PULL)
            for number, page in enumerate(pages):
                case.append(page, Checkpoint(next_page_token=str(number), done=finished and number == len(pages) - 1))
        expected = [line for page in pages for line in page]
        assert list(Case.look(case.folder).lines()) == expected
        assert verify(case.folder) == []
        manifest = Case.look(case.folder).manifest
        assert (manifest.entries, manifest.pulls[pull - 1].pages) == (len(expected), len(pages))


def test_an_entry_over_several_lines_is_one_line(tmp_path: Path) -> None:
    with Case.create(tmp_path / "case") as case:
        case.begin(PULL)
        case.append([b'{\n  "textPayload": "a\\nb"\n}'], Checkpoint())
    assert list(case.lines()) == [b'{   "textPayload": "a\\nb" }']


def test_the_manifest_tells_bounds_and_progress(pulled: Path) -> None:
    manifest = Case.look(pulled).manifest
    first, second = manifest.pulls
    assert (first.pages, first.entries, first.finished is not None) == (2, 3, True)
    assert (second.pages, second.entries, second.finished) == (1, 1, None)
    kept = Case.look(pulled).checkpoint(2)
    assert (kept.next_page_token, kept.last_timestamp) == ("b", "2025-09-08T14:00:04.123456789Z")
    joined, last = manifest.segments
    assert (joined.entries, joined.first, joined.last) == (
        3,
        "2025-09-08T14:00:01.123456789Z",
        "2025-09-08T14:00:03.123456789Z",
    )
    assert last.file == "segments/000004.ndjson.zst"
    assert (manifest.revisions, manifest.notes) == (("shop-api-00042", "shop-api-00041"), ())


def test_a_pull_goes_on_in_a_case_that_is_opened_again(pulled: Path) -> None:
    with Case.open(pulled) as case:
        case.note("pulled over gRPC")
        case.note("pulled over gRPC")
        case.append([b'{"insertId":"i5"}'], Checkpoint(done=True), 2)
    assert [json.loads(line)["insertId"] for line in Case.look(pulled).lines()] == ["i1", "i2", "i3", "i4", "i5"]
    assert len(list((pulled / "segments").iterdir())) == 1
    assert Case.look(pulled).manifest.notes == ("pulled over gRPC",)
    assert verify(pulled) == []


def test_many_small_pages_do_not_make_many_segments(tmp_path: Path) -> None:
    with patch("forensics.cases.case._MOST_SMALL", 5), Case.create(tmp_path / "case") as case:
        case.begin(PULL)
        for number in range(20):
            case.append([b"%d" % number], Checkpoint())
    assert list(case.lines()) == [b"%d" % number for number in range(20)]
    assert len(case.manifest.segments) <= 6
    assert verify(case.folder) == []


def test_large_segments_are_left_as_they_are(tmp_path: Path) -> None:
    with patch.object(segments, "_LARGE", 60), Case.create(tmp_path / "case") as case:
        case.begin(PULL)
        for number in range(9):
            case.append([b'"%d"' % number] * (1 + number % 3), Checkpoint(done=number == 8))
    assert 1 < len(case.manifest.segments) < 9
    assert list(case.lines()) == [b'"%d"' % number for number in range(9) for _ in range(1 + number % 3)]
    assert verify(case.folder) == []


def test_damage_is_not_joined_and_sealed_anew(pulled: Path) -> None:
    file = pulled / "segments" / "000003.ndjson.zst"
    data = bytearray(file.read_bytes())
    data[-3] ^= 1
    file.write_bytes(data)
    with Case.open(pulled) as case, pytest.raises(CaseError, match=r"000003\.ndjson\.zst: has been changed"):
        case.append([b"{}"], Checkpoint(done=True))
    assert verify(pulled) != []
    assert min(p.name for p in (pulled / "segments").iterdir()) == "000003.ndjson.zst"


# --- kills ---

CHILD = """
import sys
from forensics.cases import Case, Checkpoint, PullRecord
with Case.open(sys.argv[1]) as case:
    if not case.manifest.pulls:
        case.begin(PullRecord(filter="f", project="p", started="2025-09-08T14:00:00Z"))
    number = int(case.checkpoint(1).next_page_token or 0)
    print("ready", flush=True)
    while True:
        # The token is the number of lines so far; every seventh page ends a pull, so that segments are joined.
        page = [b'{"insertId":"%d"}' % (number + i) for i in range(50)]
        number += len(page)
        case.append(page, Checkpoint(next_page_token=str(number), done=number // 50 % 7 == 0))
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(4)  # noqa: S311 - moments of kills
    Case.create(tmp_path / "case").close()
    before = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path / "case")], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        clock.sleep(chance.random() * 0.1)
        child.kill()
        child.wait()
        child.stdout.close()
        assert verify(tmp_path / "case") == []
        case = Case.look(tmp_path / "case")
        kept = int(case.checkpoint(1).next_page_token or 0)
        assert list(case.lines()) == [b'{"insertId":"%d"}' % number for number in range(kept)]
        assert kept >= before
        before = kept
    assert before > 0


@locks
@pytest.mark.parametrize("broken", ["fsync", "rename"])
@pytest.mark.parametrize("step", range(8))
def test_a_disk_that_refuses_a_step_leaves_the_old_or_the_new(pulled: Path, broken: str, step: int) -> None:
    calls = 0
    patched = os.fsync if broken == "fsync" else Path.replace

    def refuse(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return patched(*arguments)

    old = list(Case.look(pulled).lines())
    with Case.open(pulled) as case:
        where = patch("os.fsync", refuse) if broken == "fsync" else patch.object(Path, "replace", refuse)
        # Joining the segments takes two more writes than the page itself, and nothing refuses after these.
        steps = 8 if broken == "fsync" else 4
        with (
            where,
            pytest.raises(CaseError, match=r"No space left on device[^\n]*\Z") if step < steps else nullcontext(),
        ):
            case.append([b'{"insertId":"new"}'], Checkpoint(done=True))
        if step < steps:
            with pytest.raises(ValueError, match="not open for writing"):
                case.append([b"{}"], Checkpoint())
    assert verify(pulled) == []
    with Case.open(pulled) as again:
        kept = list(again.lines())
        assert kept in (old, [*old, b'{"insertId":"new"}'])
        assert again.checkpoint(2).done == (len(kept) > len(old))
        names = {f"segments/{file.name}" for file in (pulled / "segments").iterdir()}
        assert names == {segment.file for segment in again.manifest.segments}


# --- other writers, other folders ---


@locks
def test_two_writers_get_one_line(pulled: Path) -> None:
    with Case.open(pulled), pytest.raises(CaseError, match="is being written by another pull"):
        Case.open(pulled)
    with Case.open(pulled) as case:
        assert case.manifest.entries == 4


def test_a_case_is_not_made_over_another(pulled: Path, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="is not empty"):
        Case.create(pulled)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(CaseError, match="is not empty"):
        Case.create(tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_case_whose_making_was_killed_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "case" / "segments").mkdir(parents=True)
    (tmp_path / "case" / ".lock").touch()
    (tmp_path / "case" / ".manifest.json.unfinished").write_bytes(b'{"sch')
    with Case.create(tmp_path / "case") as case:
        case.begin(PULL)
    assert verify(tmp_path / "case") == []


def test_a_case_for_reading_is_not_written(pulled: Path) -> None:
    with pytest.raises(ValueError, match="not open for writing"):
        Case.look(pulled).append([b"{}"], Checkpoint())


def test_an_unread_span_has_its_fields_of_the_format_and_is_read_back(tmp_path: Path) -> None:
    gap = UnreadSpan(from_time="2025-09-08T14:00:00Z", to_time="2025-09-08T14:01:00Z", reason="no answer")
    with Case.create(tmp_path / "case") as case:
        case.begin(PULL)
        case.append((), Checkpoint(done=True), gaps=(gap,))
    (written,) = json.loads((tmp_path / "case" / "manifest.json").read_bytes())["pulls"][0]["gaps"]
    assert written == {"from": "2025-09-08T14:00:00Z", "to": "2025-09-08T14:01:00Z", "reason": "no answer"}
    assert Case.look(tmp_path / "case").manifest.pulls[0].gaps == (gap,)


@settings(max_examples=20)
@given(pull_id=st.integers().filter(lambda number: number not in {1, 2}))
def test_there_is_no_checkpoint_of_an_unknown_pull(pull_id: int) -> None:
    with TemporaryDirectory() as folder, Case.create(Path(folder, "case")) as case:
        case.begin(PULL)
        case.begin(PULL)
        with pytest.raises(ValueError, match="there is no pull"):
            case.checkpoint(pull_id)


def test_pulls_that_belong_together_are_noted_together(tmp_path: Path) -> None:
    with Case.create(tmp_path / "case") as case:
        assert case.begin_all((PULL, PULL), ("a",)) == 1
        assert case.begin_all((PULL,), ("b",)) == 3
    assert len(Case.look(tmp_path / "case").manifest.pulls) == 3
    assert Case.look(tmp_path / "case").manifest.revisions == ("a", "b")


def test_segments_before_a_moment_are_left_out(pulled: Path) -> None:
    case = Case.look(pulled)
    everything, latest = list(case.lines()), str(case.manifest.segments[-1].last)
    assert list(case.lines(parse_time(latest))) == everything[-1:]
    assert list(case.lines(0)) == everything
    assert list(case.lines(parse_time("2030-01-01T00:00:00Z"))) == []


def test_a_case_without_entries_can_be_taken_away_and_one_with_entries_cannot(tmp_path: Path, pulled: Path) -> None:
    with Case.create(tmp_path / "empty") as case:
        case.begin(PULL)
        case.discard()
    assert not (tmp_path / "empty").exists()
    with Case.open(pulled) as case, pytest.raises(ValueError, match="entries"):
        case.discard()
    assert len(list(Case.look(pulled).lines())) == 4
