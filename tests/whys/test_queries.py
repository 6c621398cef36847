"""Queries of Cloud Logging that find a cluster's entries again; hostile words stay words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given, strategies as st
from support.builders import query, raw, raws, request

from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.text.phrases import fixed_parts, holds_any, phrase, phrases_of
from forensics.whys.queries import cluster_query, quoted

if TYPE_CHECKING:
    from forensics.model import Cluster

RULES, INFO = load_rules()
STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def clusters(*records: dict[str, object]) -> tuple[Cluster, ...]:
    return analyze(raws(*records), RULES, query(), rulebook=INFO, tool_version="test").report.clusters


def test_words_severity_and_service() -> None:
    (found,) = clusters(*(raw(f"shard map is torn at {n}", at=n * 5, severity="ERROR") for n in range(3)))
    assert cluster_query(found, "shop-api").split("\n") == [
        'resource.labels.service_name="shop-api"',
        "severity>=ERROR",
        '"shard map is torn at"',
    ]


def test_without_a_service_the_revision_is_asked_for() -> None:
    (found,) = clusters(raw("shard map is torn", severity="ERROR"))
    assert cluster_query(found, None).startswith('resource.labels.revision_name="shop-api-00042-abc"\n')


def test_entries_without_severity_are_not_asked_for_by_severity() -> None:
    (found,) = clusters(raw("ERROR shard map is torn"), raw("ERROR shard map is torn", at=9, severity="ERROR"))
    assert found.entries_by_severity == {"(none)": 1, "ERROR": 1}
    assert "severity" not in cluster_query(found, "shop-api")


def test_requests_are_asked_for_by_status() -> None:
    found = clusters(*(request(500, at=n, latency=0.1) for n in range(3)))
    assert "httpRequest.status=(500)" in cluster_query(found[0], "shop-api")


def test_every_cited_entry_holds_a_phrase() -> None:
    for found in clusters(
        *(raw(f"ValueError: order {n} has no lines", at=n * 5, severity="ERROR") for n in range(4)),
        *(raw(f"shard map of zone-{n} is torn", at=n * 7, severity="ERROR") for n in range(4)),
    ):
        phrases = phrases_of(found)
        assert phrases
        assert all(holds_any(exemplar.message, phrases) for exemplar in found.exemplars)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("order 4711 has no lines", ("order", "has no lines")),
        ("token [redacted:token] refused", ("token", "refused")),
        ("could not reach https://evil.example/x today", ("could not reach", "today")),
        ("one\ntwo", ("one",)),
        ("4711", ()),
        ("", ()),
    ],
)
def test_fixed_parts(text: str, parts: tuple[str, ...]) -> None:
    assert fixed_parts(text) == parts


def test_a_phrase_says_enough_or_is_none() -> None:
    assert phrase("at 12 on 13 of 14") == ""
    assert phrase("at 12 shard map is torn") == "shard map is torn"


@given(st.text())
def test_nothing_ends_the_string_early(text: str) -> None:
    made = quoted(text)
    assert STRING.fullmatch(made)
    assert "\n" not in made


@pytest.mark.slow
@given(st.text(max_size=60), st.text(max_size=60))
def test_a_query_of_hostile_words_has_the_lines_that_it_should(message: str, service: str) -> None:
    (found,) = clusters(raw("shard map is torn", severity="ERROR"))
    hostile = msgspec.structs.replace(
        found, exemplars=tuple(msgspec.structs.replace(x, message=message) for x in found.exemplars)
    )
    lines = cluster_query(hostile, service or "s").split("\n")
    assert len(lines) <= 3
    for line in lines:
        assert STRING.sub("", line) in {"resource.labels.service_name=", "severity>=ERROR", "", "(  OR  )", "( OR )"}
