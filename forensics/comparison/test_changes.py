"""Compare two test runs: pass rates of modules, and tests that appeared, vanished or did not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.exact import ALPHA, fisher_p, holm
from forensics.model import ChangeState, RunOutcome, TestChange, TestComparison, TestRun, TestSuite

if TYPE_CHECKING:
    from collections.abc import Iterator

_DID_NOT_RUN = frozenset({RunOutcome.SKIPPED, RunOutcome.NOT_RUN})


class _Row(NamedTuple):
    """Number of tests that passed and that ran, before and after."""

    name: str
    passed_before: int
    ran_before: int
    passed_after: int
    ran_after: int

    def p_value(self) -> float | None:
        return (
            fisher_p(self.passed_before, self.ran_before, self.passed_after, self.ran_after)
            if self.ran_before and self.ran_after
            else None
        )


def compare_tests(before: TestRun, after: TestRun) -> TestComparison:
    """Compare two runs by Fisher's exact test; a test that passed in 0.000 s did not run, so it did not pass."""
    total = _row("all tests", before, after)
    modules = _row_of("modules", *_modules(before), *_modules(after))
    rows = list(_module_rows(before, after))
    p_values = {row.name: p for row in rows if (p := row.p_value()) is not None}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return TestComparison(
        total=_change(total, total.p_value()),
        modules_passed=_change(modules, modules.p_value()),
        modules=tuple(_change(row, corrected.get(row.name)) for row in rows),
        appeared=tuple(sorted(after.outcomes.keys() - before.outcomes.keys())),
        vanished=tuple(sorted(before.outcomes.keys() - after.outcomes.keys())),
        not_run=tuple(sorted(test for test, outcome in after.outcomes.items() if outcome in _DID_NOT_RUN)),
    )


def _row(name: str, before: TestRun | TestSuite | None, after: TestRun | TestSuite | None) -> _Row:
    return _row_of(name, *_figures(before), *_figures(after))


def _row_of(name: str, passed_before: int, ran_before: int, passed_after: int, ran_after: int) -> _Row:
    return _Row(name, passed_before, ran_before, passed_after, ran_after)


def _figures(of: TestRun | TestSuite | None) -> tuple[int, int]:
    return (of.passed, of.passed + of.failed + of.errors) if of else (0, 0)


def _modules(run: TestRun) -> tuple[int, int]:
    """Count the modules where every test that ran passed, and the modules where any test ran."""
    figures = [(passed, ran) for passed, ran in map(_figures, run.suites) if ran]
    return sum(passed == ran for passed, ran in figures), len(figures)


def _module_rows(before: TestRun, after: TestRun) -> Iterator[_Row]:
    old, new = ({suite.name: suite for suite in run.suites} for run in (before, after))
    for name in sorted(old.keys() | new.keys()):
        yield _row(name, old.get(name), new.get(name))


def _change(row: _Row, corrected: float | None) -> TestChange:
    state = _state(row, corrected)
    return TestChange(
        **row._asdict(), p_value=row.p_value(), p_corrected=corrected, state=state, statement=_sentence(row, state)
    )


def _state(row: _Row, corrected: float | None) -> ChangeState:
    if corrected is None:
        return ChangeState.NOT_COMPARABLE
    if corrected > ALPHA:
        return ChangeState.NO_CHANGE
    is_better = row.passed_after * row.ran_before > row.passed_before * row.ran_after
    return ChangeState.BETTER if is_better else ChangeState.WORSE


def _sentence(row: _Row, state: ChangeState) -> str:
    """Write `1/3 → 3/3 passed (p = 0.40): no detectable change`."""
    numbers = f"{row.passed_before}/{row.ran_before} → {row.passed_after}/{row.ran_after} passed"
    p_value = row.p_value()
    if p_value is None:
        sides = [name for name, ran in (("before", row.ran_before), ("now", row.ran_after)) if not ran]
        return f"{numbers}: {state}, no test ran {' and '.join(sides)}"
    return f"{numbers} (p {'< 0.001' if p_value < 0.001 else f'= {p_value:.2f}'}): {state}"  # noqa: PLR2004 - as printed
