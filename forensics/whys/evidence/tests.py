"""Evidence `tests`: failed tests that repeat a cluster's words, and tests that name its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forensics.model import DeployOutcome, Evidence, FailureTie, RunOutcome, Verdict, WhyRule
from forensics.schema.checked_values import read_table, read_text
from forensics.text.plurals import counted, one_or_many
from forensics.text.timestamps import format_seconds, parse_time
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import Argument, EvidenceKind
from forensics.whys.wording import dotted, plain, template_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.model import Deploy, TestFailure, TestName, TestRun
    from forensics.schema.diagnostics import Diagnostics, Location

SHOWN = 4
"""Tests that a sentence names."""
_TOO_COMMON = frozenset({"main", "app", "index", "init", "run", "get", "post", "call", "handle", "module", "test"})
_SHORT = 4
"""A name of fewer letters stands in too many tests."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Say which failures speak of the cluster, and what became of the tests that name its function or file."""
    run = context.run.tests
    if run is None:
        return EvidenceResult(
            verdict=Verdict.NOT_OBSERVABLE,
            evidence=(Evidence(kind="tests", statement="no test results were given"),),
            next_step="run again with the results of the tests before the deploy: --tests junit.xml",
        )
    repeating = [failure for failure in run.failures if failure.cluster == context.cluster.id]
    naming = _naming(run.names, _names_of(why, context))
    evidence = [
        _repeats(run, repeating),
        *_when(run, context.run.deploys, context.cluster.revision),
        _named(naming, why, context),
    ]
    return EvidenceResult(
        verdict=_verdict(repeating, naming),
        evidence=tuple(evidence),
        values={"count": len(repeating), "of": run.failed + run.errors},
        next_step="name the tests that cover this code; by name alone these results do not tell",
    )


def _verdict(repeating: Sequence[TestFailure], naming: Sequence[TestName]) -> Verdict:
    """A failure that says the same answers; time alone, or tests that did not run, are a hypothesis."""
    if any(failure.joined_by is not FailureTie.TIME for failure in repeating):
        return Verdict.SUPPORTED
    if repeating or (naming and all(test.outcome in {RunOutcome.NOT_RUN, RunOutcome.SKIPPED} for test in naming)):
        return Verdict.PLAUSIBLE
    return Verdict.NO_EVIDENCE


def _repeats(run: TestRun, repeating: Sequence[TestFailure]) -> Evidence:
    failed = run.failed + run.errors
    total = f"of {counted(run.total, 'test')} {failed} failed, {run.not_run} did not run (0.000 s)"
    if not repeating:
        return Evidence(kind="tests", statement=f"no failed test repeats these words; {total}", count=0, of=failed)
    by = sorted({failure.joined_by or "" for failure in repeating})
    timed = sum(failure.in_time is True for failure in repeating)
    one = len(repeating) == 1
    if by == [FailureTie.TIME]:
        words = f"{'was' if one else 'were'} running while this happened, by time alone"
    else:
        words = f"{'speaks' if one else 'speak'} of this, joined by {' and '.join(by)}"
    within = f"; during {timed} of them it happened on the server" if timed and by != [FailureTie.TIME] else ""
    reasons = sorted({failure.close_reason for failure in repeating if failure.close_reason})
    said = f": {', '.join(f'“{plain(reason)}”' for reason in reasons[:SHOWN])}" if reasons else ""
    return Evidence(
        kind="tests",
        statement=f"{len(repeating)} of {counted(failed, 'failed test')} {words}{said}{within}; {total}",
        count=len(repeating),
        of=failed,
        values={plain(failure.name): str(failure.close_code or "") for failure in repeating[:SHOWN]},
    )


def _when(run: TestRun, deploys: Iterable[Deploy], revision: str) -> list[Evidence]:
    """Put the run's time beside the deployment: a test behind it could not have stopped it."""
    ready = [deploy for deploy in deploys if deploy.revision == revision and deploy.outcome is DeployOutcome.READY]
    if not run.started or not ready:
        return []
    gap = parse_time(run.started) - parse_time(ready[0].time)
    side = "after" if gap >= 0 else "before"
    zone = f" (no zone given; {run.zone_assumed} assumed)" if run.zone_assumed else ""
    statement = (
        f"the tests began at {run.started}{zone}, {format_seconds(abs(gap))} {side} the revision was reported ready"
    )
    return [Evidence(kind="tests", statement=statement, refs=ready[0].refs)]


def _named(naming: Sequence[TestName], why: WhyRule, context: ClusterContext) -> Evidence:
    names = _names_of(why, context)
    if not names:
        return Evidence(
            kind="tests", statement="these entries name no function and no file, so no test can be found by name"
        )
    listed = " or ".join(f"`{name}`" for name in names)
    if not naming:
        statement = f"no test names {listed}; by name only: the results do not tell which code a test ran over"
        return Evidence(kind="tests", statement=statement, count=0)
    counts = ", ".join(
        f"{n} {words}" for outcome, words in _OUTCOMES.items() if (n := sum(test.outcome is outcome for test in naming))
    )
    verb = one_or_many(len(naming), "names", "name")
    shown = ", ".join(f"`{plain(test.name)}`" for test in naming[:SHOWN])
    more = f" and {len(naming) - SHOWN} more" if len(naming) > SHOWN else ""
    statement = f"by name, {counted(len(naming), 'test')} {verb} {listed} ({counts}): {shown}{more}"
    return Evidence(kind="tests", statement=statement, count=len(naming))


_OUTCOMES = {
    RunOutcome.PASSED: "passed",
    RunOutcome.FAILED: "failed",
    RunOutcome.ERRORS: "ended in an error",
    RunOutcome.SKIPPED: "skipped",
    RunOutcome.NOT_RUN: "did not run",
}


def _names_of(why: WhyRule, context: ClusterContext) -> list[str]:
    """Return what a test of this code would be called after: the function and the file without its suffix."""
    values = template_values(context)
    asked = dotted(values, str(why.evidence.get("covering"))) if isinstance(why.evidence, dict) else None
    file = dotted(values, "frame.file")
    names = [asked or "", _stem(file or "")]
    return list(dict.fromkeys(name for name in names if _is_telling(name)))


def _stem(file: str) -> str:
    name = file.replace("\\", "/").rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _is_telling(name: str) -> bool:
    bare = name.strip("_<>").lower()
    return len(bare) >= _SHORT and bare not in _TOO_COMMON and any(c.isalpha() for c in bare)


def _naming(tests: Iterable[TestName], names: Sequence[str]) -> list[TestName]:
    """List the tests whose module or name holds one of the names."""
    wanted = [name.strip("_<>").lower() for name in names]
    return [test for test in tests if any(name in f"{test.module} {test.name}".lower() for name in wanted)]


def _read(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    found = read_table(value, location, diagnostics, {"covering": read_text}, needed=("covering",))
    return Argument(found) if found else None


def _names_in(argument: Any) -> Iterator[tuple[Location, str]]:
    return (((key,), name) for key, name in argument.items())


KIND = EvidenceKind(
    name="tests",
    read_argument=_read,
    names_in=_names_in,
    gather=gather,
    in_table=False,
    is_safeguard=True,
    flag="--tests junit.xml",
)
