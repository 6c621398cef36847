"""Tables for notebooks and for other programs."""

from __future__ import annotations

import csv
import io
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from support.builders import query, raw, raws, request
from support.program import run

from forensics.errors import UsageError
from forensics.model import CLUSTER_COLUMNS, Change, Report, RulebookInfo
from forensics.pipeline import analyze
from forensics.rendering import encode_tables

if TYPE_CHECKING:
    from pathlib import Path

INFO = RulebookInfo(count=0, folders=(), overridden=())
HOSTILE = "<script>alert(1)</script>"
FORMULA = "=cmd in a cell"
HAS_PYARROW = find_spec("pyarrow") is not None


def reports() -> tuple[Report, Report]:
    """The report of a revision, and that of the next one against it; errors in hostile words."""
    before = raws(*(request(200, at=n, latency=0.1) for n in range(9)))
    after = raws(
        *(request(200, at=n, latency=0.1) for n in range(9)),
        raw(f"ValueError: {HOSTILE}", at=10, severity="ERROR"),
        raw(FORMULA, at=20, severity="ERROR"),
    )
    first = analyze(before, [], query(), rulebook=INFO, tool_version="t").report
    return first, analyze(after, [], query(), rulebook=INFO, tool_version="t", baselines=(first,)).report


def table(report: Report, kind: str, name: str) -> bytes:
    return dict(encode_tables(report, kind))[name]


def test_frames_have_a_row_for_each_cluster_and_each_change() -> None:
    first, second = reports()
    clusters = second.to_frame()
    assert list(clusters.columns) == [*CLUSTER_COLUMNS, "incident", "verdict"]
    assert sorted(clusters["id"]) == sorted(c.id for c in second.clusters)
    assert clusters["occurrences"].sum() == 2
    assert second.comparison is not None
    changes = second.comparison.to_frame()
    assert list(changes.columns) == list(Change.__struct_fields__)
    assert list(changes["after"]) == [1, 1]
    assert list(changes["clusters"]) == [c.clusters[0] for c in second.comparison.changes]
    assert first.to_frame().empty
    assert list(first.to_frame().columns) == list(clusters.columns)


def test_what_a_log_says_is_no_markup_in_a_notebook() -> None:
    _, second = reports()
    assert second.comparison is not None
    for html in (second._repr_html_(), second.comparison._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert html.count("<tr>") == 3
    name = replace(second.revision, name=HOSTILE)
    assert "<script" not in replace(second, revision=name)._repr_html_()


def test_csv_holds_the_same_and_no_formula() -> None:
    first, second = reports()
    rows = list(csv.DictReader(io.StringIO(table(second, "csv", "clusters.csv").decode())))
    assert [row["id"] for row in rows] == [c.id for c in second.clusters]
    assert any(row["title"].startswith("'=") for row in rows)
    assert all(not str(value).startswith("=") for row in rows for value in row.values())
    assert b"state" in table(second, "csv", "comparison.csv").splitlines()[0]
    assert [name for name, _ in encode_tables(first, "csv")] == ["clusters.csv"]


@pytest.mark.skipif(HAS_PYARROW, reason="pyarrow is installed")
def test_without_pyarrow_parquet_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match=r"pip install 'forensics\[parquet\]'"):
        list(encode_tables(reports()[1], "parquet"))


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow is not installed")
def test_parquet_holds_the_same() -> None:
    import pandas as pd  # noqa: PLC0415 - slow to import

    second = reports()[1]
    read = pd.read_parquet(io.BytesIO(table(second, "parquet", "clusters.parquet")))
    assert list(read["id"]) == [c.id for c in second.clusters]
    assert list(read.columns) == list(second.to_frame().columns)


@pytest.mark.slow
def test_the_command_writes_the_tables_that_are_asked_for(tmp_path: Path) -> None:
    run("compare", "00179", "00180", "--out", str(tmp_path), "--format", "csv", check=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["clusters.csv", "comparison.csv"]
    with (tmp_path / "comparison.csv").open(newline="") as file:
        states = {row["signature"]: row["state"] for row in csv.DictReader(file)}
    assert (states["factory-validation"], states["websocket-1011-serialization"]) == ("new", "better")
