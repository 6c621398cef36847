"""What the tests of `forensics gate` share: how it is run, and what SARIF has to be."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from support import program

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def run(*arguments: str, cwd: Path = program.ROOT, summary: str = "") -> subprocess.CompletedProcess[str]:
    """Run `forensics` as on a machine of CI without a cloud; `summary` is the file of a step's summary."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "GOOGLE_", "LOGGING_"))}
    cloudless = {"NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": "/nowhere", "GITHUB_STEP_SUMMARY": summary}
    return program.run(*arguments, cwd=cwd, env=keep | cloudless)


def gate(*arguments: str, summary: str = "") -> subprocess.CompletedProcess[str]:
    """Run `forensics gate` where the samples lie."""
    return run("gate", *arguments, summary=summary)


def check_sarif(log: Any) -> list[dict[str, Any]]:
    """Hold a log against what the schema of SARIF 2.1.0 requires; return its results."""
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run_,) = log["runs"]
    driver = run_["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
    for invocation in run_["invocations"]:
        assert isinstance(invocation["executionSuccessful"], bool)
    messages = [n["message"]["text"] for i in run_["invocations"] for n in i["toolExecutionNotifications"]]
    for result in run_["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["kind"] in {"pass", "open", "informational", "notApplicable", "review", "fail"}
        # §3.27.9, §3.27.10: a level other than none is of the kind `fail` alone.
        assert (result["kind"] == "fail") == (result["level"] != "none")
        messages.append(result["message"]["text"])
        for location in result["locations"]:
            check_location(location)
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
    for text in messages:
        assert text
        # §3.11.5, §3.11.6: braces are doubled and brackets escaped, where they are no placeholder and no link.
        assert not re.search(r"(?<!\\)[\[\]]", text)
        assert not re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", text))
        assert not CONTROL.search(text)
    results: list[dict[str, Any]] = run_["results"]
    return results


def check_location(location: dict[str, Any]) -> None:
    for logical in location["logicalLocations"]:
        assert logical["name"]
        assert set(logical) <= {"name", "fullyQualifiedName", "kind"}
    if "physicalLocation" in location:
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w.~%/-]+", uri, re.ASCII)
        assert not uri.startswith("/")
        assert ".." not in uri.split("/")
        assert location["physicalLocation"].get("region", {"startLine": 1})["startLine"] >= 1
