"""Evidence `tests`: which tests ran, and which of them failed."""

from __future__ import annotations

from forensics.model import Evidence, Verdict, WhyRule
from forensics.whys.scene import Gathered, Scene
from forensics.whys.wording import counted


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Say what the test results show; which code a test ran over they do not show."""
    del why
    runs = scene.stage.tests
    if runs is None:
        return Gathered(
            verdict=Verdict.NOT_OBSERVABLE,
            evidence=(Evidence(kind="tests", statement="no test results were given"),),
            next_step="run again with the results of the tests before the deploy: --tests junit.xml",
        )
    statement = (
        f"{runs.passed} of {counted(runs.total, 'test')} passed, {runs.failed + runs.errors} failed, "
        f"{runs.not_run} did not run; the results do not tell which code a test ran over"
    )
    evidence = Evidence(kind="tests", statement=statement, count=runs.failed + runs.errors, of=runs.total)
    return Gathered(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,), next_step="name the tests that cover this code")
