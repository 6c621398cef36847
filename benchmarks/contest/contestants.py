"""The programs that are compared: the command of each for a log, and how to read its answer."""

from __future__ import annotations

import csv
import json
import shlex
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contest.table import FLOOR
from contest.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contest.logs import Log
    from contest.measure import Run

_HERE = Path(__file__).parent.parent
_LINES = frozenset({"mixed", "clean", "all-errors"})
_EVERY = _LINES | {"array", "gz", "zst"}
_SLOW = 210_000_000
"""Bytes of the largest log for the standard library's json; its speed is known from smaller ones."""
_ERRORS = {"ERROR", "CRITICAL", "ALERT", "EMERGENCY"}
OUT = "documents"
"""Where forensics writes, below the folder it runs in."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program, its command, and the judge of its answer."""

    key: str
    name: str
    kinds: frozenset[str]
    command: Callable[[Log], list[str]]
    judge: Callable[[Log, Run, Path], str]
    most: int | None = None
    """Bytes of the largest log that it is run on; None without a limit."""

    def takes(self, log: Log) -> bool:
        """Tell whether it can read this log in a reasonable time."""
        return log.truth["kind"] in self.kinds and (self.most is None or log.truth["bytes"] <= self.most)


def contestants(forensics: Sequence[str]) -> list[Contestant]:
    """List all contestants; the floor first, forensics last."""
    return [
        Contestant("wc", FLOOR, _EVERY, _wc, _judge_lines),
        Contestant("jq", "jq", _LINES, _jq, _judge_answer),
        Contestant("duckdb", "DuckDB", _EVERY, _library("duckdb"), _judge_answer),
        Contestant("duckdb-raw", "DuckDB, duplicates kept", _EVERY, _library("duckdb-raw"), _judge_answer),
        Contestant("polars", "polars", _LINES, _library("polars"), _judge_answer),
        Contestant("json", "Python, `json` line by line", _LINES, _library("json"), _judge_answer, _SLOW),
        Contestant("msgspec", "Python, `msgspec` line by line", _LINES, _library("msgspec"), _judge_answer),
        Contestant(
            "forensics",
            "**`forensics analyze`**, all documents written",
            _EVERY,
            lambda log: forensics_command(forensics, log),
            _judge_report,
        ),
    ]


def forensics_command(words: Sequence[str], log: Log) -> list[str]:
    """Return the command by which forensics writes all documents about the revision."""
    return [*words, "analyze", "--revision", log.asked["revision"], "--logs", str(log.path), "--out", OUT]


def _wc(log: Log) -> list[str]:
    unpack = {".gz": "gzip -dc", ".zst": "zstd -dcq"}.get(log.path.suffix)
    if unpack is None:
        return ["wc", "-l", str(log.path)]
    return ["sh", "-c", f"{unpack} {shlex.quote(str(log.path))} | wc -l"]


def _jq(log: Log) -> list[str]:
    # Raw lines, since jq stops at the first line that is no JSON when it parses the input itself.
    question = str(_HERE / "question.jq")
    return ["jq", "-nRc", "--arg", "revision", log.asked["revision"], "-f", question, str(log.path)]


def _library(name: str) -> Callable[[Log], list[str]]:
    return lambda log: [sys.executable, str(_HERE / "answer.py"), name, str(log.path), log.asked["revision"]]


def _judge_lines(log: Log, run: Run, _folder: Path) -> str:
    lines = int(run.output.split()[0])
    return "only lines" if lines == log.truth["lines"] else f"no: {lines:,} lines for {log.truth['lines']:,}"


def _judge_answer(log: Log, run: Run, _folder: Path) -> str:
    return verdict(json.loads(run.output), log.asked)


def _judge_report(log: Log, _run: Run, folder: Path) -> str:
    """Compare the answer in the documents with the truth."""
    report = json.loads((folder / OUT / "report.json").read_bytes())
    coverage = report["coverage"]
    with (folder / OUT / "entries.csv").open(encoding="utf-8-sig", newline="") as rows:
        minutes = Counter(row["timestamp"][:16] for row in csv.DictReader(rows) if row["severity"] in _ERRORS)
    answer = {
        "entries": coverage["entries_selected"],
        "errors": coverage["errors"],
        "first": coverage["covered"]["from"],
        "last": coverage["covered"]["to"],
        "errors_per_minute": dict(minutes),
    }
    return "; ".join([verdict(answer, log.asked), *_further_differences(report, log)])


def _further_differences(report: Mapping[str, Any], log: Log) -> list[str]:
    """Compare the answers that only forensics gives with the truth: the entries read, and the signatures of errors."""
    coverage, truth = report["coverage"], log.truth
    by_signature: Counter[str] = Counter()
    for cluster in report["clusters"]:
        by_signature[cluster["signature"] or "(none)"] += cluster["entries"]
    pairs = [
        ("entries read", coverage["entries_read"], truth["entries"] + truth["duplicates"]),
        ("duplicates", coverage["duplicates"], truth["duplicates"]),
        ("unreadable", coverage["unreadable"], truth["unreadable"]),
        *((name, by_signature[name], count) for name, count in log.asked["signatures"].items()),
    ]
    return [f"{name} {answer:,} for {true:,}" for name, answer, true in pairs if answer != true]
