"""Values of capabilities are quoted from the settings and never computed; counts only decide their state."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace
from support.comparisons import runs
from support.cycles import report

from forensics.cli.settings import Settings
from forensics.comparison import compare, side_of
from forensics.model import Capability, CapabilityImpact, CapabilityState, Report
from forensics.report.impact import impact, unknown_patterns


def chat(*when: str) -> dict[str, Capability]:
    return {"chat": Capability(value="120K MRR", when=when, assumption="all customers chat")}


def judged(found: Report, *when: str) -> CapabilityImpact:
    told = impact(found, chat(*when))
    assert told is not None
    (one,) = told.capabilities
    return one


def against(before: Report, after: Report) -> Report:
    return replace(after, comparison=compare(side_of(before), side_of(after)))


def test_without_settings_nothing_is_said() -> None:
    assert impact(report(1, {"oom": 3}), {}) is None


def test_what_is_seen_puts_it_at_risk_in_the_words_of_the_settings() -> None:
    one = judged(report(1, {"oom": 3}), "oo*")
    assert (one.state, one.value, one.assumption) == (CapabilityState.AT_RISK, "120K MRR", "all customers chat")
    assert one.reasons == ("oom: seen 3 times (unit: request)",)


def test_what_is_gone_is_no_longer_seen() -> None:
    assert judged(against(report(1, {"oom": 30}), report(2, {})), "oom").state is CapabilityState.NO_LONGER_SEEN


def test_too_little_traffic_to_say() -> None:
    one = judged(against(report(1, {"oom": 30}), report(2, {}, 50)), "oom")
    assert one.state is CapabilityState.NOT_ENOUGH_TRAFFIC
    assert "not enough traffic" in one.reasons[0]


def test_what_never_was_there_is_not_called_cured() -> None:
    assert judged(report(1, {"close": 3}), "oom").state is CapabilityState.NOT_SEEN


def test_the_worst_reason_decides() -> None:
    found = against(report(1, {"oom": 30}), report(2, {"close": 1}))
    one = judged(found, "oom", "close")
    assert one.state is CapabilityState.AT_RISK
    assert [reason.partition(":")[0] for reason in one.reasons] == ["close", "oom"]


def test_a_service_is_at_risk_by_any_failure_of_it() -> None:
    found = report(1, {"oom": 3})
    assert judged(found, "service:sh*").state is CapabilityState.AT_RISK
    assert judged(found, "service:till").state is CapabilityState.NOT_SEEN


def test_modules_of_tests_take_a_capability_away() -> None:
    failing = replace(report(1, {}), tests=runs({"test_chat": (1, 9), "test_till": (3, 0)}))
    passing = replace(report(2, {}), tests=runs({"test_chat": (10, 0), "test_till": (3, 0)}))
    few = replace(report(2, {}), tests=runs({"test_chat": (1, 0)}))
    assert judged(failing, "tests:test_chat").state is CapabilityState.AT_RISK
    assert judged(failing, "tests:test_till").state is CapabilityState.NOT_SEEN
    assert judged(against(failing, passing), "tests:test_chat").state is CapabilityState.NO_LONGER_SEEN
    assert judged(against(failing, few), "tests:test_chat").state is CapabilityState.NOT_ENOUGH_TRAFFIC


def test_a_slip_in_a_pattern_is_found() -> None:
    assert unknown_patterns(chat("oom", "oon", "tests:any", "service:any"), ["oom"]) == [("chat", "oon")]


@pytest.mark.parametrize("missing", ["value", "when", "assumption"])
def test_a_value_without_its_assumption_is_no_setting(missing: str) -> None:
    table = {"value": "120K MRR", "when": ["oom"], "assumption": "all chat"}
    msgspec.convert({"impact": {"chat": table}}, Settings)
    del table[missing]
    with pytest.raises(msgspec.ValidationError, match=missing):
        msgspec.convert({"impact": {"chat": table}}, Settings)
