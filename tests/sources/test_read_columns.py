"""Tables: CSV as the Logs Explorer and BigQuery write it, and what gcloud prints for `--format="label_sets(…)"`."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from forensics.errors import SourceError
from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.formats import delimited, gcloud_table as printed

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ["insertId", "labels.instanceId", "logName", "resource.labels.project_id", "textPayload", "timestamp"]
ROW = [
    "a1",
    "00da",
    "projects/shop/logs/run.googleapis.com%2Fstdout",
    "shop",
    "one\ntwo, three",
    "2026-03-01T10:00:00Z",
]
RECORD = {
    "insertId": "a1",
    "labels": {"instanceId": "00da"},
    "logName": ROW[2],
    "resource": {"labels": {"project_id": "shop"}},
    "textPayload": "one\ntwo, three",
    "timestamp": "2026-03-01T10:00:00Z",
}


def table(*rows: list[str], separator: str = ",", ends: str = "\n") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().replace("\n", ends)


def read(path: Path, content: str | bytes) -> tuple[list[dict[str, Any]], list[Unreadable]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(read_records([str(path)]))
    return [x.record for x in found if isinstance(x, RawEntry)], [x for x in found if isinstance(x, Unreadable)]


@pytest.mark.parametrize("separator", [",", "\t", ";"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_table_of_2024(separator: str, ends: str, encoding: str, tmp_path: Path) -> None:
    text = table(HEADER, ROW, separator=separator, ends=ends)
    assert read(tmp_path / "downloaded", text.encode(encoding)) == ([RECORD], [])
    assert read(tmp_path / "downloaded", (f"sep={separator}\r\n" + text).encode(encoding)) == ([RECORD], [])


def test_a_table_of_2025_has_apostrophes(tmp_path: Path) -> None:
    header = [
        "insertId",
        "'jsonPayload.@type",
        '\'labels."compute.googleapis.com/resource_id"',
        "logName",
        "textPayload",
    ]
    header += ["timestamp", "labels.run.googleapis.com/execution_name"]
    rows = [
        [
            "a1",
            "'type.googleapis.com/x-y",
            "77",
            "'projects/shop/logs/x%2Fy",
            "'a-b",
            "'2026-03-01T10:00:00Z",
            "'job-1",
        ],
        [
            "a2",
            "",
            "",
            "'projects/shop/logs/x%2Fy",
            "'coroutine' object has no attribute 'get'",
            "'2026-03-01T10:00:01Z",
        ],
        ["a3", "", "", "'projects/shop/logs/x%2Fy", "''a', b", "'2026-03-01T10:00:01Z", ""],
    ]
    rows[1].append("")
    entries, problems = read(tmp_path / "downloaded.csv", table(header, *rows))
    assert problems == []
    assert entries[0] == {
        "insertId": "a1",
        "jsonPayload": {"@type": "type.googleapis.com/x-y"},
        "labels": {"compute.googleapis.com/resource_id": "77", "run.googleapis.com/execution_name": "job-1"},
        "logName": "projects/shop/logs/x%2Fy",
        "textPayload": "a-b",
        "timestamp": "2026-03-01T10:00:00Z",
    }
    assert [e["textPayload"] for e in entries[1:]] == ["'coroutine' object has no attribute 'get'", "'a', b"]


def test_an_apostrophe_of_2024_belongs_to_the_text(tmp_path: Path) -> None:
    entries, _ = read(tmp_path / "log", table(HEADER, [*ROW[:4], "'a-b' is no name", ROW[5]]))
    assert entries[0]["textPayload"] == "'a-b' is no name"


def test_json_stays_text_unless_a_column_is_a_whole_object(tmp_path: Path) -> None:
    header = ["logName", "jsonPayload.items", "labels", "jsonPayload", "textPayload", "resource", "resource.labels"]
    row = ["x", '["a"]', '{"instanceId":"1"}', '{"message":"m","n":1}', '{"a":1}', '{"type":"t"}', '{"location":"l"}']
    (entry,), _ = read(tmp_path / "log", table(header, row))
    assert entry == {
        "logName": "x",
        "jsonPayload": {"message": "m", "n": 1, "items": '["a"]'},
        "labels": {"instanceId": "1"},
        "textPayload": '{"a":1}',
        "resource": {"type": "t", "labels": {"location": "l"}},
    }


def test_tables_of_bigquery_and_of_gcloud(tmp_path: Path) -> None:
    header = ["insert_id", "log_name", "http_request.status", "http_request.request_url", "json_payload", "timestamp"]
    row = ["a", "projects/shop/logs/x", "500", "https://shop.example/", '{"message":"m"}', "2026-03-01 10:00:00.5 UTC"]
    assert read(tmp_path / "bq.csv", table(header, row))[0] == [
        {
            "insertId": "a",
            "logName": "projects/shop/logs/x",
            "httpRequest": {"status": "500", "requestUrl": "https://shop.example/"},
            "jsonPayload": {"message": "m"},
            "timestamp": "2026-03-01T10:00:00.5Z",
        }
    ]
    text = "timestamp,severity,message,service_name,text_payload\n2026-03-01T10:00:00Z,ERROR,m,shop-api,\n"
    assert read(tmp_path / "gcloud.csv", text)[0] == [
        {
            "timestamp": "2026-03-01T10:00:00Z",
            "severity": "ERROR",
            "jsonPayload": {"message": "m"},
            "resource": {"labels": {"service_name": "shop-api"}},
        }
    ]
    assert read(tmp_path / "one.csv", "text_payload\nx\ny\n")[0] == [{"textPayload": "x"}, {"textPayload": "y"}]


@pytest.mark.parametrize(
    "header",
    [
        "a,b",
        "name,price,status,location",
        "timestamp,severity,message,host",
        "timestamp,insert_id,level,severity,stream,revision,instance,signature,cluster,occurrence,message",
        "id\tresource\tlabels",
        "",
    ],
)
def test_other_tables_are_no_logs(header: str, tmp_path: Path) -> None:
    (tmp_path / "table").write_text(f"{header}\n1,2\n" if header else "x\n")
    with pytest.raises(SourceError, match="is no log"):
        read(tmp_path / "table", (tmp_path / "table").read_bytes())


def test_a_row_with_other_cells_costs_itself_and_the_next_is_read(tmp_path: Path) -> None:
    short, never_closed = "a1,x\n", 'a1,00da,x,shop,"never closed,2026-03-01T10:00:00Z\n'
    good = table(ROW)
    entries, problems = read(tmp_path / "log", table(HEADER) + short + good + never_closed + good * 3 + "\n" + good[:9])
    assert entries == [RECORD] * 4
    assert [p.place.record for p in problems] == [2, 5, 13]
    assert "2 cells under 6 columns" in problems[0].reason
    many, problems = read(tmp_path / "log", table(HEADER, [*ROW, "", ""], ["x"] * 7))
    assert (many, len(problems)) == ([RECORD], 1)


def test_places_are_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(table(HEADER, ROW, ROW))
    assert [x.place.record for x in read_records([str(tmp_path / "log")])] == [2, 4]


def test_a_long_cell_is_read_and_one_without_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = [*ROW[:4], "x" * 300_000, ROW[5]]
    assert read(tmp_path / "log", table(HEADER, long, ROW))[0][0]["textPayload"] == "x" * 300_000
    monkeypatch.setattr(delimited, "_LONGEST", 1000)
    folded = [*ROW[:4], "x y\n" * 400, ROW[5]]
    for row in (long, folded):
        entries, problems = read(tmp_path / "log", table(HEADER, row) + table(ROW) * 2)
        assert entries[-1] == RECORD
        assert "longer than" in problems[0].reason


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=20)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=5), separator=st.sampled_from(",\t;"))
def test_any_cells_come_back(rows: list[tuple[str, str]], separator: str, tmp_path: Path) -> None:
    cells = [["p/x", text, message] for text, message in rows]
    content = table(["logName", "textPayload", "jsonPayload.message"], *cells, separator=separator)
    expected: list[dict[str, Any]] = []
    for text, message in rows:
        record: dict[str, Any] = {"logName": "p/x"}
        if text:
            record["textPayload"] = text
        if message:
            record["jsonPayload"] = {"message": message}
        expected.append(record)
    assert read(tmp_path / "log", content) == (expected, [])


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet='",;\n\r\t\0ab', max_size=80))
def test_no_text_breaks_it(text: str, tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "log", "logName,textPayload\n" + text + "\nx,y\n")
    assert entries or problems


# ── gcloud's table ───────────────────────────────────────────────────────────────────────────────────────────────────

PRINTED = """\
PS C:\\shop> gcloud logging read "severity>=ERROR" --limit=5 --format="table(timestamp,severity,textPayload)"
TIMESTAMP                    SEVERITY  TEXT_PAYLOAD
2026-03-01T10:00:02.000001Z            [2026-03-01 10:00:02 +0000] [1] [INFO] Booting worker with pid: 2
2026-03-01T10:00:01.500000Z  ERROR     Traceback (most recent call last):
                                         File "/app/main.py", line 3, in <module>
                                           start()

                                       ValueError: no
2026-03-01T10:00:01.400000Z  NOTICE
2026-03-01T10:00:01.300000Z  ERROR         sys.exit(1)
2026-03-01T10:00:01.200000Z  ERROR     Default STARTUP TCP probe failed 1 time consecutively for container "shop-1".
Connection failed with status CANCELLED.
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_what_gcloud_prints(ends: str, tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "logs.txt", PRINTED.replace("\n", ends))
    assert problems == []
    assert [e.get("severity") for e in entries] == [None, "ERROR", "NOTICE", "ERROR", "ERROR"]
    assert entries[0] == {
        "timestamp": "2026-03-01T10:00:02.000001Z",
        "textPayload": "[2026-03-01 10:00:02 +0000] [1] [INFO] Booting worker with pid: 2",
    }
    assert entries[1]["textPayload"] == (
        'Traceback (most recent call last):\n  File "/app/main.py", line 3, in <module>\n    start()\n\nValueError: no'
    )
    assert "textPayload" not in entries[2]
    assert entries[3]["textPayload"] == "    sys.exit(1)"
    assert entries[4]["textPayload"].endswith('"shop-1".\nConnection failed with status CANCELLED.')


def test_other_columns_a_second_table_and_no_time(tmp_path: Path) -> None:
    text = (
        "TIMESTAMP             SEVERITY  STATUS  SERVICE_NAME  MESSAGE        ORDER_ID\n"
        "2026-03-01T10:00:00Z  ERROR     500     shop-api      it broke       77\n"
        "TIMESTAMP                  TEXT_PAYLOAD  MESSAGE\n"
        "2026-03-01T10:00:00.1234Z  a text\n"
        "2026-03-01T10:00:00.1234Z                a message\n"
    )
    assert read(tmp_path / "log", text)[0] == [
        {
            "timestamp": "2026-03-01T10:00:00Z",
            "severity": "ERROR",
            "httpRequest": {"status": "500"},
            "resource": {"labels": {"service_name": "shop-api"}},
            "jsonPayload": {"message": "it broke", "order_id": "77"},
        },
        {"timestamp": "2026-03-01T10:00:00.1234Z", "textPayload": "a text"},
        {"timestamp": "2026-03-01T10:00:00.1234Z", "jsonPayload": {"message": "a message"}},
    ]
    assert read(tmp_path / "log", "SEVERITY  TEXT_PAYLOAD\n          x: y\nINFO      Container called exit(0).\n")[
        0
    ] == [
        {"textPayload": "x: y"},
        {"severity": "INFO", "textPayload": "Container called exit(0)."},
    ]


def test_wide_characters_do_not_shift_the_text(tmp_path: Path) -> None:
    text = "TIMESTAMP             SERVICE_NAME  TEXT_PAYLOAD\n2026-03-01T10:00:00Z  店店店店店店  broken for good\n"
    assert read(tmp_path / "log", text)[0][0]["textPayload"] == "broken for good"


def test_other_printed_tables_are_no_logs(tmp_path: Path) -> None:
    text = "NAME             LOCATION     STATUS   CURRENT_NODE_COUNT\nshop             us-central1  RUNNING  3\n"
    with pytest.raises(SourceError, match="is no log"):
        read(tmp_path / "clusters.txt", text)


def test_lines_that_are_no_rows_are_told_and_a_row_without_end_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "TIMESTAMP             SEVERITY  TEXT_PAYLOAD\n"
    row = "2026-03-01T10:00:00Z  ERROR     x\n"
    entries, problems = read(tmp_path / "log", head + "--------\n10:00  ERROR  what\n" + row)
    assert (len(entries), [p.place.record for p in problems]) == (1, [3])
    monkeypatch.setattr(printed, "_LONGEST", 1000)
    entries, (problem,) = read(tmp_path / "log", head + row + "and more\n" * 1000 + row)[0:2]
    assert (len(entries), problem.place.record, "longer than" in problem.reason) == (1, 2, True)
