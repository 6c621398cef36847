"""Which cause owns a symptom, and in which order chains stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders import query, raw, raws, request, rule, table

from forensics.clusters import find_lives, group
from forensics.links import link, parents
from forensics.model import Explains, Leaf, LeafOp, Nanoseconds, Role, RulebookInfo
from forensics.pipeline import analyze

if TYPE_CHECKING:
    from forensics.model import Link, Rule

SECOND = 1_000_000_000


def says(text: str) -> Leaf:
    return Leaf(path="message", op=LeafOp.CONTAINS, value=text)


def explains(*names: str, within: float = 60) -> tuple[Explains, ...]:
    return tuple(Explains(signature=name, within=Nanoseconds(round(within * SECOND))) for name in names)


BROKEN = Leaf(path="httpRequest.status", op=LeafOp.AT_LEAST, value=500)
CHAIN = (
    rule("module", says("no module"), explains=explains("startup", "exit", "failed")),
    rule("startup", says("start-up failed"), Role.MECHANISM, explains=explains("exit", "failed")),
    rule("exit", says("called exit"), Role.SYMPTOM, explains=explains("failed")),
    rule("failed", BROKEN, Role.SYMPTOM),
)


def owners(*records: dict[str, object], rules: tuple[Rule, ...]) -> tuple[dict[str, str], tuple[Link, ...]]:
    """Symptom → the cause that owns it, by signature."""
    entries = table(*records, rules=rules)
    lives = find_lives(entries)
    clusters, members = group(entries, {r.id: r for r in rules}, lives)
    links = link(clusters, members, {r.id: r for r in rules}, entries, lives)
    name = {c.id: c.signature or c.title for c in clusters}
    return {name[s]: name[x.cause] for s, x in parents(clusters, links).items()}, links


def error(text: str, at: float, number: int = 0, **fields: str) -> dict[str, object]:
    return raw(text, at=at, severity="ERROR", number=number, **fields)


def test_a_chain_hangs_in_order_of_time() -> None:
    records = []
    for number in range(12):
        at = number * 7.0
        records += [
            raw("Starting new instance.", at=at, stream="system", number=number),
            error("no module", at + 5.0, number),
            error("start-up failed", at + 5.4, number),
            raw("Container called exit(3).", at=at + 5.5, stream="system", severity="WARNING", number=number),
            request(503, at=at + 3.5, latency=2.1, number=number),
        ]
    found, _ = owners(*records, rules=CHAIN)
    assert found == {"failed": "exit", "exit": "startup", "startup": "module"}


def uneven(number: int) -> float:
    """Seconds of an event that keeps no time: by the clock alone nothing owns anything."""
    return number * 23.0 + number * number * 7.3 % 11


def test_of_a_circle_the_first_in_time_is_the_root() -> None:
    rules = (
        rule("a", says("first"), explains=explains("b", within=8)),
        rule("b", says("second"), explains=explains("c", within=8)),
        rule("c", says("third"), explains=explains("a", within=8)),
    )
    records = []
    for number in range(5):
        at = uneven(number)
        records += [error("first", at, number), error("second", at + 1, number), error("third", at + 2, number)]
    found, _ = owners(*records, rules=rules)
    assert found == {"b": "a", "c": "b"}


def test_of_two_that_explain_each_other_the_nearer_before_owns_the_other() -> None:
    rules = (rule("a", says("first"), explains=explains("b")), rule("b", says("second"), explains=explains("a")))
    records = [error("second", -9.0, 99)]
    for number in range(12):
        records += [error("first", uneven(number), number), error("second", uneven(number) + 1, number)]
    found, _ = owners(*records, rules=rules)
    assert found == {"b": "a"}


def noisy(kind: str) -> list[dict[str, object]]:
    """An hour of requests: one in ten fails and logs the cause, one in two logs an unrelated error."""
    records = [raw("begins", at=0.0), raw("goes on", at=3600.0)]
    for number in range(150):
        at = number * 23.7
        bad = number % 10 == 0
        records.append(request(500 if bad else 200, at=at, latency=0.05, number=number))
        records.append(error(f"{kind}", at + 0.03, number + 1000))
        if bad:
            records.append(error("database gone", at + 0.04, number + 2000))
    return records


def test_loud_noise_owns_nothing_though_it_stands_before_every_failure() -> None:
    rules = (
        rule("gone", says("database gone"), explains=explains("failed", within=5)),
        rule("failed", BROKEN, Role.SYMPTOM),
    )
    found, links = owners(*noisy("cache is cold"), rules=rules)
    assert found["failed"] == "gone"
    notable = [x for x in links if not x.declared]
    assert [(x.coverage, x.p_value) for x in notable] == [(1.0, 1.0)]
    assert links.index(notable[0]) == len(links) - 1


def test_declared_noise_owns_nothing_even_alone() -> None:
    noise = rule("noise", says("cache is cold"), explains=explains("failed", within=5))
    gone = rule("gone", says("database gone"), Role.MECHANISM, explains=explains("failed", within=5))
    failed = rule("failed", BROKEN, Role.SYMPTOM)
    records = noisy("cache is cold")
    assert owners(*records, rules=(noise, gone, failed))[0]["failed"] == "gone"
    without = [r for r in records if r.get("textPayload") != "database gone"]
    found, links = owners(*without, rules=(noise, gone, failed))
    assert found == {}
    assert [x.declared for x in links] == [True]


def test_what_is_as_near_to_other_requests_owns_no_failure() -> None:
    """A page sends two requests at a time and one fails: the other is as near to the error."""
    rules = (
        rule("undefined", says("price is undefined"), explains=explains("failed", within=5)),
        rule("failed", BROKEN, Role.SYMPTOM),
    )
    records = []
    for number in range(3):
        at = number * 20.0
        records += [
            request(200, at=at, latency=0.01, number=number),
            request(500, at=at + 0.02, latency=0.01, number=number + 100),
            error("price is undefined", at + 0.025, number + 1000),
        ]
    found, links = owners(*records, rules=rules)
    assert [x.is_near_by_chance for x in links] == [True]
    assert found == {}


def test_undeclared_noise_owns_nothing_even_alone() -> None:
    records = [r for r in noisy("cache is cold") if r.get("textPayload") != "database gone"]
    found, links = owners(*records, rules=(rule("failed", BROKEN, Role.SYMPTOM),))
    assert found == {}
    assert len(links) == 1


def found_first(*records: dict[str, object]) -> list[str]:
    cause = rule("cause", says("rate limit"), explains=explains("failed", within=5))
    failed = rule("failed", BROKEN, Role.SYMPTOM)
    info = RulebookInfo(count=0, folders=(), overridden=())
    report = analyze(raws(*records), [cause, failed], query(), rulebook=info, tool_version="test").report
    return [c.signature or "" for i in report.incidents for c in report.clusters if c.id == i.root_cluster]


def failures(count: int) -> list[dict[str, object]]:
    """Forty minutes of requests, `count` of which fail."""
    records = [raw("begins", at=0.0), raw("goes on", at=2400.0)]
    every = 200 // count
    for number in range(200):
        at = 20 + number * 11.3 + number % 3
        records.append(request(200 if number % every else 500, at=at, latency=0.1, number=number))
    return records


def test_one_error_near_one_of_twenty_failures_comes_after_them() -> None:
    records = failures(20)
    assert found_first(*records, error("rate limit", 18.0, 5000)) == ["failed", "cause"]


def test_an_error_that_is_said_all_the_time_comes_after_the_failures_that_it_leaves_unexplained() -> None:
    said = [error("rate limit", 1.1 * number, 5000 + number) for number in range(2000)]
    assert found_first(*failures(20), *said) == ["failed", "cause"]


def test_an_error_that_no_failure_is_near_to_comes_first() -> None:
    records = failures(2)
    assert found_first(*records, error("rate limit", 500.0, 5000)) == ["cause", "failed"]
