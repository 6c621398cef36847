"""That the tests which guard verdicts do so: each change that would turn one is noticed (`make mutants`: many more)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from mutants import EQUIVALENT, MODULES, NAMED
from mutating import mutants_of, spelled

ROOT = Path(__file__).parent.parent


def test_every_change_that_would_turn_a_verdict_is_noticed() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "mutants.py"), "--named"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(NAMED)} of {len(NAMED)} mutants killed" in done.stdout


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a = b - c", ["a = b + c"]),
        ("a = b * c", ["a = b // c"]),
        ("f(a < b <= c)", ["f(a <= b <= c)", "f(a < b < c)"]),
        ("f(a is not b)", ["f(a is b)"]),
        ("f(a and b or c)", ["f((a and b) and c)", "f((a or b) or c)"]),
        ("f(not a)", ["f(a)"]),
        ("a = True", ["a = False"]),
        ("a = 1.5", ["a = 2.5"]),
        ("f(a if b else c)", ["f(c if b else a)"]),
        ("a = 'text'", []),
        ("def f(a: Literal[1]) -> Literal[2]: ...", []),
    ],
)
def test_each_slip_is_made_by_itself(source: str, changed: list[str]) -> None:
    found = list(mutants_of("x", source, "x.py"))
    assert {one.after for one in found} == set(map(spelled, changed))
    assert all(one.before == spelled(source) for one in found)


def test_a_change_runs_as_it_is_shown_and_says_where_it_stands() -> None:
    (found,) = mutants_of("x", "class A:\n    def f(self, a, b):\n        return a - b\n", "x.py")
    assert (found.function, found.line, found.after) == ("A.f", 3, "return a + b")
    names: dict[str, type] = {}
    exec(found.code, names)  # noqa: S102 - three lines above
    assert names["A"]().f(2, 3) == 5


def test_what_is_listed_as_equivalent_has_a_reason() -> None:
    listed = tomllib.loads(EQUIVALENT.read_text())
    assert set(listed) <= set(MODULES)
    for one in (one for module in listed.values() for one in module):
        assert set(one) == {"function", "after", "reason"}
        assert one["reason"]


def test_every_module_that_is_guarded_is_there_with_its_tests() -> None:
    for module in MODULES.values():
        assert (ROOT / module.path).exists()
        assert all((ROOT / tests).exists() for tests in module.tests)
