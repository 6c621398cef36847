"""No rule matches a request that the prefilter rules out: whatever the rules are, and whatever the request is."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, event, given, settings, strategies as st
from msgspec.structs import replace
from support.builders import leaf, query, raw, request, rule

from forensics.classify import Classifier, RequestPrefilter, is_screened
from forensics.entries import FastIndexReader, decode_record
from forensics.extract import FactsExtractor
from forensics.model import (
    AllOf,
    AnyOf,
    Condition,
    Leaf,
    Level,
    Lines,
    NoneOf,
    Rule,
    WhyRule,
)
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES, _ = load_rules()

Record = dict[str, Any]


def routine_level(record: Record, prefilter: RequestPrefilter) -> Level | None:
    """Index one line as of an export; return the level of a request that need not be decoded, else None."""
    line = json.dumps(record, ensure_ascii=False).encode()
    reader = FastIndexReader(None, prefilter)
    rows, _ = reader.read(Lines(data=line + b"\n", spans=[(0, len(line))]))
    batch = reader.batch("-")
    return batch.label_sets[batch.label_ids[0]].routine if rows else None


# --- requests ---

WORDS = (
    "orders",
    "memory",
    "Limit",
    "lost",
    "LOCK",
    "exit(3)",
    "größe",
    "K",
    "500",
    "200",
    "GET",
    "lo\u017ft",
    "loc\u212a",
    "..",
    "%20",
    "a b",
    "",
)
PATHS = st.lists(st.sampled_from(WORDS), max_size=4).map("/".join)
URLS = st.builds(
    lambda host, path, query: f"{host}{path}{query}",
    st.sampled_from(["https://shop.example/", "/", "", "http://x", "x"]),
    PATHS,
    st.sampled_from(["", "?lost=lock", "#lost"]),
)
STATUSES = st.sampled_from([200, 204, 301, 304, 404, 429, 499, 500, 503, 0, -1, 10**20]) | st.integers(0, 999)
SEVERITIES = st.sampled_from([None, "INFO", "DEFAULT", "NOTICE", "WARNING", "ERROR", "info", "odd", ""])
EXTRA: st.SearchStrategy[Record] = st.sampled_from(
    [
        {},
        {},
        {},
        {"trace": "lost lock"},
        {"textPayload": "lost lock"},
        {"jsonPayload": {"message": "lost"}},
        {"textPayload": None},
    ]
)


@st.composite
def requests(draw: st.DrawFn) -> Record:
    http = {
        "requestMethod": draw(st.sampled_from(["GET", "POST", "lost", ""])),
        "requestUrl": draw(URLS),
        "status": draw(STATUSES),
        "latency": draw(st.sampled_from(["0.1s", "30s", "300.000001s", "soon"])),
        "userAgent": "lost lock",
    }
    severity = draw(SEVERITIES)
    record = raw(at=1, stream=draw(st.sampled_from(["requests", "stderr"])), httpRequest=http)
    return record | ({} if severity is None else {"severity": severity}) | draw(EXTRA)


# --- rules ---

NEEDLES = ("lost", "lock", "LOST LOCK", "exit(", "größe", "GRÖSSE", "k", "memory", "orders", "200 GET", "500", "/", "")
TEXT_LEAVES = st.builds(
    Leaf,
    path=st.sampled_from(
        ["message", "message", "message", "httpRequest.requestUrl", "textPayload", "stream", "severity"]
    ),
    op=st.sampled_from(["contains", "word", "equals"]),
    value=st.sampled_from(NEEDLES),
    cased=st.booleans(),
)
PATTERNS = st.builds(
    Leaf,
    path=st.just("message"),
    op=st.just("regex"),
    value=st.sampled_from(
        [
            "lost|lock",
            r"^\d+ GET",
            "lo(st|ck)",
            r"memory.*Limit",
            r"(?P<what>orders)",
            r"\bk\b",
            ".",
            "größe|exit",
            "500$",
        ]
    ),
    cased=st.booleans(),
)
LISTS = st.builds(
    Leaf,
    path=st.sampled_from(["message", "stream"]),
    op=st.just("in"),
    value=st.lists(st.sampled_from(["lost", "requests", "200 GET /", "0 GET /"]), min_size=1, max_size=2).map(tuple),
)
COMPARED = st.sampled_from(
    [
        leaf("httpRequest.status", equals=404),
        leaf("httpRequest.status", equals="200"),
        leaf("httpRequest.status", at_least=500),
        leaf("httpRequest.status", at_most=99),
        leaf("httpRequest.status", is_in=(0, 204)),
        leaf("httpRequest.status", regex="^4"),
        leaf("httpRequest.status", exists=False),
        leaf("httpRequest.latency", at_least="30s"),
        leaf("level", at_least="WARNING"),
        leaf("level", at_least="ERROR"),
        leaf("level", at_most="INFO"),
        leaf("level", equals="INFO"),
        leaf("message", exists=True),
        leaf("message", equals=200),
        leaf("message", at_least=1),
        leaf("jsonPayload.message", contains="lost"),
        leaf("jsonPayload.message", exists=False),
        leaf("exception.type", exists=True),
        leaf("protoPayload.status.code", at_least=1),
        leaf("close.code", exists=True),
    ]
)
LEAVES = TEXT_LEAVES | PATTERNS | LISTS | COMPARED


def groups(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    kinds = st.sampled_from([AllOf, AllOf, AnyOf, NoneOf])
    return st.builds(lambda kind, conditions: kind(conditions=conditions), kinds, parts)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(LEAVES, groups, max_leaves=5)
# What a rule most often is: words, and something beside them; more of these can be judged.
NARROW = st.builds(lambda word, beside: AllOf(conditions=(word, beside)), PATTERNS | TEXT_LEAVES, CONDITIONS)
LEVELS = st.sampled_from([Level.INFO, Level.WARNING, Level.ERROR])


def no_rule_claims(record: Record, rules: Sequence[Rule], prefilter: RequestPrefilter) -> None:
    entry = decode_record(record)
    level = routine_level(record, prefilter)
    event("routine" if level is not None else "blind" if prefilter.is_blind else "notable")
    if level is None:
        return
    assert Classifier(rules).classify(entry).primary is None
    assert entry.level is level
    assert entry.level.rank < prefilter.level.rank
    facts = FactsExtractor(rules, prefilter.level).facts(entry)
    assert (facts.analysed, facts.is_line, facts.exits, facts.starts, facts.weight) == (False, False, False, False, 0)
    assert (facts.is_request, facts.has_payload) == (True, True)
    assert not facts.awaits
    assert not entry.exceptions
    assert entry.close is None


@pytest.mark.slow
@settings(max_examples=400)
@given(st.lists(requests(), min_size=1, max_size=4), st.lists(NARROW | CONDITIONS, max_size=3), LEVELS)
def test_what_is_passed_by_no_rule_claims(records: list[Record], conditions: list[Condition], level: Level) -> None:
    rules = [rule(f"rule-{number}", condition) for number, condition in enumerate(conditions)]
    prefilter = RequestPrefilter(rules, level)
    for record in records:
        no_rule_claims(record, rules, prefilter)


SHIPPED = RequestPrefilter(RULES, Level.ERROR)
SHIPPED_CLASSIFIER = Classifier(RULES)


@settings(max_examples=300)
@given(requests())
def test_what_is_passed_by_no_shipped_rule_claims(record: Record) -> None:
    if routine_level(record, SHIPPED) is not None:
        assert SHIPPED_CLASSIFIER.classify(decode_record(record)).primary is None


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(requests(), min_size=1, max_size=4), NARROW | CONDITIONS)
def test_what_is_passed_by_answers_no_covered_why(records: list[Record], asked: Condition) -> None:
    assume(is_screened(asked, Level.ERROR))
    nothing = leaf("exception.type", equals="Nothing")
    why = WhyRule(ask="", evidence_kind="entries", evidence={}, condition=asked)
    rules = [replace(rule("r", nothing), whys=(why,))]
    prefilter, classifier = RequestPrefilter(rules, Level.ERROR), Classifier(rules)
    for record in records:
        if routine_level(record, prefilter) is not None:
            assert not classifier.holds(asked, decode_record(record))


@settings(max_examples=100)
@given(st.lists(st.sampled_from(["200 GET /lost", "200 GET /", "200 GET /Lock/", "200 GET /größe", ""]), max_size=40))
def test_suspects_are_all_that_hold_a_word(messages: list[str]) -> None:
    prefilter = RequestPrefilter([rule("r", leaf("message", regex="lost|lock"))], Level.ERROR)
    wanted = [at for at, text in enumerate(messages) if "lost" in text.lower() or "lock" in text.lower()]
    assert prefilter.suspects(messages) == wanted


@pytest.mark.parametrize(
    "condition",
    [
        leaf("httpRequest.latency", at_least="30s"),
        leaf("httpRequest.requestUrl", contains="lost"),
        leaf("stream", equals="requests"),
        leaf("severity", equals="INFO"),
        leaf("level", at_most="INFO"),
        leaf("level", at_least="WARNING"),
        leaf("message", exists=True),
        leaf("message", at_least=1),
        leaf("textPayload", exists=False),
        leaf("labels.instanceId", contains="i"),
        NoneOf(conditions=(leaf("message", contains="lost"),)),
        AnyOf(conditions=(leaf("message", contains="lost"), leaf("stream", equals="requests"))),
    ],
    ids=lambda condition: getattr(condition, "path", type(condition).__name__),
)
def test_a_rule_that_anchors_on_something_else_makes_the_screen_blind(condition: Condition) -> None:
    prefilter = RequestPrefilter([*RULES, rule("r", condition)], Level.ERROR)
    assert prefilter.is_blind
    assert routine_level(request(200, at=1, latency=0.1), prefilter) is None


@pytest.mark.parametrize(
    "condition",
    [
        leaf("message", contains="lost"),
        leaf("httpRequest.status", at_least=400),
        leaf("level", at_least="ERROR"),
        leaf("exception.type", exists=True),
        leaf("jsonPayload.code", equals=1),
        AllOf(conditions=(leaf("stream", equals="requests"), leaf("message", word="lost"))),
    ],
    ids=lambda condition: getattr(condition, "path", type(condition).__name__),
)
def test_a_screen_sees_past_such_a_rule(condition: Condition) -> None:
    prefilter = RequestPrefilter([rule("r", condition)], Level.ERROR)
    assert not prefilter.is_blind
    routine = partial(routine_level, prefilter=prefilter)
    assert routine(request(200, at=1, latency=0.1)) is Level.INFO
    assert routine(request(200, at=1, latency=0.1, textPayload="lost")) is None
    assert routine(request(503, at=1, latency=0.1)) is None


def test_the_shipped_rules_leave_something_to_pass_by() -> None:
    assert not SHIPPED.is_blind
    assert routine_level(request(200, at=1, latency=0.1), SHIPPED) is Level.INFO
    assert query().level is SHIPPED.level
