"""Where it failed, and what was deployed: each verdict from commits made for it, through the shipped rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders import REVISION
from whys.asking import asked, missing, node, report, said, traceback

from forensics.model import Code, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from support.repositories import Made


def test_the_lines_at_a_frame_and_who_wrote_them(shop: Made) -> None:
    base = shop.last
    text = traceback("ZeroDivisionError: division by zero", file="/app/shop/pay.py", line=2)
    why = asked(shop, text, baseline=base)
    assert (why.verdict, "baseline and deployed commit are the same" in said(why)) == (Verdict.NO_EVIDENCE, True)
    changed = shop.commit("Divide", {"shop/pay.py": "def charge():\n    return 1 / 0  # password=hunter22\n"})
    why = asked(shop, text, baseline=base)
    assert why.verdict is Verdict.SUPPORTED
    assert f"{changed[:7]} (Divide) wrote line 2 of `shop/pay.py`" in said(why)
    assert "2 `return 1 / 0" in said(why)
    assert "hunter22" not in said(why)
    why = asked(shop, text)
    assert why.verdict is Verdict.NO_EVIDENCE
    assert "(Divide), " in said(why)
    assert "--baseline-commit" in str(why.next_step)
    shop.commit(
        "Elsewhere in the file", {"shop/pay.py": "def charge():\n    return 1 / 0  # password=hunter22\n\nx = 1\n"}
    )
    assert asked(shop, text, baseline=changed).verdict is Verdict.PLAUSIBLE


def test_a_file_that_fits_twice_or_not_at_all(shop: Made) -> None:
    shop.commit("x", {"old/shop/pay.py": "1"})
    text = "ZeroDivisionError: division by zero"
    assert "several files of commit" in said(asked(shop, traceback(text, file="/app/shop/pay.py")))
    assert "no file of commit" in said(asked(shop, traceback(text, file="/app/other/thing.py")))


def test_a_name_that_a_module_never_had_lost_or_has(shop: Made) -> None:
    text = "ImportError: cannot import name '{}' from 'shop.pay' (/app/shop/pay.py)"
    why = asked(shop, traceback(text.format("refund")))
    assert why.verdict is Verdict.SUPPORTED
    assert "does not define `refund`; no version before it does" in str(why.answer)
    gone = shop.commit("Rename charge", {"shop/pay.py": "def bill():\n    return 1\n"})
    assert f"{gone[:7]} (Rename charge) took it away" in str(asked(shop, traceback(text.format("charge"))).answer)
    why = asked(shop, traceback(text.format("bill")))
    assert (why.verdict, "defines `bill`, at line 1" in said(why)) == (Verdict.NO_EVIDENCE, True)
    shop.commit("Stars", {"shop/pay.py": "from os import *\n"})
    assert asked(shop, traceback(text.format("bill"))).verdict is Verdict.NO_EVIDENCE


def syntax(problem: str, line: int) -> str:
    place = f'  File "/app/shop/new.py", line {line}'
    return f"Traceback (most recent call last):\n{place}\n    x\n    ^\nSyntaxError: {problem}"


@pytest.mark.parametrize(
    ("dockerfile", "source", "verdict", "words"),
    [
        (
            "FROM python:3.9",
            "match x:\n    case 1:\n        pass\n",
            Verdict.SUPPORTED,
            "not as Python 3.9, which line 1 of",
        ),
        (
            "FROM python:3.10-slim",
            "try:\n    pass\nexcept* ValueError:\n    pass\n",
            Verdict.SUPPORTED,
            "not as Python 3.10",
        ),
        (
            "ARG V=3.9\nFROM python:${V}-slim AS base\nFROM base",
            "match x:\n    case 1: pass\n",
            Verdict.SUPPORTED,
            "line 2 of `Dockerfile`",
        ),
        ("FROM python:3.10", "match x:\n    case 1: pass\n", Verdict.NO_EVIDENCE, "parses as Python 3.10"),
        ("FROM node:22", "match x:\n    case 1: pass\n", Verdict.NO_EVIDENCE, "is not shown by a Dockerfile"),
        ("FROM python:3.9", "def f(:\n", Verdict.SUPPORTED, "the commit itself is broken"),
        ("FROM python:3.9", "x = '\0'\n", Verdict.NO_EVIDENCE, "is no text"),
    ],
)
def test_syntax_newer_than_the_image(shop: Made, dockerfile: str, source: str, verdict: Verdict, words: str) -> None:
    shop.commit("New syntax", {"Dockerfile": dockerfile + "\n", "shop/new.py": source})
    why = asked(shop, syntax("invalid syntax", 1))
    assert (why.verdict, words in said(why)) == (verdict, True), said(why)


def test_parsing_a_file_does_not_run_it(shop: Made, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    shop.commit(
        "x", {"shop/new.py": f"open({str(trap)!r}, 'w')\n'\\d'\n", "shop/pay.py": f"open({str(trap)!r}, 'w')\n"}
    )
    asked(shop, syntax("invalid syntax", 1))
    asked(shop, traceback("ImportError: cannot import name 'x' from 'shop.pay' (/app/shop/pay.py)"))
    assert not trap.exists()


def test_an_assumed_commit_carries_no_certainty(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "**/monitoring"}, at="2026-03-01T09:00:00Z")
    shop.commit("after the first entry", {".dockerignore": None}, at="2026-03-01T12:00:00Z")
    found = report(shop, missing("shop.monitoring"), commit=None)
    (deployed,) = found.code.deployed if found.code else ()
    assert (deployed.how, deployed.assumed, deployed.revision) == ("time of the first entry", True, REVISION)
    why = asked(shop, missing("shop.monitoring"), commit=None)
    assert why.verdict is Verdict.PLAUSIBLE
    assert "is an assumption: it is the newest on HEAD before the revision's first entry" in said(why)


def test_a_label_of_the_entries_names_the_commit(shop: Made) -> None:
    first = shop.last
    assert first is not None
    shop.commit("x", {".dockerignore": "**/monitoring"})
    labels = {"instanceId": "i1", "commit-sha": first, "gcb-build-id": "11112222"}
    found = report(shop, missing("shop.monitoring"), commit=None, labels=labels)
    assert isinstance(found.code, Code)
    (deployed,) = found.code.deployed
    assert (deployed.how, deployed.assumed, deployed.commit and deployed.commit.id) == ("label", False, first)
    why = asked(shop, missing("shop.monitoring"), commit=None, labels={**labels, "commit-sha": "f" * 40})
    assert why.verdict is Verdict.NOT_OBSERVABLE
    assert "which is not in the repository" in said(why)


def test_a_repository_that_breaks_on_the_way_leaves_the_question_open(shop: Made) -> None:
    blob = shop.files[b"shop/pay.py"][1].decode()
    (shop.path / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    why = asked(shop, traceback("ZeroDivisionError: division by zero", file="/app/shop/pay.py"))
    assert why.verdict is Verdict.NOT_OBSERVABLE
    assert "is not in this clone" in said(why)


def test_hostile_names_never_become_paths_or_patterns(shop: Made) -> None:
    for module in ("..", "a..b", "shop.[z", "shop.*", "x" * 5000, "../../etc/passwd", "-rf"):
        for text in (missing(module), node(module)):
            found = report(shop, text)
            assert found.code is not None


def test_the_report_is_the_same_twice_and_holds_no_address(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "**/monitoring"})
    first, second = (report(shop, missing("shop.monitoring"), baseline=None) for _ in range(2))
    assert first == second
    assert "jo.dev" not in repr(first)
