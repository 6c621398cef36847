"""Coverage: what was read, what is missing, and which conclusions that rules out."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import REVISION, extracted, query, raw, request, stored_at

from forensics.context.coverage.measure import measure
from forensics.model import Nanoseconds, Pulled, PullPart, RulebookInfo, UnreadSpan
from forensics.pipeline import analyze
from forensics.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forensics.model import Coverage


def covered(*records: dict[str, Any], pulled: Sequence[Pulled] = (), **asked: str) -> Coverage:
    log_index, store = stored_at(*records)
    table, lost = extracted(log_index, store)
    asks = query(**asked)
    return measure(log_index, table, [], asks, analysed=0, unclassified=0, lost=lost, pulled=pulled, revision=REVISION)


def listing(start: str = "10:00", end: str = "11:00", **fields: Any) -> Pulled:
    usual: dict[str, Any] = {"revision": REVISION, "part": PullPart.EVERYTHING, "done": True}
    return Pulled(from_time=f"2026-03-01T{start}:00Z", to_time=f"2026-03-01T{end}:00Z", **(usual | fields))


ERRORS = listing(part=PullPart.ERRORS, level="ERROR")


def lines(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [raw("x", at=i, number=i, **fields) for i in range(count)]


@pytest.mark.parametrize("inputs", [1, 5])
def test_an_input_that_breaks_off_is_named_beside_records_that_are_broken(tmp_path: Path, inputs: int) -> None:
    paths = [tmp_path / f"log{number}.ndjson.gz" for number in range(inputs)]
    dice = random.Random(0)  # noqa: S311 - the same logs every time, and nothing that packs well
    for at, path in enumerate(paths):
        records = [raw(f"{dice.getrandbits(4000)}", at=n, number=1000 * at + n) for n in range(200)]
        packed = gzip.compress("\n".join(["no JSON", *map(json.dumps, records)]).encode())
        path.write_bytes(packed[: len(packed) // 2])
    read = read_records(list(map(str, paths)))
    info = RulebookInfo(count=0, folders=(), overridden=())
    found = analyze(read, (), query("all"), rulebook=info, tool_version="t").report.coverage
    ends = [text for text in found.warnings if "breaks off: the gzip data ends early, so what stood behind" in text]
    assert [text.split(" breaks off")[0] for text in ends] == list(map(str, paths))[:3]
    assert ("2 more inputs break off" in found.warnings) == (inputs == 5)
    assert any(f"the first at {paths[0]}:1: no JSON" in text for text in found.warnings)


@pytest.mark.parametrize("count", [100, 200, 500, 1000, 5000])
def test_a_number_that_people_limit_by_looks_cut_by_itself(count: int) -> None:
    found = covered(*lines(count))
    assert found.truncated is None
    assert f"exactly {count:,} entries: probably cut by a limit" in str(found.truncation)
    assert f"exactly {count:,} entries, newest first" in str(covered(*lines(count)[::-1]).truncation)


@pytest.mark.parametrize("count", [150, 300, 1500])
def test_another_round_number_needs_a_second_sign(count: int) -> None:
    assert covered(*lines(count)).truncated is False
    assert f"exactly {count:,} entries, newest first" in str(covered(*lines(count)[::-1]).truncation)
    short = covered(*lines(count), from_time="2026-03-01T10:00:00Z", to_time="2026-03-01T22:00:00Z")
    assert f"exactly {count:,} entries" in str(short.truncation)


@pytest.mark.parametrize("count", [3, 10, 20, 49, 50, 51, 80, 90, 110, 120, 163, 210, 240, 260])
def test_a_number_that_nobody_would_choose_does_not(count: int) -> None:
    """Nor one of a small log: every tenth number ends in a zero."""
    assert covered(*lines(count)[::-1]).truncated is False


@pytest.mark.slow
def test_of_round_numbers_few_are_suspected() -> None:
    suspected = [count for count in range(10, 1001, 10) if covered(*lines(count)[::-1]).truncated is not False]
    assert suspected == [100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000]


def test_a_limit_for_each_severity_is_told() -> None:
    found = covered(
        *lines(20, severity="ERROR"), *lines(20, severity="INFO", stream="stdout"), *lines(3, instance="i9")
    )
    assert "20 entries each of ERROR, INFO" in str(found.truncation)


def test_a_span_far_shorter_than_asked_is_told() -> None:
    found = covered(*lines(7), from_time="2026-03-01T10:00:00Z", to_time="2026-03-01T11:00:00Z")
    assert "6 s of the 1 h asked for" in str(found.truncation)


def test_logs_that_are_not_there_are_listed_with_0() -> None:
    found = covered(*lines(3))
    assert found.logs == {"requests": 0, "stdout": 0, "stderr": 3, "system": 0, "audit": 0}
    assert any("effect on users cannot be told" in w for w in found.warnings)


def test_with_requests_nothing_is_said_of_users() -> None:
    found = covered(*lines(3), request(200, at=9, latency=0.1))
    assert not any("users" in w for w in found.warnings)


def test_a_pull_by_severity_is_told() -> None:
    found = covered(*lines(3, severity="ERROR"))
    assert any("severity WARNING or above" in w for w in found.warnings)


def test_entries_without_severity_are_counted_and_errors_by_their_text() -> None:
    found = covered(*lines(2), raw("ERROR:shop:lost", at=5))
    assert (found.no_severity, found.errors) == (3, 1)


def test_a_silence_that_stands_out_is_a_gap() -> None:
    found = covered(*lines(60), raw("back", at=4000))
    assert [gap.seconds for gap in found.gaps] == [3941.0]


def test_a_log_by_an_unknown_name_is_named_by_what_it_holds() -> None:
    bare = request(200, at=0, latency=0.1) | {"logName": ""}
    assert covered(bare).logs["requests"] == 1


def test_a_finished_pull_is_asked_and_not_its_numbers() -> None:
    found = covered(*lines(50, severity="ERROR")[::-1], pulled=[listing()])
    assert (found.truncated, found.truncation) == (False, None)
    assert (found.asked.from_time, found.asked.to_time) == ("2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z")
    assert not any("severity WARNING" in w for w in found.warnings)


@pytest.mark.parametrize(
    ("pulled", "asked", "words"),
    [
        ([listing(done=False, last_time="2026-03-01T10:10:00Z")], {}, "it came to 2026-03-01T10:10:00Z; give the same"),
        ([ERRORS, listing(part=PullPart.REQUESTS, level="ERROR", entries=9, capped=True)], {}, "only 9 were pulled"),
        ([listing(), listing("11:30", "12:00")], {}, "nothing was pulled of 2026-03-01T11:00:00Z – 2026-03-01T11:30"),
        ([listing()], {"from_time": "2026-03-01T09:00:00Z"}, "nothing was pulled of 2026-03-01T09:00:00Z – 2026-03-01"),
        ([listing(revision="other")], {}, "the case was pulled for other"),
    ],
)
def test_a_case_that_lacks_something_is_cut_and_says_why(
    pulled: list[Pulled], asked: dict[str, str], words: str
) -> None:
    found = covered(*lines(3), pulled=pulled, **asked)
    assert found.truncated is True
    assert words in str(found.truncation)
    assert any(words in w.replace("Nothing", "nothing").replace("The case", "the case") for w in found.warnings)


def test_pulls_of_other_revisions_and_touching_ones_are_no_gap() -> None:
    pulled = [listing(), listing("10:55", "12:00"), listing("05:00", "06:00", revision="other", done=False)]
    assert covered(*lines(3), pulled=pulled).truncated is False


def test_a_pull_of_errors_says_what_it_left_out() -> None:
    found = covered(*lines(3), pulled=[ERRORS, listing(part=PullPart.NEIGHBOURHOOD, left_out=7)])
    assert any("errors (ERROR and above)" in w for w in found.warnings)
    assert any("Lines below ERROR elsewhere were not pulled" in w for w in found.warnings)
    assert any("7 stretches" in w for w in found.warnings)
    assert found.whole_from == "ERROR"


def test_what_came_with_everything_later_is_not_missing_any_more() -> None:
    capped = listing(part=PullPart.REQUESTS, level="ERROR", entries=9, capped=True)
    found = covered(*lines(3), pulled=[ERRORS, capped, listing()])
    assert (found.truncated, found.whole_from) == (False, None)
    assert not any("errors (ERROR and above)" in w for w in found.warnings)


def test_windows_that_did_not_fit_and_too_few_controls_are_told() -> None:
    controls = listing(part=PullPart.CONTROLS, entries=60_000, capped=True, drawn=(Nanoseconds(1),))
    warnings = covered(*lines(3), pulled=[ERRORS, controls]).warnings
    assert any("Of the entries around requests that went well 60,000 were pulled" in w for w in warnings)
    assert any("Only 1 request could be drawn" in w for w in warnings)


@pytest.mark.parametrize(("start", "is_told"), [("10:00", True), ("09:50", False)])
def test_an_error_at_the_start_of_a_pull_may_be_an_old_one(start: str, is_told: bool) -> None:  # noqa: FBT001 - a table
    found = covered(*lines(3, severity="ERROR"), pulled=[listing(start)])
    assert any("it may have begun before" in w for w in found.warnings) is is_told


def test_what_a_watch_missed_is_cut_until_another_pull_has_it() -> None:
    gap = UnreadSpan(from_time="2026-03-01T10:10:00Z", to_time="2026-03-01T10:20:00Z", reason="no answer")
    watched = listing(watched=True, gaps=(gap,))
    found = covered(*lines(3), pulled=[watched])
    assert found.truncated is True
    assert "10:10:00Z – 2026-03-01T10:20:00Z (no answer) could not be had" in str(found.truncation)
    assert covered(*lines(3), pulled=[watched, listing("10:05", "10:15")]).truncated is True
    assert covered(*lines(3), pulled=[watched, listing("10:05", "10:15"), listing("10:15", "10:20")]).truncated is False


def test_entries_that_were_left_out_of_a_watch_are_told() -> None:
    found = covered(*lines(3), pulled=[listing(watched=True, suppressed=7)])
    assert found.truncated is False
    assert any("Cloud Logging left 7 entries out" in warning for warning in found.warnings)
    assert "the watch into this case was stopped" in str(
        covered(*lines(3), pulled=[listing(watched=True, done=False)]).truncation
    )
