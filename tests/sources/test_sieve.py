"""Passing over lines must not change what is found: only what cannot matter may be passed over."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from builders import REVISION, query, raw, request
from hypothesis import HealthCheck, given, settings, strategies as st

from forensics.model import PassedOver, RawEntry, RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import files, read_records
from forensics.sources.sieve import can_sift

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OTHER = "shop-api-00041-zzz"
RULES, _ = load_rules()
INFO = RulebookInfo(count=0, folders=(), overridden=())


def audit(at: float) -> dict[str, Any]:
    proto = {"methodName": "google.cloud.run.v1.Services.ReplaceService", "status": {}}
    return raw(at=at, stream="activity", revision="", instance="", protoPayload=proto)


LINES: dict[str, Callable[[float], str]] = {
    "an error": lambda at: json.dumps(raw("ValueError: bad", at=at, severity="ERROR")),
    "a request": lambda at: json.dumps(request(200, at=at, latency=0.1)),
    "of another revision": lambda at: json.dumps(raw("KeyError: 'x'", at=at, severity="ERROR", revision=OTHER)),
    "of another, naming this one": lambda at: json.dumps(raw(f"before {REVISION}", at=at, revision=OTHER)),
    "its name in escapes": lambda at: json.dumps(raw("ValueError: bad", at=at)).replace(
        "shop-api-00042", r"shop-api\u002d00042"
    ),
    "escapes that mean nothing": lambda at: json.dumps(raw(r"a < b", at=at, revision=OTHER)).replace("<", r"\u003c"),
    "an audit entry": lambda at: json.dumps(audit(at)),
    "nothing": lambda _: "",
    "no JSON": lambda _: f'{{"resource": broken {REVISION}',
    "no JSON of another": lambda _: '{"insertId": broken',
}


@pytest.fixture(autouse=True)
def small_is_large_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 0)


def counted(path: Path, only: str | None) -> tuple[list[dict[str, Any]], int]:
    found = list(read_records([str(path)], only=only))
    passed = sum(x.lines for x in found if isinstance(x, PassedOver))
    return [x.record for x in found if isinstance(x, RawEntry)], passed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(st.sampled_from(sorted(LINES)), max_size=25),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_the_same_is_found_with_and_without(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[str],
    end: str,
    last: bool,  # noqa: FBT001 - drawn
) -> None:
    path = tmp_path_factory.mktemp("sieve") / "log.ndjson"
    # The first line tells the format.
    lines = [LINES["an error"](0.0), *(LINES[kind](float(i)) for i, kind in enumerate(kinds, 1))]
    path.write_text(end.join(lines) + end * last, newline="")
    kept, passed = counted(path, REVISION)
    everything, none = counted(path, None)
    mine = [r for r in everything if r["resource"]["labels"]["revision_name"] in {REVISION, ""}]
    assert [r for r in kept if r["resource"]["labels"]["revision_name"] in {REVISION, ""}] == mine
    assert none == 0
    unreadable = sum(kind.startswith("no JSON of") for kind in kinds)
    assert len(kept) + passed == len(everything) + unreadable


def test_the_report_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(make(float(i)) for i in range(30) for make in LINES.values()))

    def report(only: str | None) -> Any:
        found = analyze(read_records([str(path)], only=only), RULES, query(), rulebook=INFO, tool_version="t").report
        coverage = {"entries_read", "passed_over", "unreadable", "first_unreadable", "duplicates", "order", "warnings"}
        plain = msgspec.to_builtins(found)
        return plain | {"coverage": {k: v for k, v in plain["coverage"].items() if k not in coverage}}

    assert report(REVISION) == report(None)
    assert report("shop-api-00042")["clusters"] == report(None)["clusters"]


@pytest.mark.parametrize(
    ("asked", "sifts"),
    [("latest", False), ("all", False), ("shop-api-00042", True), ("00", False), ("00042", True), ('a"b', False)],
)
def test_only_a_name_can_be_searched_for(asked: str, sifts: bool) -> None:  # noqa: FBT001 - a column
    assert can_sift(asked) is sifts


def test_a_line_too_long_is_told_and_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    good = LINES["an error"]
    path.write_text(good(0.0) + "\n" + '{"textPayload": "' + "x" * (17 * 2**20) + '"}\n' + good(1.0) + "\n")
    found = list(read_records([str(path)], only=REVISION))
    assert len([x for x in found if isinstance(x, RawEntry)]) == 2
    assert any("MiB" in getattr(x, "reason", "") for x in found)


def test_of_a_small_log_everything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 2**20)
    path = tmp_path / "log.ndjson"
    path.write_text("\n".join(LINES["of another revision"](float(i)) for i in range(9)))
    assert counted(path, REVISION)[1] == 0
