"""What a process said before it ended: the line that tells most, quoted, and never more than plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders import query, raw, raws, request

from forensics.model import RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from forensics.model import Finding, Report

INFO = RulebookInfo(count=0, folders=(), overridden=())


@pytest.fixture(scope="module")
def rules() -> Any:
    return load_rules([])[0]


def exited(at: float = 10.0, number: int = 900, instance: str = "i1") -> dict[str, Any]:
    text = "Container called exit(1)."
    return raw(text, at=at, number=number, severity="WARNING", stream="varlog%2Fsystem", instance=instance)


def probed(at: float = 60.0, status: str = "DEADLINE_EXCEEDED") -> dict[str, Any]:
    text = (
        'Default STARTUP TCP probe failed 1 time consecutively for container "shop-1" on port 8080. The instance was '
        f"not started.\nConnection failed with status {status}."
    )
    return raw(text, at=at, number=950, severity="ERROR", stream="varlog%2Fsystem")


def analysed(*records: dict[str, Any], rules: Any) -> Report:
    return analyze(raws(*records), rules, query(), rulebook=INFO, tool_version="test").report


def first(report: Report) -> Finding:
    root = report.incidents[0].root_cluster
    return next(one for one in report.findings if one.cluster == root)


def told(report: Report) -> tuple[str, str] | None:
    """Return the decisive line and the verdict of the answer that holds it."""
    for why in first(report).whys:
        for evidence in why.evidence:
            if evidence.kind == "last_words":
                return evidence.statement, why.verdict
    return None


@pytest.mark.parametrize(
    ("lines", "decisive"),
    [
        # The last line that says what is wrong, before what merely follows it.
        (["starting", '2026/03/02 10:00:00 setup: unknown option "db"', "bye"], "setup: unknown option"),
        # A banner: its row of stars is no words.
        (["*****", "APPLICATION FAILED TO START", "*****", "", "a bean of TaxClient could not be found"], "TaxClient"),
        (["/entrypoint.sh: line 3: gunicorn-x: not found"], "gunicorn-x: not found"),
        # Nothing says what is wrong: the very last line.
        (["reading the ledger", "usage: shop [--port N]"], "usage: shop"),
    ],
)
def test_the_line_that_tells_most_is_the_headline(lines: list[str], decisive: str, rules: Any) -> None:
    said = [raw(text, at=9.5 + number / 100, number=number) for number, text in enumerate(lines)]
    assert decisive in first(analysed(*said, exited(), rules=rules)).headline


def test_stderr_comes_before_stdout(rules: Any) -> None:
    said = [raw("cannot open the ledger", at=9.4, number=1), raw("error count: 0", at=9.6, number=2, stream="stdout")]
    assert "cannot open the ledger" in first(analysed(*said, exited(), rules=rules)).headline


def test_of_several_ends_those_are_counted_that_said_the_same(rules: Any) -> None:
    records = []
    for number in range(4):
        text = f"closing ledger {number}" if number else "out of tea"
        records.append(raw(text, at=20.0 * number + 9, number=number, instance=f"i{number}"))
        records.append(exited(20.0 * number + 10, 900 + number, f"i{number}"))
    statement, verdict = told(analysed(*records, rules=rules)) or ("", "")
    assert statement == "“closing ledger 3” is what was said last, 1 s before 3 of 4 instance lives"
    assert verdict == "plausible"


def test_a_cause_that_is_known_is_told_instead(rules: Any) -> None:
    frame = '  File "/app/main.py", line 3, in <module>'
    error = f"Traceback (most recent call last):\n{frame}\nModuleNotFoundError: No module named 'ledger'"
    report = analysed(raw(error, at=9.8, severity="ERROR"), raw("bye", at=9.9, number=2), exited(), rules=rules)
    assert told(report) is None
    assert "ledger" in first(report).headline


@pytest.mark.parametrize(
    "records",
    [
        [exited()],
        [raw("went well", at=9.0, instance="i2"), exited()],
        [raw("long ago: cannot open", at=0.0), exited(at=61.0)],
        [request(200, at=9.0, latency=0.1), exited()],
    ],
    ids=["nothing", "another instance", "more than a minute before", "a request"],
)
def test_without_words_nothing_is_quoted(records: list[dict[str, Any]], rules: Any) -> None:
    assert told(analysed(*records, rules=rules)) is None


def test_a_secret_in_the_last_words_is_hidden(rules: Any) -> None:
    said = raw("cannot connect: postgres://shop:Tr0ub4dor@10.0.0.3/db refused", at=9.5)
    report = analysed(said, exited(), rules=rules)
    assert "Tr0ub4dor" not in first(report).headline + str(told(report))


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("  Local URL: http://localhost:8501", "port 8501, but is probed on port 8080"),
        ("  ➜  Local:   http://localhost:5173/", "port 5173, but is probed on port 8080"),
        ("Server started on port 3000", "port 3000, but is probed on port 8080"),
        ("Listening on http://127.0.0.1:8080", "127.0.0.1 only, but is probed on port 8080"),
        ("Listening on 0.0.0.0:8080", None),
        ("read 4096 rows at 10:15:8501", None),
    ],
)
def test_a_failed_probe_is_held_against_where_the_application_listens(line: str, where: str | None, rules: Any) -> None:
    report = analysed(raw(line, at=3.0, stream="stdout"), probed(), rules=rules)
    said = str(told(report))
    assert ("it says that it listens on" in said) is (where is not None)
    assert where is None or (where in said and where in first(report).headline)
