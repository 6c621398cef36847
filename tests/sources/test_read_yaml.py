"""YAML as gcloud writes it gives the entries that its JSON gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings, strategies as st

from forensics.model import RawEntry, Unreadable
from forensics.sources import read_records
from forensics.sources.formats import yaml_documents
from forensics.sources.values.yaml_values import NotYamlError, decode_yaml

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = """\
---
httpRequest:
  latency: 0.961745030s
  requestSize: '1211'
  requestUrl: https://shop.example/api/orders
  status: 500
  userAgent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML,
    like Gecko) Chrome/145.0.0.0 Safari/537.36
insertId: 69b1e5f0000a4893e61c0988
labels:
  instanceId: 00da6cd2
logName: projects/shop/logs/run.googleapis.com%2Frequests
receiveTimestamp: '2026-03-01T10:00:01.754929607Z'
resource:
  labels:
    location: us-central1
  type: cloud_run_revision
severity: ERROR
spanId: 52d0a59b764818f6
timestamp: 2026-03-01T10:00:00.710502Z
traceSampled: true
"""
TEXT = """\
---
errorGroups:
- id: CN2x
insertId: 69b1e5f0000a4893e61c0989
logName: projects/shop/logs/run.googleapis.com%2Fstderr
textPayload: |-
  Traceback (most recent call last):
    File "/app/main.py", line 3, in <module>

  --- not the end of the document
  ValueError: no
timestamp: '2026-03-01T10:00:00.710503Z'
"""


def read(path: Path, content: str | bytes) -> tuple[list[dict[str, Any]], list[Unreadable]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = list(read_records([str(path)]))
    return [x.record for x in found if isinstance(x, RawEntry)], [x for x in found if isinstance(x, Unreadable)]


def test_documents_as_gcloud_writes_them(tmp_path: Path) -> None:
    (request, text), problems = read(tmp_path / "logs.txt", REQUEST + TEXT)
    assert problems == []
    assert request["timestamp"] == "2026-03-01T10:00:00.710502Z"
    assert request["httpRequest"]["status"] == 500
    assert request["httpRequest"]["requestSize"] == "1211"
    assert request["httpRequest"]["userAgent"].endswith("(KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36")
    assert request["traceSampled"] is True
    assert request["spanId"] == "52d0a59b764818f6"
    assert text["errorGroups"] == [{"id": "CN2x"}]
    assert text["textPayload"].splitlines()[1:4] == [
        '  File "/app/main.py", line 3, in <module>',
        "",
        "--- not the end of the document",
    ]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        *((word, word) for word in ("no", "Yes", "on", "OFF", "y", "12:30", "12:30:45.5", "0o17", "017", "0x1F")),
        *((word, word) for word in ("1_000", "=", "<<", "2026-03-01", "2026-03-01 10:00:00", ".5", "+5", "5.", "0b1")),
        *((word, word) for word in (".inf", ".nan", "1e5", "52e10", "True", "FALSE", "Null", "NULL", "!!int '5'")),
        ("500", 500),
        ("-3", -3),
        ("0", 0),
        ("9007199254740993", 2**53 + 1),
        ("1.5", 1.5),
        ("1.0e+20", 1e20),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'500'", "500"),
        ('"true"', "true"),
        ("!!str 500", "500"),
        ("!!timestamp 2026-03-01", "2026-03-01"),
        ("!!binary aGk=", "aGk="),
    ],
)
def test_words_are_what_json_would_know(word: str, value: object) -> None:
    assert decode_yaml(f"a: {word}") == [{"a": "5" if word.startswith("!!int") else value}]
    assert decode_yaml("on: 1\n2: 2\n2026-03-01: 3") == [{"on": 1, "2": 2, "2026-03-01": 3}]


def test_a_licence_may_precede_and_a_list_is_read_item_by_item(tmp_path: Path) -> None:
    items = "# Copyright 2024\n#\n# Licensed\n\n- insertId: a\n  textPayload: x\n- textPayload: y\n  insertId: b\n"
    assert read(tmp_path / "log", items) == (
        [{"insertId": "a", "textPayload": "x"}, {"insertId": "b", "textPayload": "y"}],
        [],
    )
    assert [e["insertId"] for e in read(tmp_path / "log", "# Copyright\n\n" + REQUEST[4:])[0]] == [
        "69b1e5f0000a4893e61c0988"
    ]
    assert read(tmp_path / "log", "entries:\n- insertId: a\n  textPayload: x\n")[0] == [
        {"insertId": "a", "textPayload": "x"}
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_line_ends(encoding: str, tmp_path: Path) -> None:
    plain = read(tmp_path / "log", REQUEST + TEXT)
    assert read(tmp_path / "log", (REQUEST + TEXT).replace("\n", "\r\n").encode(encoding)) == plain


def test_a_broken_document_costs_itself_and_names_its_line(tmp_path: Path) -> None:
    broken = "---\ninsertId: b\ntextPayload: 'never closed\n"
    entries, (problem,) = read(tmp_path / "log", REQUEST + broken + TEXT)
    assert [e["insertId"][-4:] for e in entries] == ["0988", "0989"]
    assert problem.place.record == REQUEST.count("\n") + 2
    assert "no YAML" in problem.reason


def test_a_broken_item_costs_itself(tmp_path: Path) -> None:
    entries, (problem,) = read(tmp_path / "log", "- textPayload: [x\n- textPayload: y\n")
    assert ([e["textPayload"] for e in entries], problem.place.record) == (["y"], 1)


def test_a_document_that_is_too_long_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_documents, "_LONGEST", 5000)
    long = "---\ntextPayload: |\n" + "  line\n" * 1000
    line = "---\ninsertId: a\ntextPayload: " + "x" * 6000 + "\n"
    entries, problems = read(tmp_path / "log", REQUEST + long + TEXT + line + REQUEST)
    assert len(entries) == 3
    assert ["longer than" in problem.reason for problem in problems] == [True, True]


def test_places_are_lines(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(REQUEST + TEXT)
    assert [x.place.record for x in read_records([str(tmp_path / "log")])] == [2, REQUEST.count("\n") + 2]


def test_bytes_that_yaml_forbids_become_marks(tmp_path: Path) -> None:
    entries, problems = read(tmp_path / "log", "---\ninsertId: a\ntextPayload: red \x1b[31m and \0 done\n")
    assert (problems, len(entries)) == ([], 1)
    assert entries[0]["textPayload"].startswith("red �[31m")


def test_aliases_are_read_and_bombs_are_not() -> None:
    assert decode_yaml("a: &x [1, 2]\nb: *x") == [{"a": [1, 2], "b": [1, 2]}]
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    with pytest.raises(NotYamlError, match="more than 1,000,000 values"):
        decode_yaml(bomb)
    for text in ("a: &x [*x]", "a: *nothing", "[a]: b", "[" * 200 + "]" * 200, "[" * 100_000):
        with pytest.raises(NotYamlError):
            decode_yaml(text)


@pytest.mark.parametrize(
    "text",
    [
        "name: shop\nservices:\n  api:\n    timestamp: x\n    resource: y\n",
        "timestamp: 2026-03-01\nseverity: 1\ntitle: down\n",
        "apiVersion: serving.knative.dev/v1\nkind: Service\n",
        "A note: all is well\n",
    ],
)
def test_other_yaml_is_no_log(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(text)
    (tmp_path / "log.yaml").write_text(REQUEST)
    assert [type(x) for x in read_records([str(tmp_path)])] == [RawEntry]


# Half of a surrogate pair cannot be written, and a writer leaves raw what YAML takes for a line end.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS, max_size=40)
    | st.sampled_from(["no", "1e5", "12:30", "2026-03-01T10:00:00Z", "=", "0o17", "---", "- x", "|-", "# x", "a: b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=3), st.booleans(), st.booleans())
def test_what_a_writer_of_yaml_writes_is_read_as_json_would_be(values: list[Any], wide: bool, raw: bool) -> None:  # noqa: FBT001
    text = yaml.safe_dump_all(values, width=10_000 if wide else 60, allow_unicode=raw)
    assert decode_yaml(text) == json.loads(json.dumps(values))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="-: \n\t|>'\"[]{}&*!%@#,?ab1", max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    try:
        decode_yaml(text)
    except NotYamlError as error:
        assert error.line >= 0  # noqa: PT017  (both outcomes are right)
