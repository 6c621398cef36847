"""The three revisions of the sample as three cycles, by the commands of docs/cycles.md, against the sample's truth."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from support.program import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = ROOT / "docs" / "cycles.md"
SAMPLE = ROOT / "samples" / "netra-backend-staging"
REVISIONS = [f"netra-backend-staging-00{n}" for n in ("178-w4k", "179-gdb", "180-jkl")]
SERIALIZATION = "websocket-1011-serialization"


def commands() -> list[list[str]]:
    lines = re.findall(r"^ {4}forensics (.*)$", DOCUMENT.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in lines]


def settle(folder: Path) -> None:
    """Make a folder like a checkout, with the settings of the document."""
    (folder / "samples").symlink_to(ROOT / "samples")
    toml = re.search(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert toml is not None
    (folder / "forensics.toml").write_text(toml[1])


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Run every command of the document; return the folder, and what each printed."""
    folder = tmp_path_factory.mktemp("loop")
    settle(folder)
    printed = {}
    for arguments in commands():
        done = run(*arguments, cwd=folder)
        assert done.returncode == 0, (arguments, done.stderr)
        assert not done.stderr
        printed[" ".join(arguments)] = done.stdout
    return folder, printed


def cycle(folder: Path, number: int) -> dict[str, Any]:
    (file,) = (folder / ".forensics" / "cycles").glob(f"{number:04d}-*.json")
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def documents(folder: Path) -> list[str]:
    reports = folder / "forensics-reports"
    return [(reports / name / f"cycle-{n:04d}.md").read_text() for n, name in enumerate(REVISIONS, 1)]


def truth(revision: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLE / "truth.json").read_text())["revisions"][revision]
    return found


@pytest.mark.slow
def test_an_action_is_done_by_the_figure_that_the_cycle_asks_for(loop: tuple[Path, dict[str, str]]) -> None:
    """One failure, one figure: in the actions of a finding, in the roots of a cycle and in its document."""
    figures = 0
    for number in (1, 2, 3):
        for root in cycle(loop[0], number)["roots"]:
            asked = f"in at least {root['needed']:,} {root['measure']}"
            for action in root["actions"]:
                if action["kind"] == "mitigate":
                    assert action["done_when"].endswith(asked if root["needed"] != 1 else asked.removesuffix("s"))
                    figures += 1
    assert figures >= 10


@pytest.mark.slow
def test_three_revisions_are_three_cycles(loop: tuple[Path, dict[str, str]]) -> None:
    folder, _ = loop
    files = sorted(file.name for file in (folder / ".forensics" / "cycles").iterdir())
    assert files == [f"{n:04d}-{name}.json" for n, name in enumerate(REVISIONS, 1)]
    for number, name in enumerate(REVISIONS, 1):
        found = cycle(folder, number)
        counts: dict[str, int] = {}
        for cluster in found["clusters"]:
            counts[cluster["signature"]] = counts.get(cluster["signature"], 0) + cluster["occurrences"]
        assert counts == {signature: n["occurrences"] for signature, n in truth(name).items()}
        assert (found["previous"] or {}).get("revision") == (REVISIONS[number - 2] if number > 1 else None)
        report = (folder / "forensics-reports" / name / "report.json").read_bytes()
        if number < 3:  # the last command of the document analyses the third revision once more
            assert hashlib.sha256(report).hexdigest() == found["report_sha256"]


@pytest.mark.slow
def test_the_cure_that_was_claimed_is_refuted_by_the_next_revision(loop: tuple[Path, dict[str, str]]) -> None:
    folder, _ = loop
    seen = [truth(name)[SERIALIZATION]["occurrences"] for name in REVISIONS]
    assert seen == [46, 38, 6]
    first, second, third = (cycle(folder, number) for number in (1, 2, 3))
    (claim,) = first["claims"]
    assert (claim["statement"], claim["state"]) == (f"{SERIALIZATION} gone", "asserted, not shown")
    refuted = [next(c for c in found["claims"] if c["state"] == "refuted") for found in (second, third)]
    for claim, revision, now in zip(refuted, REVISIONS[1:], seen[1:], strict=True):
        assert claim["check"]["revision"] == revision
        assert claim["check"]["occurrences"] == now
        ids = [ref["insert_id"] for ref in claim["check"]["evidence"]]
        logs = (SAMPLE / "logs" / "stderr.ndjson").read_text().splitlines()
        cited = [line for line in logs if any(f'"{id_}"' in line for id_ in ids)]
        assert len(cited) == len(ids) == 3
        assert all(revision in line and "not JSON serializable" in line for line in cited)
    assert [c["statement"] for c in refuted] == [f"{SERIALIZATION} gone", f"{SERIALIZATION} fixed by 4f2a9c1"]


@pytest.mark.slow
def test_what_the_numbers_show_is_claimed_by_itself(loop: tuple[Path, dict[str, str]]) -> None:
    folder, _ = loop
    made = [c for c in cycle(folder, 3)["claims"] if c["made_in"] == 3]
    assert [(c["statement"], c["state"], c["by_hand"]) for c in made] == [(f"{SERIALIZATION} better", "shown", False)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "told",
    [
        "**Date** 2025-09-08T17:00:00Z",
        "**Environment** staging",
        "**Focus** P0 critical",
        "**Status** 1 earlier claim refuted; signatures of P0 seen: 4; 1 new,",
        f"> **Refuted:** {SERIALIZATION} fixed by 4f2a9c1",
        "9 of 16 passed (56 %, 95 % interval 30 % – 80 %)",
        "| failed | 2.255 | newly failed |",
        "(close code 1008): `websockets.exceptions.ConnectionClosedError",
        "test_thread_is_created` passed",
        "Factory SSOT validation failed` — tied to factory-validation by close reason\n",
        "fewer, not gone: `websocket-1011-serialization` 38 → 6",
        "- P0 `factory-validation` (cause) 0 → 33",
        "- P1 `http-5xx` (symptom) 8 → 19",
        "In 33 of 33 sessions the check says what it missed",
        "@sha256:c25d08d745ee19ac85d7807ebc9486fb99a1e47fc8e78af6776577601a5a6bfd",
        "100 % to the latest revision",
        "165 requests, 73 WebSocket sessions, 3 instance starts",
        "| chat | 120K MRR | at risk |",
        "every paying customer chats; figure of 2025-08",
        "| all tests | 5/15 → 9/16 passed (p = 0.29): no detectable change |",
        "**P2**\n\n- `http-401-403`: 6 requests",
        "- [ ] P0 Move traffic back to netra-backend-staging-00179-gdb, which answered requests without this failure",
        "none is seen in at least 9 WebSocket sessions; who holds it for cured says `--claim 'factory",
        "`forensics cycle record --revision NEXT --tests junit.xml --environment staging`",
        "**Continues** cycle 2 (netra-backend-staging-00179-gdb",
    ],
)
def test_the_third_report_says_what_a_team_has_to_know(told: str, loop: tuple[Path, dict[str, str]]) -> None:
    assert told in documents(loop[0])[2]


@pytest.mark.slow
def test_every_failure_of_a_test_is_a_line(loop: tuple[Path, dict[str, str]]) -> None:
    section = documents(loop[0])[2].split("### What they said")[1].split("\n## ")[0]
    assert len(re.findall(r"^- `tests", section, re.MULTILINE)) == 7
    assert " — tied to websocket-1011-serialization by time alone\n" in section


@pytest.mark.slow
def test_no_report_calls_itself_done(loop: tuple[Path, dict[str, str]]) -> None:
    for document in documents(loop[0]):
        assert not re.search(r"(?i)mission|accomplish|success|resolved|all green|\bcomplete\b", document)


@pytest.mark.slow
def test_every_figure_of_a_report_is_in_its_json(loop: tuple[Path, dict[str, str]]) -> None:
    folder, _ = loop
    for number, document in enumerate(documents(folder), 1):
        texts, numbers = flattened(cycle(folder, number))
        left = plain(document)
        for text in sorted(map(plain, texts), key=len, reverse=True):
            # A text that is but a number, as a route is, is not a sentence of the document.
            if re.search(r"\d", text) and not text.isdigit():
                left = re.sub(rf"(?<![\d.,]){re.escape(text)}(?!\d)", " ", left)
        # What the template itself says: names of priorities, codes and thresholds.
        left = re.sub(r"\bP[0-3]\b|0\.000 s|\bSHA-256\b|cycle-?\d{4}", " ", left)
        figures = {float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*(?:\.\d+)?", left)}
        assert figures
        assert figures <= numbers, (number, sorted(figures - numbers))


def plain(text: str) -> str:
    """Take away what Markdown adds to a text: escapes, code, runs of blanks."""
    text = re.sub(r"\]\(https://console[^)]*\)", "]", html.unescape(text))
    text = re.sub(r"\\(.)", r"\1", text).replace("`", "").replace("'", "").replace("¦", "|")
    return " ".join(text.split())


def flattened(value: object) -> tuple[set[str], set[float]]:
    """Return all texts and keys, and all numbers, of a JSON value."""
    if isinstance(value, dict):
        parts = [flattened(item) for item in (*value.keys(), *value.values())]
    elif isinstance(value, list):
        parts = [flattened(item) for item in value]
    elif isinstance(value, str):
        return {value}, set()
    else:
        return set(), {float(value)} if isinstance(value, int | float) else set()
    texts, numbers = zip(*parts, strict=True) if parts else ((), ())
    return set().union(*texts), set().union(*numbers)


@pytest.mark.slow
def test_recording_it_all_again_elsewhere_writes_the_same_bytes(
    loop: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    settle(tmp_path)
    for arguments in commands()[:3]:
        assert run(*arguments, cwd=tmp_path).returncode == 0
    for file in sorted((loop[0] / ".forensics" / "cycles").iterdir()):
        data = file.read_bytes()
        assert (tmp_path / ".forensics" / "cycles" / file.name).read_bytes() == data
        assert str(loop[0]).encode() not in data
        assert b"e2e@example.com" not in data


@pytest.mark.slow
def test_a_revision_is_one_cycle_unless_again(loop: tuple[Path, dict[str, str]]) -> None:
    folder, _ = loop
    before = {file: file.read_bytes() for file in (folder / ".forensics" / "cycles").iterdir()}
    done = run("cycle", "record", "--revision", "latest", "--environment", " staging", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == f"forensics: '{REVISIONS[2]}' is cycle 3 already: --again records it anew, in its place\n"
    assert {file: file.read_bytes() for file in (folder / ".forensics" / "cycles").iterdir()} == before


@pytest.mark.slow
def test_the_status_in_the_document_is_what_the_program_prints(
    loop: tuple[Path, dict[str, str]], request: pytest.FixtureRequest
) -> None:
    shown = f"<!-- status -->\n```\n{loop[1]['cycle status']}```\n<!-- /status -->"
    text = DOCUMENT.read_text()
    if request.config.getoption("--accept"):
        DOCUMENT.write_text(re.sub(r"<!-- status -->.*<!-- /status -->", lambda _: shown, text, flags=re.DOTALL))
    assert shown in DOCUMENT.read_text()


@pytest.mark.slow
def test_an_analysis_puts_refuted_claims_first(loop: tuple[Path, dict[str, str]]) -> None:
    folder, printed = loop
    assert printed["cycle report"] == f"forensics-reports/{REVISIONS[2]}/cycle-0003.md\n"
    index = (folder / "forensics-reports" / REVISIONS[2] / "index.md").read_text()
    assert index.index(f"| **refuted** | {SERIALIZATION} fixed by 4f2a9c1 |") < index.index("## Incidents")
    assert "| chat | 120K MRR | at risk |" in index
    postmortem = (folder / "forensics-reports" / REVISIONS[2] / "postmortem.md").read_text()
    assert "| chat | 120K MRR | at risk |" in postmortem


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cycle", "record", "--revision", "all"), "one revision"),
        (("cycle", "record", "--revision", "latest", "--claim", "all good now"), "SIGNATURE gone"),
        (
            ("cycle", "record", "--revision", "latest", "--claim", "websocket-1011-serialisation gone"),
            f"did you mean '{SERIALIZATION}'?",
        ),
        (("cycle", "record", "--revision", "latest", "--at", "yesterday-ish"), "--at"),
        (("cycle", "report", "9"), "there are 1, 2, 3"),
        (("cycle", "status", "--ledger", "none"), "forensics cycle record"),
        (("analyze", "--revision", "latest", "--claims", "none"), "--claims 'none'"),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    arguments: tuple[str, ...], said: str, loop: tuple[Path, dict[str, str]]
) -> None:
    done = run(*arguments, cwd=loop[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


@pytest.mark.slow
def test_a_pattern_of_impact_that_no_rule_fits_is_named(tmp_path: Path) -> None:
    settle(tmp_path)
    (tmp_path / "forensics.toml").write_text(
        (tmp_path / "forensics.toml").read_text().replace("websocket-*", "websockt-*")
    )
    done = run("cycle", "record", "--revision", "latest", cwd=tmp_path)
    assert done.returncode == 2
    assert "impact.chat: no rule fits 'websockt-*'" in done.stderr
    assert not (tmp_path / ".forensics").exists()
