from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard
from contest.logs import Log, open_log
from floors.aims import Least, aims_of, describe as room_of
from floors.bare import distinct, tell
from floors.judged import judge, judging, link, linking, rule_patterns

from forensics.text.timestamps import parse_time

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
KINDS = ("mixed", "clean", "all-errors", "array", "gz", "zst")
ASKED = "orders-api-00042-kud"
ERRORS = {"ERROR", "CRITICAL", "ALERT", "EMERGENCY"}

# Words by which a reader tells the errors apart; the generator counts them by other means.
WORDS = {
    "/pay": "http-500",
    "KeyError: 'discount-": "missing-discount",
    "card declined": "card-declined",
    "the HTTP response was malformed": "malformed-503",
    "port 5432 failed: Connection refused": "database-refused",
    "the stock service reports": "stock-differs",
    "No module named 'xlsx'": "module-missing",
    "OrderState is not JSON serializable": "websocket-enum",
    "QueuePool limit": "pool-exhausted",
    "Memory limit of 512 MiB": "memory-limit",
    "/reports/": "timeout-504",
    "carries no seal": "webhook-unsigned",
    "decimal.InvalidOperation": "decimal",
    "WORKER TIMEOUT": "worker-timeout",
    "given up after": "given-up",
    "lost its lease": "lease-lost",
    "out of balance": "ledger",
    "no replica answers": "region-lost",
    "were handed over": "peer-lost",
    "the order store": "store-lost",
    "could not be stored": "document-dump",
}


def generated(kind: str, folder: Path, seed: int = 1) -> tuple[bytes, dict[str, Any]]:
    options = ["--size", "2MB", "--kind", kind, "--seed", str(seed), "--out", str(folder)]
    command = [sys.executable, str(BENCHMARKS / "generate.py"), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    truth = json.loads((folder / "truth.json").read_bytes())
    data = (folder / truth["file"]).read_bytes()
    assert len(data) == truth["file_bytes"]
    if kind == "gz":
        data = gzip.decompress(data)
    elif kind == "zst":
        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    return data, truth


@pytest.fixture(scope="module", params=KINDS)
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, Any]]:
    return generated(request.param, tmp_path_factory.mktemp(request.param))


def records(data: bytes, kind: str) -> tuple[list[dict[str, Any]], int]:
    """Read naively: all records, and the number of lines that are none."""
    if kind == "array":
        return json.loads(data), 0
    found = []
    unreadable = 0
    for line in data.splitlines():
        if line.strip():
            try:
                found.append(json.loads(line))
            except ValueError:
                unreadable += 1
    return found, unreadable


def once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(entry["logName"], entry["timestamp"], entry["insertId"]): entry for entry in found}.values())


def revision(entry: dict[str, Any]) -> str:
    return str(entry["resource"]["labels"]["revision_name"])


def errors(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [entry for entry in found if revision(entry) == name and entry.get("severity") in ERRORS]


def minutes(found: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(entry["timestamp"][:16] for entry in found))


def moment(entry: dict[str, Any]) -> tuple[str, str]:
    second, _, fraction = entry["timestamp"].removesuffix("Z").partition(".")
    return second, fraction.ljust(9, "0")


def template(entry: dict[str, Any]) -> str:
    # Without the names of files and loggers, which hold words of other templates.
    said = [entry.get("textPayload", ""), entry.get("jsonPayload", {}).get("message", "")]
    said.append(entry.get("httpRequest", {}).get("requestUrl", ""))
    found = [name for words, name in WORDS.items() if words in "\n".join(said)]
    assert len(found) == 1, said
    return found[0]


@pytest.mark.slow
def test_the_truth_is_what_a_naive_reader_counts(corpus: tuple[bytes, dict[str, Any]]) -> None:
    data, truth = corpus
    found, unreadable = records(data, truth["kind"])
    entries = once(found)
    assert 2_000_000 <= truth["bytes"] == len(data) < 2_500_000
    assert truth["lines"] == data.count(b"\n")
    assert (truth["entries"], truth["unreadable"]) == (len(entries), unreadable)
    assert truth["duplicates"] == len(found) - len(entries)
    assert truth["severities"] == dict(Counter(entry.get("severity", "(none)") for entry in entries))
    for name, told in truth["revisions"].items():
        own = [entry for entry in entries if revision(entry) == name]
        severities = dict(Counter(entry.get("severity", "(none)") for entry in own))
        assert told == {"entries": len(own), "errors": len(errors(own, name)), "severities": severities}
    assert sum(told["entries"] for told in truth["revisions"].values()) == len(entries)


def test_the_truth_about_the_asked_revision_is_what_a_naive_reader_counts(corpus: tuple[bytes, dict[str, Any]]) -> None:
    data, truth = corpus
    found, _ = records(data, truth["kind"])
    own = [entry for entry in once(found) if revision(entry) == ASKED]
    wrong = errors(own, ASKED)
    asked = truth["asked"]
    assert asked["revision"] == ASKED
    assert (asked["entries"], asked["errors"]) == (len(own), len(wrong))
    assert moment({"timestamp": asked["first"]}) == min(map(moment, own))
    assert moment({"timestamp": asked["last"]}) == max(map(moment, own))
    assert asked["errors_per_minute"] == minutes(wrong)
    assert asked["templates"] == dict(Counter(map(template, wrong)))
    assert sum(asked["signatures"].values()) == len(wrong)
    repeated = errors(found, ASKED)
    assert asked["duplicates_counted"] == {
        "entries": sum(revision(entry) == ASKED for entry in found),
        "errors": len(repeated),
        "errors_per_minute": minutes(repeated),
    }


def test_it_is_mixed_as_promised(corpus: tuple[bytes, dict[str, Any]]) -> None:
    _, truth = corpus
    asked = truth["asked"]
    if truth["kind"] == "all-errors":
        assert set(truth["revisions"]) == {ASKED}
        assert asked["errors"] == asked["entries"] == truth["entries"]
        return
    assert len(truth["revisions"]) == 5
    assert 0.15 < asked["entries"] / truth["entries"] < 0.25
    assert 0.01 < asked["errors"] / truth["entries"] < 0.035
    assert 0.07 < sum(truth["severities"].get(name, 0) for name in ERRORS) / truth["entries"] < 0.13


def test_odd_lines_are_in_it(tmp_path: Path) -> None:
    data, truth = generated("mixed", tmp_path)
    lines = data.split(b"\n")
    found, _ = records(data, "mixed")
    assert any(line.startswith(b'{"textPayload"') for line in lines)
    assert any(line.startswith(b'{"insertId"') for line in lines)
    assert any(not line.strip() for line in lines[:-1])
    assert any(line.endswith(b"}\r") for line in lines)
    assert max(map(len, lines)) > 300_000
    for escaped in (b"orders\\u002dapi\\u002d00042\\u002dkud", b"\\u006Frders-api-00042-kud", b"revision\\u005fname"):
        assert escaped in data
    assert b"orders-api-00042-kud" in b"".join(line for line in lines if b"00041-zex" in line)
    assert {len(moment.partition(".")[2]) for entry in found if (moment := entry["timestamp"][:-1])} == {0, 3, 6, 9}
    assert any("severity" not in entry for entry in found)
    assert truth["unreadable"] >= 2
    assert truth["duplicates"] > len(lines) - len(set(lines))  # some are the same entry in another spelling


@pytest.mark.slow
def test_a_seed_gives_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, truth = generated("gz", tmp_path / "a", seed=7)
    assert (first, truth) == generated("gz", tmp_path / "b", seed=7)
    assert first != generated("gz", tmp_path / "c", seed=8)[0]


@pytest.mark.slow
def test_programs_are_compared_and_their_answers_checked(tmp_path: Path) -> None:
    _, truth = generated("mixed", tmp_path)
    options = [str(tmp_path), "--runs", "1", "--only", "json,msgspec"]
    command = [sys.executable, str(BENCHMARKS / "compare.py"), *options]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in printed.splitlines() if line.startswith("|")]
    assert [(row[1], row[-2]) for row in rows[2:]] == [
        ("wc -l", "only lines"),
        ("Python, `json` line by line", "yes"),
        ("Python, `msgspec` line by line", "yes"),
    ]
    right = truth["asked"]["errors"]
    truth["asked"]["errors"] = truth["asked"]["duplicates_counted"]["errors"] = right + 1000
    (tmp_path / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.count(f"no: errors {right:,} for {right + 1000:,} |") == 2


def ran(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *options]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("script", ["compare.py", "floor.py", "stages.py", "memory.py"])
def test_a_folder_without_a_log_is_told_in_one_line(script: str, tmp_path: Path) -> None:
    folders = [str(tmp_path)] * (2 if script == "memory.py" else 1)
    for written in ("", "no JSON", '{"file": "mixed.ndjson", "kind": "mixed"}'):
        if written:
            (tmp_path / "truth.json").write_text(written)
        found = ran(script, *folders)
        assert (found.returncode, found.stdout) == (2, "")
        (line,) = found.stderr.splitlines()
        assert str(tmp_path) in line
        assert "generate.py" in line


def spelled_plainly(data: bytes) -> list[dict[str, Any]]:
    """Return the entries of the asked revision that a plain search for its name finds."""
    found, _ = records(b"\n".join(line for line in data.split(b"\n") if ASKED.encode() in line), "mixed")
    return [entry for entry in found if revision(entry) == ASKED]


@pytest.mark.slow
def test_the_floor_looks_at_what_a_rule_might_claim(tmp_path: Path) -> None:
    own = spelled_plainly(generated("mixed", tmp_path)[0])
    claimable = [
        entry
        for entry in own
        if entry.get("severity") in ERRORS or entry.get("httpRequest", {"status": 500})["status"] >= 400
    ]
    printed = ran("floor.py", str(tmp_path), "--runs", "1").stdout
    assert f"entries that a rule might claim: {len(claimable):,}\n" in printed
    assert "4.00 x wc -l" in printed


def test_the_floor_counts_each_entry_once(tmp_path: Path) -> None:
    data, _ = generated("mixed", tmp_path)
    log = open_log(tmp_path)
    log.path.write_bytes(data + data)
    entries = len(once(spelled_plainly(data)))
    assert distinct(tell(log.path, ASKED.encode())) == entries
    order = judge(log.path, ASKED.encode(), judging(rule_patterns()), tmp_path / "rows")
    assert (order, len(set(order))) == (sorted(order), entries)


def test_the_floor_finds_what_stands_near_the_end_of_a_failed_request(tmp_path: Path) -> None:
    own = [
        (entry["labels"]["instanceId"], parse_time(entry["timestamp"]), entry.get("httpRequest"), entry.get("severity"))
        for entry in spelled_plainly(generated("mixed", tmp_path)[0])
    ]
    logged = [(i, at) for i, at, http, severity in own if severity in ERRORS or not http or http["status"] >= 400]
    ends = [
        (i, at + int(float(http["latency"][:-1]) * 1e9)) for i, at, http, _ in own if http and http["status"] >= 500
    ]
    near = sum(one == i and end - 3 * 10**9 <= at <= end + 25 * 10**7 for i, end in ends for one, at in logged)
    assert ends
    assert near
    log = open_log(tmp_path)
    assert link(log.path, ASKED.encode(), linking(rule_patterns()), tmp_path / "rows") == near


def test_an_aim_is_out_of_reach_or_leaves_room() -> None:
    log = Log(Path("log"), {"kind": "mixed", "bytes": 10**9})
    assert [key for _, key in aims_of(log)] == ["wc", "duckdb", "jq"]
    assert aims_of(Log(Path("log"), {"kind": "mixed", "bytes": 5 * 10**9})) == [(3, "wc")]
    assert aims_of(Log(Path("log"), {"kind": "array", "bytes": 10**9})) == []
    least = Least(bare=1.0, started=2.0, claimable=1_000_000)
    assert room_of(0.9, least) == "out of reach: 0.100 s too little"
    assert room_of(1.5, least) == "room: 0.500 s, 1.0 us for each entry; with such a start 0.500 s too little"
    assert room_of(3.0, least) == "room: 2.000 s, 4.0 us for each entry; with such a start 1.000 s"
