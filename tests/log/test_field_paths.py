"""Paths of fields, read from entries of any shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st
from support.builders import bare

from forensics.log.field_paths import DERIVED_FIELDS, ROOTS, field_fault, field_reader, read_field
from forensics.model import Close, ExceptionInfo, Frame, HttpRequest, Nanoseconds

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
RAW = {
    "severity": "ERROR",
    "jsonPayload": {"a": {"b": [1, "two", {"c": 3}], "b.c": "dotted"}, "none": None, "empty": ""},
    "httpRequest": {"status": 503.0, "latency": "0.5s", "cacheHit": False},
    "resource": {"type": "cloud_run_job", "labels": {"job_name": "nightly", "x.y/z": "resource"}},
    "labels": {"run.googleapis.com/task_index": "4", "plain": "p"},
    "errorGroups": [{"id": "first"}, {"id": "second"}, "odd"],
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("severity", ("ERROR",)),
        ("httpRequest.status", ("503",)),
        ("httpRequest.cacheHit", ("false",)),
        ("resource.labels.job_name", ("nightly",)),
        ("resource.labels.x.y/z", ("resource",)),
        ("labels.run.googleapis.com/task_index", ("4",)),
        ('labels."run.googleapis.com/task_index"', ("4",)),
        ("labels.plain", ("p",)),
        ("jsonPayload.a.b", ("1", "two")),
        ("jsonPayload.a.b.c", ("dotted",)),
        ('jsonPayload.a."b.c"', ("dotted",)),
        ("jsonPayload.empty", ("",)),
        ("jsonPayload.none", ()),
        ("jsonPayload.a.missing", ()),
        ("errorGroups.id", ("first", "second")),
        ("textPayload", ()),
        ("protoPayload.status.code", ()),
    ],
)
def test_a_path_reads_the_record(path: str, values: tuple[str, ...]) -> None:
    assert field_fault(path) is None
    assert read_field(bare(raw=RAW), path) == values


def test_an_object_is_there_and_has_no_text() -> None:
    assert field_reader("jsonPayload.a")(bare(raw=RAW)) == (None,)
    assert read_field(bare(raw=RAW), "jsonPayload.a") == ()


def test_derived_fields_read_the_entry() -> None:
    frame = Frame(file="/app/a.py", line=1, function="run", in_app=True)
    full = bare(
        "it broke",
        exceptions=(
            ExceptionInfo(type="ValueError", value="bad", frames=(frame,)),
            ExceptionInfo(type="ShopError", value="worse"),
        ),
        close=Close(code=1011, reason="Internal error"),
        http=HttpRequest(method="GET", url="", path="/a", status=504, latency=Nanoseconds(59_000_000_001)),
    )
    found = {path: read_field(full, path) for path in DERIVED_FIELDS}
    assert found == {
        "message": ("it broke",),
        "level": ("ERROR",),
        "stream": ("stderr",),
        "exception.type": ("ValueError", "ShopError"),
        "exception.value": ("bad", "worse"),
        "frame.file": ("/app/a.py",),
        "frame.function": ("run",),
        "close.code": ("1011",),
        "close.reason": ("Internal error",),
        "http.path": ("/a",),
        "http.latency": ("59.000000001s",),
    }


def test_derived_fields_that_decoding_did_not_find_are_missing() -> None:
    assert {path for path in DERIVED_FIELDS if read_field(bare(stream=""), path)} == {"level"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "is no path of a field"),
        ("labels.", "is no path of a field"),
        ('labels."x', "is no path of a field"),
        ("mesage", "unknown field 'mesage'"),
        ("exception.name", "unknown field"),
        ("severity.x", "severity has no 'x'"),
        ("httpRequest.code", "httpRequest has no 'code'"),
        ("resource.name", "resource has no 'name'"),
    ],
)
def test_a_path_that_nothing_can_have_is_a_fault(path: str, words: str) -> None:
    assert words in str(field_fault(path))


@given(st.dictionaries(st.sampled_from(sorted(ROOTS)), JSON), st.sampled_from(["", ".a", ".a.b", ".labels.x.y"]))
def test_values_of_any_type_at_any_place_are_read(raw: dict[str, Any], rest: str) -> None:
    for root in ROOTS:
        assert all(isinstance(value, str | None) for value in field_reader(root + rest)(bare(raw=raw)))


def test_numbers_too_long_to_print_have_no_text() -> None:
    assert field_reader("jsonPayload.n")(bare(raw={"jsonPayload": {"n": 10**5000}})) == (None,)
    assert field_reader("jsonPayload.n")(bare(raw={"jsonPayload": {"n": float("inf")}})) == ("inf",)
