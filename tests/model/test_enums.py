"""Fields with a closed list of words: JSON has the bare word, and a word that nobody knows is one line of an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.builders import query, raws, request

from forensics.errors import BaselineError
from forensics.model import CutBy, Deploy, DeployOutcome, DeployTarget, Principal, Pulled, PullPart, Report
from forensics.pipeline import analyze
from forensics.rendering import decode_report, encode_report
from forensics.rulebook import load_rules
from forensics.sources.junit import read_test_runs

TESTS = Path(__file__).parents[2] / "samples/netra-backend-staging/tests/cycle3.xml"
DEPLOY = Deploy(
    time="2026-03-02T00:41:00Z",
    revision="shop-00002-abc",
    outcome=DeployOutcome.READY,
    image="",
    by=Principal.UNKNOWN,
    message="",
    insert_id="a",
    about=DeployTarget.REVISION,
)


@pytest.fixture(scope="module")
def report() -> Report:
    """A report with each word that can be asked of it here."""
    rules, info = load_rules()
    records = [request(503, at=n, latency=0.5, trace=f"t{n}") for n in range(5)]
    found = analyze(
        raws(*records), rules, query(), rulebook=info, tool_version="1", tests=read_test_runs([TESTS])
    ).report
    coverage = msgspec.structs.replace(found.coverage, cut=CutBy.LIMIT)
    return msgspec.structs.replace(found, coverage=coverage, deploys=(DEPLOY,))


def test_json_has_the_bare_words() -> None:
    plain = msgspec.json.decode(msgspec.json.encode(DEPLOY))
    assert (plain["outcome"], plain["by"], plain["about"]) == ("ready", "", "Revision")
    assert msgspec.to_builtins(Pulled(revision="r", part=PullPart.REFUSED_REQUESTS, done=True))["part"] == (
        "refused requests"
    )


def test_a_report_comes_back_with_members(report: Report) -> None:
    back = decode_report(encode_report(report), "report.json")
    assert back == report
    assert back.coverage.cut is CutBy.LIMIT
    assert (back.deploys[0].outcome, back.deploys[0].by) == (DeployOutcome.READY, Principal.UNKNOWN)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("coverage", "cut"), r"\$\.coverage\.cut"),
        (("deploys", 0, "outcome"), r"\$\.deploys\[.+\]\.outcome"),
        (("timeline", 0, "kind"), r"\$\.timeline\[.+\]\.kind"),
        (("tests", "outcomes", "x"), r"\$\.tests\.outcomes\[.+\]"),
        (("findings", 0, "actions", 0, "kind"), r"\$\.findings\[.+\]\.actions\[.+\]\.kind"),
    ],
)
def test_an_unknown_word_in_an_old_report_is_one_line(report: Report, path: tuple[str | int, ...], place: str) -> None:
    data = msgspec.json.decode(encode_report(report))
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "somehow"
    with pytest.raises(
        BaselineError, match=rf"^old\.json: Invalid enum value 'somehow' - at `{place}`; analyze the logs again$"
    ):
        decode_report(msgspec.json.encode(data), "old.json")
